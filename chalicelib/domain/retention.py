"""How long a study must be kept: pure rules over what is known of the exam and of the person.

The rules are those for records that institutions keep, 医疗机构病历管理规定（2013年版）, Art. 29:

- outpatient and emergency records: no less than 15 years from the patient's last visit;
- inpatient records: no less than 30 years from the patient's last discharge.

Images are part of the record (Art. 2). A period of years begins on the day after, and its last day is the day of the
same date, or the month's last day where that month has no such date (Civil Code Art. 201, 202): 29 February + 15 years
is 28 February. Nothing may be destroyed before that day is over. Days are days in the province.

The clauses set a floor, so wherever something is unknown the longer period counts, and of several the longest.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final, Literal

from chalicelib.domain.study import StudyRef

PROVINCE: Final = timezone(timedelta(hours=8))
OUTPATIENT_YEARS, INPATIENT_YEARS = 15, 30
# An emergency exam belongs to the stay that follows it when the patient was admitted so soon after. An assumption: no
# clause draws the line, and the longer period is the safe side of it.
ADMITTED_WITHIN: Final = timedelta(days=3)

Rule = Literal["outpatient", "inpatient", "unknown"]
CLAUSES: Final[Mapping[Rule, str]] = {
    "outpatient": "医疗机构病历管理规定(2013) Art. 29: outpatient and emergency, 15 years from the last visit",
    "inpatient": "医疗机构病历管理规定(2013) Art. 29: inpatient, 30 years from the last discharge",
    "unknown": "医疗机构病历管理规定(2013) Art. 29: class unknown, so 30 years",
}


@dataclass(frozen=True, slots=True, order=True)
class Visit:
    """What a hospital told of one visit. A class that changed (an emergency that was admitted) leaves both."""

    hospital_id: str
    encounter_id: str
    patient_class: str
    status: Literal["open", "closed"]
    at: datetime


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """One exam. `classes`: what its notices say (outpatient, inpatient, emergency); none: nobody said. `exam_day` is
    the exam's end, else the study's date, else the day it was received."""

    ref: StudyRef
    classes: frozenset[str]
    exam_day: date


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """All that is known of the human behind a study, over all their identities and hospitals. `exams`: every study of
    theirs, for who was examined was there."""

    visits: frozenset[Visit] = frozenset()
    exams: frozenset[StudyFacts] = frozenset()


Waits = Literal["", "stay_open", "discharge_unknown"]


@dataclass(frozen=True, slots=True)
class Period:
    """`keep_through` is the last day on which the study must be kept, by `rule`. `waits`: the period has not begun, for
    the stay it counts from has no discharge yet; then no day ends it, whatever `keep_through` says."""

    keep_through: date
    rule: Rule
    waits: Waits = ""

    def is_over(self, now: datetime) -> bool:
        return not self.waits and local_day(now) > self.keep_through


def local_day(at: datetime) -> date:
    """The day in the province."""
    return at.astimezone(PROVINCE).date()


def years_after(start: date, years: int) -> date:
    """The last day of a period of years that runs from an event on `start` (Civil Code Art. 201, 202)."""
    year = start.year + years
    return date(year, start.month, min(start.day, calendar.monthrange(year, start.month)[1]))


def rule_of(study: StudyFacts, person: PersonFacts) -> Rule:
    """An emergency is an outpatient's (Art. 29: 门（急）诊), unless the patient was admitted right after."""
    if "inpatient" in study.classes:
        return "inpatient"
    if not study.classes:
        return "unknown"
    if "emergency" in study.classes and any(_admits(stay, study) for stay in stays(person.visits).values()):
        return "inpatient"
    return "outpatient"


def period(study: StudyFacts, person: PersonFacts) -> Period:
    """How long to keep a study. More visits or exams never shorten it, in whatever order they come.

    Every record of a person follows their last visit, an inpatient's also their last discharge: a former inpatient who
    comes back after twenty years keeps both records together.
    """
    rule = rule_of(study, person)
    last_visit = max(_visited(study, person))
    ends = [years_after(last_visit, OUTPATIENT_YEARS)]
    if rule != "outpatient":
        ends += [years_after(day, INPATIENT_YEARS) for day in (study.exam_day, *_discharged(person))]
    return Period(max(ends), rule, _waits(study, person, rule))


@dataclass(frozen=True, slots=True)
class Stay:
    """One admission, as its events tell it: from `begun` to `seen`, the day of the last event; `ended` when it did."""

    hospital_id: str
    begun: date
    seen: date
    ended: date | None


def stays(visits: Iterable[Visit]) -> Mapping[tuple[str, str], Stay]:
    """Inpatient stays by (hospital, encounter). A discharge before the last admission event is none: the patient came
    back under the same number."""
    told: dict[tuple[str, str], list[Visit]] = {}
    for visit in visits:
        told.setdefault((visit.hospital_id, visit.encounter_id), []).append(visit)
    return {
        key: _stay(events) for key, events in told.items() if any(one.patient_class == "inpatient" for one in events)
    }


def _stay(events: Collection[Visit]) -> Stay:
    inside = [one for one in events if one.patient_class == "inpatient"]
    opened = [one.at for one in events if one.status == "open"]
    closed = [one.at for one in inside if one.status == "closed"]
    ended = max(closed) if closed and max(closed) >= max(opened, default=max(closed)) else None
    days = [local_day(one.at) for one in events]
    hospital_id = next(iter(inside)).hospital_id
    return Stay(hospital_id, min(days), max(days), local_day(ended) if ended else None)


def _admits(stay: Stay, study: StudyFacts) -> bool:
    """Whether an emergency exam belongs to a stay: inside it, or shortly before. Further events only ever widen it."""
    is_here = stay.hospital_id == study.ref.hospital_id
    return is_here and stay.begun - ADMITTED_WITHIN <= study.exam_day <= stay.seen


def _visited(study: StudyFacts, person: PersonFacts) -> Iterator[date]:
    yield study.exam_day
    yield from (local_day(visit.at) for visit in person.visits)
    yield from (exam.exam_day for exam in person.exams)


def _discharged(person: PersonFacts) -> Iterator[date]:
    """Discharges, and inpatient exams: whoever was examined in a stay left it no earlier."""
    yield from (stay.ended for stay in stays(person.visits).values() if stay.ended)
    yield from (exam.exam_day for exam in person.exams if "inpatient" in exam.classes)


def _waits(study: StudyFacts, person: PersonFacts, rule: Rule) -> Waits:
    """Thirty years count from the *last* discharge: while there is none, they have not begun. An emergency waits with
    an open stay, to which it may yet turn out to belong."""
    known_stays = stays(person.visits).values()
    may_belong = rule != "outpatient" or "emergency" in study.classes
    if may_belong and any(stay.ended is None for stay in known_stays):
        return "stay_open"
    if rule != "inpatient":
        return ""
    left_after = any(stay.ended and stay.ended >= study.exam_day for stay in known_stays)
    return "" if left_after else "discharge_unknown"
