from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.study import StudyRef
from chalicelib.services.record_decision import About, RecordDecision


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What the role table alone allows - a hospital's own uploads and days, the commission's figures, one's own
    session - is on record before it is answered or done. Raises AuditFailed."""

    record: RecordDecision

    def __call__(
        self, caller: Caller, action: str, now: datetime, *, of: str = "", study: StudyRef | None = None
    ) -> None:
        """`of`: the hospital that somebody without one asks about."""
        match caller.role:
            case "patient":
                reason, about = "self", About(caller.person_id)
            case "guardian":
                reason, about = "guardian", About(guardian_id=caller.person_id)
            case _:
                reason, about = (of or "province") if not caller.hospital_id else "own_hospital", About(study=study)
        self.record.allow(caller, action, reason, now, about)
