from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.code import PHONE_NOTICES, counter
from chalicelib.domain.in_app import InAppKind, InAppNotice
from chalicelib.domain.phone import PhoneChange
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Counters, InAppNotices, Randomness
from chalicelib.services.faults import note
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
    """Everybody who could object to a new number hears of it by SMS: every other number that the person or their
    hospitals ever gave. A clerk who tries one number after the other sends few SMS a day. `sms` raises when a message
    is not sent: here nobody learns from it that there is a phone."""

    counters: Counters
    hospitals: Hospitals
    sms: Sms

    def __call__(self, change: PhoneChange, caller: Caller, now: datetime) -> bool:
        """Whether a number was reached that this desk had no hand in."""
        if self.counters.take(counter(PHONE_NOTICES, change.person.person_id, now)) is None:
            return False
        hospital = self.hospitals.get(caller.hospital_id) if caller.hospital_id else None
        name = hospital.name if hospital else caller.hospital_id or "健康应用"
        reached = {phone for phone in change.to_tell if self._send(phone, name)}
        return bool(reached & set(change.witnesses))

    def _send(self, phone: str, hospital: str) -> bool:
        try:
            self.sms.send(phone, "phone_change", {"hospital": hospital})
        except Exception as fault:  # noqa: BLE001 - whatever failed: this number was not told, the others may be
            note(fault)
            return False
        return True
