from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.access_log import Access, Known, explain
from chalicelib.domain.consent import Consent
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.page import Page
from chalicelib.domain.study import Hospital, StudyRef, Summary
from chalicelib.services.access_ports import Consents, DecisionFacts, Doctors, People
from chalicelib.services.ports import Hospitals


@dataclass(frozen=True, slots=True)
class ExplainAccesses:
    """A page of one person's audit events with names, purposes and studies, for that person to read.

    A study is described only where its identity is confirmed as the person's now: an event keeps the person whom the
    study was linked to then, and a wrong link undone takes back what it told.
    """

    hospitals: Hospitals
    doctors: Doctors
    people: People
    consents: Consents
    facts: DecisionFacts

    def __call__(self, page: Page[AuditEvent]) -> Page[Access]:
        known = Known(
            self._hospitals(page.items), self._names(page.items), self._studies(page.items), self._given(page)
        )
        return Page(tuple(explain(event, known) for event in page.items), page.next_token)

    def _hospitals(self, events: Sequence[AuditEvent]) -> dict[str, Hospital]:
        ids = {event.hospital_id for event in events} | {event.study.hospital_id for event in events if event.study}
        return {known.hospital_id: known for one in sorted(ids - {""}) if (known := self.hospitals.get(one))}

    def _names(self, events: Sequence[AuditEvent]) -> dict[tuple[str, str], str]:
        doctors = {event.subject for event in events if event.role == "doctor"}
        guardians = {event.guardian_id for event in events if event.role == "guardian"} - {""}
        named = {("doctor", one): self.doctors.get(one) for one in sorted(doctors)}
        people = {("guardian", one): self.people.person(one) for one in sorted(guardians)}
        return {key: known.name for key, known in (*named.items(), *people.items()) if known}

    def _studies(self, events: Sequence[AuditEvent]) -> dict[StudyRef, Summary]:
        refs = sorted({event.study for event in events if event.study})
        if not refs:
            return {}
        links = self.people.links(events[0].person_id)
        own = {link.identity for link in links if link.status == "confirmed"}
        found = self.facts.summaries(refs)
        return {one.ref: one for one in found if IdentityKey(one.issuer, one.patient_id) in own}

    def _given(self, page: Page[AuditEvent]) -> dict[str, Consent]:
        if not any(event.consent_id for event in page.items):
            return {}
        return {one.consent_id: one for one in self.consents.of_person(page.items[0].person_id)}
