"""What reminders of similar exams need of the world (infra/REMINDERS.md)."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from chalicelib.domain.alert import Alert, Answer, Outcome
from chalicelib.domain.session import TokenRefused


class ClientTokens(Protocol):
    """CDS Hooks 2.0, "Trusting CDS Clients": a token that a registered hospital made for one call of one service."""

    def verify(self, token: str, url: str, now: datetime) -> str | TokenRefused:
        """The hospital whose token it is; it is spent by this. `url` is the address that was called."""
        ...


class Alerts(Protocol):
    """Reminders that were shown, by the hospital they were shown in and the day, and what doctors answered."""

    def keep(self, alert: Alert) -> bool:
        """Put it if it is new. False: it was shown before, and stands as then."""
        ...

    def get(self, hospital_id: str, alert_id: str) -> Alert | None: ...

    def answer(self, hospital_id: str, alert_id: str, outcome: Outcome, reason: str, at: datetime) -> bool:
        """What a doctor did with a reminder; `reason` is a code of `domain.repeat_reason`, or "". The same answer once,
        as it was given last. False: no such reminder was shown there."""
        ...

    def answers(self, hospital_id: str, alert_id: str) -> tuple[Answer, ...]:
        """What was answered to one. Strongly consistent."""
        ...

    def wake(self, hospital_id: str, alert_id: str, said: str, now: datetime) -> None:
        """Something was said that counts for a reminder: it is due again (`gain_ports.DueAlerts`). `said` names what,
        so that no two wake it alike. To be called when that is kept."""
        ...

    def of_day(self, hospital_id: str, day: str) -> tuple[tuple[Alert, tuple[Answer, ...]], ...]:
        """All of one day (YYYY-MM-DD, of the hospital's own zone), each with the answers to it."""
        ...

    def of_visit(self, hospital_id: str, encounter_id: str) -> tuple[str, ...]:
        """Ids of the reminders that were shown in a visit, oldest first. Strongly consistent."""
        ...
