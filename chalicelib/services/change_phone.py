"""The verified phone as its person sees and changes it. Desks change it in `register_patient`; notices never do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.identity import Person
from chalicelib.domain.phone import (
    masked_phone,
    normal_phone,
    opened_hospitals,
    opens_all,
    with_app_phone,
    without_new_phone,
)
from chalicelib.services.access_ports import People
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.ports import Mac
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended
from chalicelib.services.tell_person import TellOfPhone, TellPerson

CHANGE, VOID, READ = "change_phone", "void_phone", "read_phone"


class PhoneNotVouched(Exception):  # noqa: N818 - the fact is the name
    """The token's issuer does not vouch for this number: only the real-name app does, for the one it has checked."""


@dataclass(frozen=True, slots=True)
class OwnPhone:
    """What a person is told of their number. `hospitals`: those it opens while it does not open all."""

    phone: str
    verified_at: datetime | None
    opens_all: bool
    opens_at: datetime | None
    hospitals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadPhone:
    """Raises AccessDenied, AuditFailed."""

    own_account: OwnAccount
    people: People
    mac: Mac

    def __call__(self, caller: Caller, now: datetime) -> OwnPhone:
        person = self.own_account.to_read(caller, READ, now)
        if not person.has_phone(now) or not self._holds(person):
            return OwnPhone("", None, opens_all=False, opens_at=None, hospitals=())
        every = opens_all(person, now)
        hospitals = () if every else opened_hospitals(person, self.people.links(person.person_id))
        opens_at = None if every else person.phone_opens_at
        return OwnPhone(masked_phone(person.phone), person.phone_verified_at, every, opens_at, hospitals)

    def _holds(self, person: Person) -> bool:
        return self.people.phone_holder(self.mac("phone", person.phone).hex()) == person.person_id


@dataclass(frozen=True, slots=True)
class ChangePhone:
    """The real-name app sets the number that its token vouches for. Raises PhoneNotVouched (audited), AccessDenied
    (frozen: then only a desk), AuditFailed, Contended."""

    own_account: OwnAccount
    people: People
    mac: Mac
    tell_person: TellPerson
    tell_of_phone: TellOfPhone
    record: RecordDecision

    def __call__(self, caller: Caller, phone: str, now: datetime) -> Person:
        number = normal_phone(phone)
        for _ in range(ATTEMPTS):
            person = self.own_account(caller, CHANGE, now)
            about = About(person.person_id)
            if person.frozen_at is not None:
                self.record.deny(caller, CHANGE, Denied("frozen", "frozen"), now, about)
            if not number or number != normal_phone(caller.phone):
                self.record.note(caller, CHANGE, "phone_not_vouched", now, about)
                raise PhoneNotVouched
            key = self.mac("phone", number).hex()
            holder = self.people.phone_holder(key)
            change = with_app_phone(person, number, now)
            self.record.allow(caller, CHANGE, "app", now, about)
            if self.people.save_person(change.person, key):
                self.tell_person(person.person_id, "phone_by_app", caller, now)
                if change.to_tell:
                    self.tell_of_phone(change, caller, now)
                if holder not in ("", person.person_id):
                    self.tell_person(holder, "phone_lapsed", caller, now)
                return change.person
        raise Contended


@dataclass(frozen=True, slots=True)
class VoidPhone:
    """A person says that the number is not theirs: codes sent to it count no more, and the one that opened everything
    before it is back, if any. Raises AccessDenied, AuditFailed, Contended."""

    own_account: OwnAccount
    people: People
    tell_person: TellPerson
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime) -> Person:
        for _ in range(ATTEMPTS):
            person = self.own_account(caller, VOID, now)
            if not person.phone:
                return person
            voided = without_new_phone(person, now)
            self.record.allow(caller, VOID, "person", now, About(person.person_id))
            if self.people.save_person(voided):
                self.tell_person(person.person_id, "phone_voided", caller, now)
                return voided
        raise Contended
