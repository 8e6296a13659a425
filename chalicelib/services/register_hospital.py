from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.study import Hospital
from chalicelib.services.ports import Hospitals
from chalicelib.services.record_decision import RecordDecision


@dataclass(frozen=True, slots=True)
class RegisterHospital:
    """A regulator takes a hospital in, changes what is known of it, or (`active` False) ends its uploads."""

    hospitals: Hospitals
    record: RecordDecision

    def __call__(self, caller: Caller, hospital: Hospital, now: datetime) -> Hospital:
        """The hospital as it now stands. Raises AuditFailed."""
        self.record.allow(caller, "register_hospital", hospital.hospital_id, now)
        self.hospitals.put(hospital)
        return hospital
