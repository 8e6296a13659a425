"""Requests as those concerned see them: the person in their list, the doctor by the one they made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Consent, Denied
from chalicelib.domain.request import Outcome, Request
from chalicelib.services.access_ports import Consents, Doctors
from chalicelib.services.act_as import ActAs
from chalicelib.services.find_visit import FindVisit
from chalicelib.services.record_decision import About, RecordDecision

ACTION = "read_outcome"


@dataclass(frozen=True, slots=True)
class Listed:
    """A request in a person's list; `doctor_name` is the account's, "" when it is gone."""

    request: Request
    doctor_name: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ReadRequests:
    """The requests that a person, or their guardian, may answer, and those answered or expired within a day, newest
    first. Raises AccessDenied, AuditFailed."""

    act_as: ActAs
    consents: Consents
    doctors: Doctors

    def __call__(self, caller: Caller, now: datetime, ward: str = "") -> tuple[Listed, ...]:
        person = self.act_as.to_list(caller, "read_requests", now, ward).person
        listed = [one for one in self.consents.requests(person.person_id) if one.listed]
        accounts = {doctor_id: self.doctors.get(doctor_id) for doctor_id in {one.doctor_id for one in listed}}
        names = {doctor_id: account.name if account else "" for doctor_id, account in accounts.items()}
        return tuple(Listed(one, names[one.doctor_id], one.outcome(now)) for one in listed)


@dataclass(frozen=True, slots=True)
class ReadOutcome:
    """What became of a doctor's own request in an open visit, and the consent if there is one.

    A request that reached nobody waits and expires like any other. Each poll is on record, by what it was told. Raises
    AccessDenied (doctor_inactive, session_ended, no_encounter, no_grant), AuditFailed.
    """

    find_visit: FindVisit
    consents: Consents
    record: RecordDecision

    def __call__(
        self, caller: Caller, encounter_id: str, request_id: str, now: datetime
    ) -> tuple[Outcome, Consent | None]:
        visit = self.find_visit(caller, encounter_id, now)
        if isinstance(visit, Denied):
            self.record.deny(caller, ACTION, visit, now, About(encounter_id=encounter_id))
        found = self.consents.asked(visit.owner, request_id)
        if found is None or (found[0].doctor_id, found[0].encounter_id) != (caller.subject, encounter_id):
            about = About(visit.person_id, encounter_id=encounter_id)
            self.record.deny(caller, ACTION, Denied("no_grant", "unknown_request"), now, about)
        request = found[0]
        outcome = request.outcome(now)
        self.record.allow(caller, ACTION, outcome, now, About(visit.person_id, encounter_id=encounter_id))
        if outcome != "approved":
            return outcome, None
        given = self.consents.of_doctor(request.owner, request.doctor_id, request.asked_at)
        return outcome, next((one for one in given if one.consent_id == request_id), None)
