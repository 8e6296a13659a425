from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.assisted import AssistedOutcome, AssistedRequest
from chalicelib.domain.consent import Consent, Denied
from chalicelib.services.access_ports import Consents, Doctors
from chalicelib.services.exception_ports import AssistedRequests
from chalicelib.services.find_visit import FindVisit
from chalicelib.services.record_decision import About, RecordDecision


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


@dataclass(frozen=True, slots=True)
class ReadAssistedOutcome:
    """What became of a doctor's own request in an open visit, and the consent if there is one. Each poll is on record,
    by what it was told. Raises AccessDenied (doctor_inactive, session_ended, no_encounter, no_grant), AuditFailed."""

    find_visit: FindVisit
    assisted: AssistedRequests
    consents: Consents
    record: RecordDecision

    def __call__(
        self, caller: Caller, encounter_id: str, request_id: str, now: datetime
    ) -> tuple[AssistedOutcome, Consent | None]:
        visit = self.find_visit(caller, encounter_id, now)
        if isinstance(visit, Denied):
            self.record.deny(caller, "assisted_outcome", visit, now, About(encounter_id=encounter_id))
        about = About(visit.person_id, encounter_id=encounter_id, basis="assisted")
        request = self.assisted.get(caller.hospital_id, request_id)
        if request is None or (request.doctor_id, request.encounter_id) != (caller.subject, encounter_id):
            self.record.deny(caller, "assisted_outcome", Denied("no_grant", "unknown_request"), now, about)
        given = self.consents.of_doctor(request.person_id, request.doctor_id, request.asked_at)
        consent = next((one for one in given if one.consent_id == request_id), None)
        outcome: AssistedOutcome = "confirmed" if consent else request.outcome(now)
        self.record.allow(caller, "assisted_outcome", outcome, now, about)
        return outcome, consent
