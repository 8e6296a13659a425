from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.assisted import AssistedRequest
from chalicelib.services.access_ports import Doctors
from chalicelib.services.exception_ports import AssistedRequests
from chalicelib.services.record_decision import RecordDecision


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for a witness, with the name of the doctor who opened it."""

    request: AssistedRequest
    doctor_name: str


@dataclass(frozen=True, slots=True)
class ReadAssisted:
    """What witnesses of a hospital may confirm now. Raises AuditFailed."""

    assisted: AssistedRequests
    doctors: Doctors
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime) -> tuple[Waiting, ...]:
        self.record.allow(caller, "read_assisted", "own_hospital", now)
        return tuple(self._named(one) for one in self.assisted.open_at(caller.hospital_id, now))

    def _named(self, request: AssistedRequest) -> Waiting:
        doctor = self.doctors.get(request.doctor_id)
        return Waiting(request, doctor.name if doctor else "")
