from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.consent import Consent
from chalicelib.domain.identity import Link, Person
from chalicelib.domain.in_app import InAppKind, InAppNotice
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import InAppNotices, People, Randomness
from chalicelib.services.ports import Hospitals, Mac, Sms


@dataclass(frozen=True, slots=True)
class TellOfAccess:
    """A patient hears of an access that they did not answer for: in the app before it counts, by SMS after it."""

    people: People
    notices: InAppNotices
    hospitals: Hospitals
    mac: Mac
    sms: Sms
    random: Randomness

    def in_app(self, consent: Consent, kind: InAppKind, now: datetime) -> None:
        notice_id = ulid(now, self.random(RANDOM_BYTES))
        by, person_id = (consent.hospital_id, consent.doctor_id), consent.person_id
        self.notices.tell(InAppNotice(notice_id, person_id, now, kind, *by, consent_id=consent.consent_id))

    def by_sms(self, phones: Iterable[str], template: str, hospital_id: str) -> None:
        """What cannot be sent is told to operators (`store.sms.UntoldSms`): care does not wait for a gateway."""
        hospital = self.hospitals.get(hospital_id)
        name = hospital.name if hospital else hospital_id
        for phone in sorted(set(phones) - {""}):
            self.sms.send(phone, template, {"hospital": name})

    def verified_phone(self, person: Person | None, now: datetime) -> str:
        """The number that answers for a person: not lapsed by age, and not another's since. "" for none."""
        if person is None or not person.has_phone(now):
            return ""
        holder = self.people.phone_holder(self.mac("phone", person.phone).hex())
        return person.phone if holder == person.person_id else ""


def told_phones(links: Iterable[Link]) -> set[str]:
    """The unverified numbers that hospitals gave for a person."""
    return {link.phone for link in links if link.status != "contested" and link.phone}
