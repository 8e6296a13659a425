"""Which studies a caller may search among: what a doctor's live consents cover, a person's own, a ward's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import REMEMBERED, Denied, Doctor, closed_to, covers, deny_doctor
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.domain.timeline import order
from chalicelib.services.access_ports import Consents, DecisionFacts, Doctors, People, Timeline
from chalicelib.services.act_as import ActAs
from chalicelib.services.record_decision import About, RecordDecision

ACTION = "search_studies"
PAGE = 500  # summaries of one read


class ConsentPointers(Protocol):
    """Whose consents a doctor holds: found by the doctor, for a consent stands under its person."""

    def persons_of(self, doctor_id: str, now: datetime) -> Sequence[str]:
        """Persons with a consent that may still be live; whether it is, the consent says."""
        ...


@dataclass(frozen=True, slots=True)
class Covered:
    """One study that may be shown, and in whose audit it stands."""

    summary: Summary
    about: About


@dataclass(frozen=True, slots=True)
class ListCovered:
    """Newest first. Raises AccessDenied (doctor_inactive, session_ended, frozen, no_grant), AuditFailed."""

    act_as: ActAs
    doctors: Doctors
    people: People
    consents: Consents
    pointers: ConsentPointers
    facts: DecisionFacts
    timeline: Timeline
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime, ward: str = "") -> tuple[Covered, ...]:
        found = self._of_doctor(caller, now) if caller.role == "doctor" else self._of_person(caller, now, ward)
        return tuple(sorted(found, key=lambda one: order(one.summary), reverse=True))

    def tell(self, caller: Caller, shown: Sequence[Covered], now: datetime) -> None:
        """Put on record what a search showed: an event for each person; of nothing, that nothing was shown."""
        about = {one.about.person_id: one.about for one in shown}
        for one in about.values():
            self.record.allow(caller, ACTION, one.basis or "consent", now, one)
        if not about:
            self.record.note(caller, ACTION, "nothing_found", now)

    def _of_doctor(self, caller: Caller, now: datetime) -> Iterator[Covered]:
        doctor = self.doctors.get(caller.subject)
        if denied := deny_doctor(caller, doctor):
            self.record.deny(caller, ACTION, denied, now)
        for person_id in self.pointers.persons_of(caller.subject, now):
            yield from self._consented(caller, doctor, person_id, now)

    def _consented(self, caller: Caller, doctor: Doctor | None, person_id: str, now: datetime) -> Iterator[Covered]:
        person = self.people.person(person_id)
        held = self.consents.of_doctor(person_id, caller.subject, now - REMEMBERED)
        mine = [one for one in held if one.is_live(now) and one.hospital_id == caller.hospital_id]
        live = [one for one in mine if not closed_to(one, person, doctor)]
        refs: set[StudyRef] = set().union(*(one.studies for one in live))
        links = {link.identity: link for link in self.people.links(person_id)} if refs else {}
        for summary in self.facts.summaries(sorted(refs)):
            link = links.get(IdentityKey(summary.issuer, summary.patient_id))
            under = next((one for one in live if link and covers(one, link, summary.ref)), None)
            if under and summary.state == "served":
                yield Covered(
                    summary,
                    About(
                        person_id,
                        encounter_id=under.encounter_id,
                        basis=under.basis,
                        consent_id=under.consent_id,
                        purpose=under.purpose,
                    ),
                )

    def _of_person(self, caller: Caller, now: datetime, ward: str) -> Iterator[Covered]:
        acting = self.act_as(caller, ACTION, now, ward)
        basis = "guardian" if acting.guardianship else "self"
        about = About(acting.person.person_id, basis=basis, guardian_id=acting.guardian_id)
        if acting.person.frozen_at is not None:
            self.record.deny(caller, ACTION, Denied("frozen", "frozen"), now, about)
        self.act_as.tell(acting, "guardian_read", now)
        for link in self.people.links(acting.person.person_id):
            if link.status == "confirmed":
                yield from (Covered(one, about) for one in self._all_of(link.identity) if one.state == "served")

    def _all_of(self, identity: IdentityKey) -> Iterator[Summary]:
        token = ""
        while True:
            page = self.timeline.timeline(identity.issuer, identity.local_id, token, PAGE)
            yield from page.items
            token = page.next_token
            if not token:
                return
