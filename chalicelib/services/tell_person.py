from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.code import PHONE_NOTICES, counter
from chalicelib.domain.in_app import InAppKind, InAppNotice
from chalicelib.domain.phone import PhoneChange
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Counters, InAppNotices, Randomness
from chalicelib.services.ports import Hospitals, Sms


@dataclass(frozen=True, slots=True)
class TellPerson:
    """A line in a person's health app about what somebody did to their record."""

    notices: InAppNotices
    random: Randomness

    def __call__(self, person_id: str, kind: InAppKind, caller: Caller, now: datetime) -> None:
        notice_id = ulid(now, self.random(RANDOM_BYTES))
        self.notices.tell(InAppNotice(notice_id, person_id, now, kind, caller.hospital_id, caller.subject))


@dataclass(frozen=True, slots=True)
class TellOfPhone:
    """Everybody who could object to a new number hears of it: by SMS every other number that the person or their
    hospitals ever gave, and the person in the app. A clerk who tries a number after the other sends few SMS a day."""

    tell_person: TellPerson
    counters: Counters
    hospitals: Hospitals
    sms: Sms

    def __call__(self, change: PhoneChange, kind: InAppKind, caller: Caller, now: datetime) -> None:
        person_id = change.person.person_id
        self.tell_person(person_id, kind, caller, now)
        if not change.to_tell or self.counters.take(counter(PHONE_NOTICES, person_id, now)) is None:
            return
        hospital = self.hospitals.get(caller.hospital_id) if caller.hospital_id else None
        name = hospital.name if hospital else caller.hospital_id or "健康应用"
        for phone in change.to_tell:
            self.sms.send(phone, "phone_change", {"hospital": name})
