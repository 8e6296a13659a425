from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from chalicelib.domain.access import Caller
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.page import Page, opaque, place
from chalicelib.domain.study import Hospital, Summary
from chalicelib.domain.study_query import StudyQuery
from chalicelib.domain.timeline import LONGEST, order
from chalicelib.services.access_ports import People
from chalicelib.services.list_covered import Covered, ListCovered
from chalicelib.services.ports import Hospitals

Whose = Literal["all", "person", "identity"]
Belongs = Callable[[Covered], bool]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """A study in a list; `hospital` is None where it is not registered any more."""

    summary: Summary
    hospital: Hospital | None


@dataclass(frozen=True, slots=True)
class Search:
    """A query, where its list goes on (""; at the start), how many results a page may have, and a guardian's ward."""

    query: StudyQuery
    token: str = ""
    limit: int = 50
    ward: str = ""


@dataclass(frozen=True, slots=True)
class FindStudies:
    """Among what the caller may see, what fits a query, newest first.

    A patient's number selects the person it belongs to: all that is covered of them, whatever hospital it is of. Only
    where their own hospital's number is confirmed as that person's, though: else the studies under that number alone,
    for a wrong link must not show one patient's images as another's. The continuation token names the last study shown
    and never the patient: whose list it is follows from that study.
    """

    covered: ListCovered
    people: People
    hospitals: Hospitals

    def __call__(
        self, caller: Caller, search: Search, now: datetime, results_of: Callable[[FoundStudy], Sequence[Result]]
    ) -> Page[Result]:
        """What `results_of` makes of each study. A page has no more results than asked for, but for a single study that
        has more, and looks at no more studies than that; so it may be shorter while more follow. Raises ValueError for
        a token that is none of ours, and as `ListCovered`."""
        whose, before = _read(search.token)
        mine = self.covered(caller, now, search.ward)
        if search.token:
            belongs = _again(whose, before, mine)
        else:
            whose, belongs = self._asked(caller, search.query.patient)
        left = (one for one in mine if not before or order(one.summary) < before)
        fitting = [one for one in left if belongs(one) and search.query.fits(one.summary)]
        shown, results = self._cut(fitting, search.limit, results_of)
        self.covered.tell(caller, shown, now)
        more = len(shown) < len(fitting)
        return Page(tuple(results), opaque(whose[0] + order(shown[-1].summary)) if more else "")

    def _cut(
        self, fitting: Sequence[Covered], limit: int, results_of: Callable[[FoundStudy], Sequence[Result]]
    ) -> tuple[Sequence[Covered], Sequence[Result]]:
        results: list[Result] = []
        for number, one in enumerate(fitting[:limit]):
            hospital = self.hospitals.get(one.summary.ref.hospital_id)
            here = results_of(FoundStudy(one.summary, hospital))
            if number and len(results) + len(here) > limit:
                return fitting[:number], results
            results += here
        return fitting[:limit], results

    def _asked(self, caller: Caller, patient: IdentityKey | None) -> tuple[Whose, Belongs]:
        if patient is None:
            return "all", lambda _one: True
        link = self.people.link(patient) if patient.issuer == caller.hospital_id or not caller.hospital_id else None
        if link is not None and link.status == "confirmed":
            return "person", lambda one: one.about.person_id == link.person_id
        return "identity", lambda one: _identity(one) == patient


def _again(whose: Whose, last: str, mine: Sequence[Covered]) -> Belongs:
    """The list that the study at `last` was of. It may be covered no more; then nothing follows."""
    if whose == "all":
        return lambda _one: True
    found = next((one for one in mine if order(one.summary) == last), None)
    if found is None:
        return lambda _one: False
    if whose == "person":
        return lambda one: one.about.person_id == found.about.person_id
    return lambda one: _identity(one) == _identity(found)


def _identity(one: Covered) -> IdentityKey:
    return IdentityKey(one.summary.issuer, one.summary.patient_id)


_MARKS: dict[str, Whose] = {"a": "all", "p": "person", "i": "identity"}


def _read(token: str) -> tuple[Whose, str]:
    if not token:
        return "all", ""
    text = place(token, LONGEST)
    if text[:1] not in _MARKS or text.count("#") != 2:
        raise ValueError("not a continuation token")
    return _MARKS[text[0]], text[1:]
