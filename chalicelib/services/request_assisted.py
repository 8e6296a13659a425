from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn

from chalicelib.domain.access import Caller
from chalicelib.domain.assisted import ASSISTED_LIFE, WRONG_CARDS, AssistedReason, AssistedRequest
from chalicelib.domain.code import counter
from chalicelib.domain.consent import Denied
from chalicelib.domain.guardian import needs_guardian
from chalicelib.domain.identity import Link, person_of
from chalicelib.domain.national_id import BadNationalId, read_national_id
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Counters, People, Randomness
from chalicelib.services.exception_ports import AssistedRequests
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.ports import Mac
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.tell_of_access import TellOfAccess

ACTION = "request_assisted"


@dataclass(frozen=True, slots=True)
class CardRead:
    """What the doctor's reader, or the QR on the card, gave for the patient of a visit."""

    encounter_id: str
    national_id: str = field(repr=False)
    reason: AssistedReason


@dataclass(frozen=True, slots=True)
class RequestAssisted:
    """A doctor reads the card of a patient whom no phone can reach; a witness has to confirm (`ConfirmAssisted`).

    The number is hashed and forgotten, only that it was the patient's stays. Each card is counted before it is looked
    at, and only the patient's own gets its count back. Raises AccessDenied (doctor_inactive, session_ended,
    no_encounter, card_refused, identity_unlinked, phone_exists, frozen, guardian_needed) or AuditFailed.
    """

    find_visit: FindVisit
    people: People
    counters: Counters
    assisted: AssistedRequests
    tell: TellOfAccess
    mac: Mac
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, read: CardRead, now: datetime) -> AssistedRequest:
        visit = self.find_visit(caller, read.encounter_id, now)
        if isinstance(visit, Denied):
            self.record.deny(caller, ACTION, visit, now, About(encounter_id=read.encounter_id))
        link = self._match(caller, visit, read, now)
        denied = self._closed(link, now)
        if denied:
            self.record.deny(caller, ACTION, denied, now, _about(visit))
        request = AssistedRequest(
            request_id=ulid(now, self.random(RANDOM_BYTES)),
            hospital_id=caller.hospital_id,
            encounter_id=read.encounter_id,
            doctor_id=caller.subject,
            person_id=link.person_id,
            identity=link.identity,
            reason=read.reason,
            asked_at=now,
            expires_at=now + ASSISTED_LIFE,
        )
        self.record.allow(caller, ACTION, read.reason, now, _about(visit))
        self.assisted.ask(request)
        return request

    def _match(self, caller: Caller, visit: Visit, read: CardRead, now: datetime) -> Link:
        """The visit's link, if the card is that person's. Whose card it was else is told to nobody, kept nowhere."""
        link = visit.link
        if link is None or link.status != "confirmed" or not link.by_national_id:
            self._refuse(caller, visit, Denied("identity_unlinked", "identity_unlinked"), now)
        cards = counter(WRONG_CARDS, caller.subject, now)
        if self.counters.take(cards) is None:
            self._refuse(caller, visit, Denied("card_refused", "card_limit"), now)
        try:
            number = read_national_id(read.national_id, now).number
        except BadNationalId:
            self._refuse(caller, visit, Denied("card_refused", "card_unreadable"), now)
        if person_of(self.mac("national_id", number)) != link.person_id:
            self._refuse(caller, visit, Denied("card_refused", "card_differs"), now)
        self.counters.give_back(cards)
        return link

    def _closed(self, link: Link, now: datetime) -> Denied | None:
        return assisted_denied(self.people, self.tell, link, now)

    def _refuse(self, caller: Caller, visit: Visit, denied: Denied, now: datetime) -> NoReturn:
        self.record.deny(caller, ACTION, denied, now, _about(visit))


def assisted_denied(people: People, tell: TellOfAccess, link: Link, now: datetime) -> Denied | None:
    """What of a person forbids it, when a doctor asks and again when the witness confirms."""
    person = people.person(link.person_id)
    if person is not None and person.frozen_at is not None:
        return Denied("frozen", "frozen")
    if needs_guardian(person.birth_date if person and person.birth_date else link.birth_date, now):
        return Denied("guardian_needed", "guardian_needed")
    if tell.verified_phone(person, now):
        return Denied("phone_exists", "phone_exists")
    return None


def _about(visit: Visit) -> About:
    visit_id = visit.encounter.encounter_id
    return About(visit.person_id, encounter_id=visit_id, basis="assisted", purpose="treatment")
