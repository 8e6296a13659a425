from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chalicelib.domain.access import Caller
from chalicelib.domain.alert import Outcome
from chalicelib.services.record_decision import RecordDecision
from chalicelib.services.reminder_ports import Alerts

ACTION: Final = "answer_reminder"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a doctor did with a card. `reason` is a code of `domain.repeat_reason`, or ""."""

    card: str
    outcome: Outcome
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AnswerReminder:
    """Feedback on cards, for the sweep to count. What was not shown in that hospital is passed over: nobody is told
    which cards there are. Raises AuditFailed."""

    alerts: Alerts
    record: RecordDecision

    def __call__(self, hospital_id: str, answers: Sequence[Answered], now: datetime) -> None:
        self.record.allow(Caller("hospital", hospital_id, hospital_id), ACTION, "own_hospital", now)
        for one in answers:
            if self.alerts.answer(hospital_id, one.card, one.outcome, one.reason, min(one.at, now)):
                self.alerts.wake(hospital_id, one.card, f"{one.outcome}{one.reason}", now)
