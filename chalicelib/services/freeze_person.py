"""The "not me" button, and the desk visit that undoes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from chalicelib.domain.access import Caller
from chalicelib.domain.identity import Person, person_of
from chalicelib.domain.linking import RegistrationRefused
from chalicelib.domain.names import names_conflict
from chalicelib.domain.national_id import BadNationalId, read_national_id
from chalicelib.domain.phone import PHONE_RULES, without_new_phone
from chalicelib.services.access_ports import Consents, People
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.ports import Mac
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended
from chalicelib.services.tell_person import TellPerson

FREEZE, UNFREEZE = "freeze", "unfreeze"


@dataclass(frozen=True, slots=True)
class FreezePerson:
    """Nobody reads any more, the person's own app included, nobody asks, and a number that only a desk set is void.

    What a person may still do: see who looked and what they allowed, take back, contest. Freezing twice changes
    nothing. Raises AccessDenied, AuditFailed, Contended.
    """

    own_account: OwnAccount
    people: People
    tell_person: TellPerson
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime) -> Person:
        for _ in range(ATTEMPTS):
            person = self.own_account(caller, FREEZE, now)
            if person.frozen_at is not None:
                self.record.allow(caller, FREEZE, "again", now, About(person.person_id))
                return person
            frozen = replace(_doubted(person, now), frozen_at=now)
            self.record.allow(caller, FREEZE, "person", now, About(person.person_id))
            if self.people.save_person(frozen):
                self.tell_person(person.person_id, "frozen", caller, now)
                return frozen
        raise Contended


@dataclass(frozen=True, slots=True)
class UnfreezePerson:
    """A desk with a card reader has the person before it. What was allowed before "not me" does not come back: whoever
    held the phone may have allowed it. Raises RegistrationRefused (national_id_…, name_differs,
    not_frozen; audited), AuditFailed, Contended. The national id is hashed and forgotten."""

    people: People
    consents: Consents
    mac: Mac
    tell_person: TellPerson
    record: RecordDecision

    def __call__(self, caller: Caller, national_id: str, name: str, now: datetime) -> Person:
        for _ in range(ATTEMPTS):
            person = self._frozen(caller, national_id, name, now)
            open_again = replace(person, frozen_at=None)
            self.record.allow(caller, UNFREEZE, "desk", now, About(person.person_id))
            self._take_back(person, now)
            if self.people.save_person(open_again):
                self.tell_person(person.person_id, "unfrozen", caller, now)
                return open_again
        raise Contended

    def _frozen(self, caller: Caller, national_id: str, name: str, now: datetime) -> Person:
        try:
            number = read_national_id(national_id, now).number
        except BadNationalId as bad:
            self._refuse(caller, f"national_id_{bad.reason}", now, About())
        about = About(person_of(self.mac("national_id", number)))
        person = self.people.person(about.person_id)
        if person is None or person.frozen_at is None:
            self._refuse(caller, "not_frozen", now, about)
        if person.name and names_conflict(person.name, name):
            self._refuse(caller, "name_differs", now, about)
        return person

    def _take_back(self, person: Person, now: datetime) -> None:
        """While nothing opens yet: a crash in between leaves the record closed. An emergency nobody allowed goes on."""
        for consent in self.consents.of_person(person.person_id):
            if consent.basis != "break_glass" and consent.is_live(now):
                self.consents.revoke(consent, now)

    def _refuse(self, caller: Caller, reason: str, now: datetime, about: About) -> NoReturn:
        self.record.note(caller, UNFREEZE, reason, now, about)
        raise RegistrationRefused(reason) from None


def _doubted(person: Person, now: datetime) -> Person:
    """Whoever says "not me" doubts a number that a desk set against or without another, even after its wait."""
    set_by_desk = bool(person.phone) and not PHONE_RULES[person.phone_rule].opens_all
    return without_new_phone(person, now) if set_by_desk else person
