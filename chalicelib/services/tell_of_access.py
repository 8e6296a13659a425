from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.consent import Consent
from chalicelib.domain.identity import Link, Person
from chalicelib.domain.in_app import InAppKind, InAppNotice
from chalicelib.domain.phone import opens_all
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Guardians, InAppNotices, People, Randomness
from chalicelib.services.ports import Hospitals, Mac, Sms

TOLD_TO_GUARDIANS = frozenset[InAppKind]({"break_glass", "assisted"})


@dataclass(frozen=True, slots=True)
class TellOfAccess:
    """A patient hears of an access that they did not answer for: in the app before it counts, by SMS after it. So do
    their guardians, for a child does not read it (PIPL Art. 18, 31)."""

    people: People
    guardians: Guardians
    notices: InAppNotices
    hospitals: Hospitals
    mac: Mac
    sms: Sms
    random: Randomness

    def in_app(self, consent: Consent, kind: InAppKind, now: datetime) -> None:
        self._tell(consent.person_id, consent, kind, now)
        if kind in TOLD_TO_GUARDIANS:
            for guardian in self._guardians(consent, now):
                self._tell(guardian.person_id, consent, "ward_accessed", now)

    def guardians_phones(self, consent: Consent, now: datetime) -> set[str]:
        """The verified phones of who acts for the patient."""
        return {self.verified_phone(guardian, now) for guardian in self._guardians(consent, now)} - {""}

    def _guardians(self, consent: Consent, now: datetime) -> list[Person]:
        held = [one for one in self.guardians.of_ward(consent.person_id) if one.is_live(now)]
        return [self.people.person(one.guardian_id) or Person(one.guardian_id) for one in held]

    def _tell(self, person_id: str, consent: Consent, kind: InAppKind, now: datetime) -> None:
        notice_id = ulid(now, self.random(RANDOM_BYTES))
        by = (consent.hospital_id, consent.doctor_id)
        self.notices.tell(InAppNotice(notice_id, person_id, now, kind, *by, consent_id=consent.consent_id))

    def by_sms(self, phones: Iterable[str], template: str, hospital_id: str) -> None:
        """What cannot be sent is told to operators (`store.sms.UntoldSms`): care does not wait for a gateway."""
        hospital = self.hospitals.get(hospital_id)
        name = hospital.name if hospital else hospital_id
        for phone in sorted(set(phones) - {""}):
            self.sms.send(phone, template, {"hospital": name})

    def phones_of(self, person: Person | None, now: datetime) -> set[str]:
        """The verified number; where a desk has just set it, also those it displaced and those that hospitals told:
        whoever set an own number beside a victim's id must not be the only one to hear of an access."""
        phones = {self.verified_phone(person, now)} - {""}
        if person is not None and person.phone and not opens_all(person, now):
            phones |= {person.former_phone} | told_phones(self.people.links(person.person_id))
        return phones - {""}

    def verified_phone(self, person: Person | None, now: datetime) -> str:
        """The number that answers for a person: not lapsed by age, and not another's since. "" for none."""
        if person is None or not person.has_phone(now):
            return ""
        holder = self.people.phone_holder(self.mac("phone", person.phone).hex())
        return person.phone if holder == person.person_id else ""


def told_phones(links: Iterable[Link]) -> set[str]:
    """The unverified numbers that hospitals gave for a person."""
    return {link.phone for link in links if link.status != "contested" and link.phone}
