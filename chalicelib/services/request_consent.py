from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller, Purpose
from chalicelib.domain.code import CODE_DIGITS, CODE_LIFE, SENDS, Code, Route, code_route, counter
from chalicelib.domain.consent import Denied, Request
from chalicelib.domain.identity import Person
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Consents, Counters, People, Randomness
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.ports import Mac, Sms
from chalicelib.services.record_decision import About, RecordDecision

ACTION = "request_consent"
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer to every request, whether anybody could be asked or not."""

    request_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RequestConsent:
    """A doctor asks the patient of an open visit: a code goes to the patient's phone.

    An unknown patient, one without a phone and one asked too often get the same answer, and a code that never matches.
    Raises AccessDenied (doctor_inactive, session_ended, no_encounter) or AuditFailed.
    """

    find_visit: FindVisit
    people: People
    consents: Consents
    counters: Counters
    mac: Mac
    sms: Sms
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, encounter_id: str, purpose: Purpose, now: datetime) -> Asked:
        visit = self.find_visit(caller, encounter_id)
        if isinstance(visit, Denied):
            self.record.deny(caller, ACTION, visit, now, About(encounter_id=encounter_id))
        route = self._route(visit, now)
        in_limit = self.counters.take(counter(SENDS, visit.owner, now, about=caller.subject)) is not None
        sent_to = route if in_limit else None
        request = self._request(caller, visit, sent_to, purpose, now)
        digits = f"{int.from_bytes(self.random(8)) % 10**CODE_DIGITS:0{CODE_DIGITS}}"
        self.consents.ask(request, self._code(request, digits, reachable=sent_to is not None))
        about = About(visit.person_id, encounter_id=encounter_id, basis="sms_code")
        if sent_to is None:
            self.record.note(caller, ACTION, "send_limit" if route else "no_phone", now, about)
        else:
            self.record.allow(caller, ACTION, f"sent_{sent_to.scope}", now, about)
            self.sms.send(sent_to.phone, "consent_code", {"code": digits})
        return Asked(request.request_id, request.expires_at)

    def _route(self, visit: Visit, now: datetime) -> Route | None:
        if visit.link is None:
            return None
        person = self.people.person(visit.link.person_id)
        holds_phone = person is not None and bool(person.phone) and self._holds_phone(person)
        return code_route(visit.link, person, holds_phone=holds_phone, now=now)

    def _holds_phone(self, person: Person) -> bool:
        """Whether the number was not verified for somebody else since."""
        return self.people.phone_holder(self.mac("phone", person.phone).hex()) == person.person_id

    def _request(self, caller: Caller, visit: Visit, route: Route | None, purpose: Purpose, now: datetime) -> Request:
        return Request(
            request_id=ulid(now, self.random(RANDOM_BYTES)),
            owner=visit.owner,
            doctor_id=caller.subject,
            hospital_id=caller.hospital_id,
            encounter_id=visit.encounter.encounter_id,
            identity=visit.encounter.identity,
            basis="sms_code",
            scope=route.scope if route else "identity",
            purpose=purpose,
            asked_at=now,
            expires_at=now + CODE_LIFE,
        )

    def _code(self, request: Request, digits: str, *, reachable: bool) -> Code:
        """The keyed hash of the code, or noise for a code that nobody was sent."""
        mac = self.mac("code", f"{request.request_id}:{digits}")
        return Code(request.request_id, mac if reachable else self.random(_MAC_BYTES), reachable, request.expires_at)
