from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import chain
from typing import TypeVar

from chalicelib.domain.access_log import Access
from chalicelib.domain.consent import Consent
from chalicelib.domain.hand_over import HandOver
from chalicelib.domain.identity import IdentityKey, Person
from chalicelib.domain.in_app import InAppNotice
from chalicelib.domain.page import Page
from chalicelib.domain.phone import opened_hospitals, opens_all
from chalicelib.domain.record import OwnNumber, Record
from chalicelib.domain.review import EXCEPTIONAL, Review
from chalicelib.domain.study import Summary
from chalicelib.services.access_ports import (
    Consents,
    Encounters,
    Guardians,
    HiddenStudies,
    InAppNotices,
    People,
    Timeline,
)
from chalicelib.services.exception_ports import HandOvers, Reviews
from chalicelib.services.explain_accesses import ExplainAccesses
from chalicelib.services.gather_exams import GatherExams
from chalicelib.services.ports import Audit, Hospitals

_PAGE = 200
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class GatherRecord:
    """All that is held about one person, for that person: nothing of anyone else but who did what to their record."""

    people: People
    timeline: Timeline
    hidden: HiddenStudies
    consents: Consents
    guardians: Guardians
    notices: InAppNotices
    audit: Audit
    explain: ExplainAccesses
    hospitals: Hospitals
    reviews: Reviews
    encounters: Encounters
    exams: GatherExams
    papers: HandOvers

    def __call__(self, person: Person, now: datetime) -> Record:
        links = tuple(sorted(self.people.links(person.person_id), key=lambda link: link.identity))
        consents = self.consents.of_person(person.person_id)
        own = [link.identity for link in links if link.status == "confirmed"]
        studies = {identity: tuple(self._studies(identity)) for identity in own}
        return Record(
            person=person,
            number=OwnNumber(person.has_phone(now), opens_all(person, now), opened_hospitals(person, links)),
            links=links,
            former_links=self.people.former_links(person.person_id),
            visits=tuple(visit for identity in own for visit in self.encounters.visits_of(identity)),
            exams=tuple(self.exams(identity, studies[identity]) for identity in own),
            studies=tuple(chain.from_iterable(studies.values())),
            hidden=self.hidden.of_person(person.person_id),
            consents=consents,
            requests=tuple(one for one in self.consents.requests(person.person_id) if one.listed),
            accesses=tuple(self._accesses(person.person_id)),
            guardians=self.guardians.of_ward(person.person_id),
            wards=self.guardians.of_guardian(person.person_id),
            notices=tuple(self._notices(person.person_id)),
            reviews=tuple(self._reviews(consents)),
            hand_overs=tuple(self._papers(consents)),
            hospitals={hospital.hospital_id: hospital for hospital in self.hospitals.list()},
        )

    def _studies(self, identity: IdentityKey) -> Iterator[Summary]:
        """A conflicted study may hold somebody else's images, so it is left out as everywhere."""
        found = _all(lambda token: self.timeline.timeline(identity.issuer, identity.local_id, token, _PAGE))
        return (summary for summary in found if summary.state != "conflicted")

    def _accesses(self, person_id: str) -> Iterator[Access]:
        """All of it, newest first, what is routine too."""
        kinds = (self._of_kind(person_id, routine=routine) for routine in (False, True))
        return merge(*kinds, key=lambda access: access.event.event_id, reverse=True)

    def _of_kind(self, person_id: str, *, routine: bool) -> Iterator[Access]:
        return _all(lambda token: self.explain(self.audit.of_person(person_id, token, _PAGE, routine=routine)))

    def _reviews(self, consents: Sequence[Consent]) -> Iterator[Review]:
        """Of what was done without the person's own answer: a review has the id of its consent."""
        found = (self.reviews.get(one.hospital_id, one.consent_id) for one in consents if one.basis in EXCEPTIONAL)
        return (review for review in found if review is not None)

    def _papers(self, consents: Sequence[Consent]) -> Iterator[HandOver]:
        """They are kept for three years, so of an older consent there is none."""
        found = (self.papers.get(one.hospital_id, one.consent_id) for one in consents if one.basis == "assisted")
        return (paper for paper in found if paper is not None)

    def _notices(self, person_id: str) -> Iterator[InAppNotice]:
        return _all(lambda token: self.notices.of_person(person_id, token, _PAGE))


def _all(read: Callable[[str], Page[Item]]) -> Iterator[Item]:
    token = ""
    while True:
        page = read(token)
        yield from page.items
        token = page.next_token
        if not token:
            return
