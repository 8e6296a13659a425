from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.services.ports import Hospitals
from chalicelib.services.record_decision import About, RecordDecision


@dataclass(frozen=True, slots=True)
class AdmitUploader:
    """Whether a hospital may upload now, on record before anything follows from it. Raises
    AccessDenied("hospital_closed") for one that is not registered or whose registration ended; AuditFailed."""

    hospitals: Hospitals
    record: RecordDecision

    def __call__(self, caller: Caller, action: str, now: datetime, study: StudyRef | None = None) -> Hospital:
        hospital, about = self.hospitals.get(caller.hospital_id), About(study=study)
        if hospital is None or not hospital.active:
            detail = "hospital_closed" if hospital else "unknown_hospital"
            self.record.deny(caller, action, Denied("hospital_closed", detail), now, about)
        self.record.allow(caller, action, "own_hospital", now, about)
        return hospital
