"""Nothing is judged destroyable before the law lets it, whatever is known, stated and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.consent import Encounter
from chalicelib.domain.disposal import Hold, Stated
from chalicelib.domain.exam import ExamKey
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.study import StudyRef, Times
from chalicelib.services.judge_disposal import JudgeDisposal
from chalicelib.services.judge_retention import JudgeRetention
from tests.support.fakes_ledger import FakeLedger
from tests.support.fakes_people import FakePeople
from tests.support.fakes_settle import FakeHospitals
from tests.support.fakes_visits import FakeEncounters
from tests.support.ledger_world import notice, study
from tests.support.settle_samples import entry, exclude
from tests.support.settle_world import World

NUMBERS = {"H1": "P1", "H2": "Q1"}
YEARS = st.dates(date(1985, 1, 1), date(2015, 12, 31))


def noon(day):
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


class FakeHolds:
    def __init__(self):
        self.held = []

    def standing(self, hospital_id):
        return tuple(hold for hold in self.held if hold.hospital_id == hospital_id and hold.lifted_at is None)


@dataclass(frozen=True)
class Told:
    """One thing that somebody tells of the person: an exam (with its class, or ""), a visit, an end of a stay, its
    beginning (`open`), or what the hospital states."""

    what: str
    hospital: str
    day: date
    other: str = ""


class Facts:
    """One person at two hospitals, in memory."""

    def __init__(self, patient_class="outpatient"):
        self.world, self.people, self.visits = World(), FakePeople(), FakeEncounters()
        self.ledger, self.holds = FakeLedger(), FakeHolds()
        for hospital_id, patient_id in NUMBERS.items():
            link = Link(IdentityKey(hospital_id, patient_id), "PERSON", "confirmed", noon(date(2026, 1, 1)))
            self.people.save(LinkChange(link, person=None if self.people.persons else Person("PERSON")))
        self.hospitals = FakeHospitals()
        retention = JudgeRetention(self.world.studies, self.people, self.visits, self.ledger, self.hospitals)
        self.judge = JudgeDisposal(retention, self.world.studies, self.visits, self.holds, workers=1)
        self.examined(Told("exam", "H1", date(1990, 2, 3), patient_class), uid="1.2.9")

    def tell(self, told, number=0):
        match told.what:
            case "exam":
                self.examined(told, f"1.2.{number + 10}")
            case "stated":
                stated = Stated("1.2.9", told.day, told.day if told.other else None)
                self.judge.remember("H1", [stated])
            case _:
                self.visited(told)

    def examined(self, told, uid):
        ref, at = StudyRef(told.hospital, uid), noon(told.day)
        given = {"patient_id": NUMBERS[told.hospital], "accession_number": f"A{uid}"}
        self.world.receive(
            entry(1, ref=ref, times=Times(acquired_at=at, source="AcquisitionDateTime"), **given), ref=ref
        )
        summary = self.world.settle(ref=ref)
        key = ExamKey.of(told.hospital, f"A{uid}", uid)
        ended = {"exam_ended_at": at, "exam_end_source": "AcquisitionDateTime"}
        self.ledger.put_study(key, study(summary.last_received_at, study_instance_uid=uid, **given, **ended))
        if told.other:
            self.ledger.put_notice(key, notice(at=at, study_instance_uid=uid, patient_class=told.other, **given))

    def visited(self, told):
        identity = IdentityKey(told.hospital, NUMBERS[told.hospital])
        of = {"visit": "outpatient"}.get(told.what, "inpatient")
        visit = Encounter(
            told.hospital, told.other or "V1", identity, of, is_open=told.what == "open", at=noon(told.day)
        )
        self.visits.remember(visit)

    def verdict(self, now):
        (found,) = self.judge("H1", [Stated("1.2.9", date(1990, 2, 3))], now)
        return found


def after(day, years):
    """The first day after so many years, counted another way than the rules do: by the calendar's next day."""
    try:
        last = day.replace(year=day.year + years)
    except ValueError:
        last = date(day.year + years, 2, 28)
    return last + timedelta(days=1)


HOSPITALS = st.sampled_from(sorted(NUMBERS))
CLASSES = st.sampled_from(["outpatient", "inpatient", ""])
TOLD = st.one_of(
    st.builds(Told, st.just("exam"), HOSPITALS, YEARS, CLASSES),
    st.builds(Told, st.just("visit"), HOSPITALS, YEARS, st.sampled_from(["V1", "V2"])),
    st.builds(Told, st.sampled_from(["open", "left"]), HOSPITALS, YEARS, st.sampled_from(["S1", "S2"])),
    st.builds(Told, st.just("stated"), st.just("H1"), YEARS, st.sampled_from(["", "discharged"])),
)


# Near the day on which something told is over: which of them, its years, and days beside it.
EDGES = st.tuples(st.integers(0, 5), st.sampled_from([15, 30]), st.integers(-400, 30))


@settings(max_examples=150)
@given(st.lists(TOLD, max_size=5), EDGES, CLASSES, st.randoms())
def test_never_before_the_law_and_the_same_in_any_order(told, edge, patient_class, shuffler):
    facts, shuffled = Facts(patient_class), Facts(patient_class)
    numbered = list(enumerate(told))
    for number, one in numbered:
        facts.tell(one, number)
    shuffler.shuffle(numbered)
    for number, one in numbered:
        shuffled.tell(one, number)
    seen = [date(1990, 2, 3), *(one.day for one in told)]
    which, years, beside = edge
    day = after(seen[which % len(seen)], years) + timedelta(days=beside)
    now = noon(day)
    found = facts.verdict(now)
    assert found == shuffled.verdict(now)
    if found.why:
        return
    assert day >= after(max(seen), 15)
    if found.rule != "outpatient":
        left = [one.day for one in told if one.what == "left" or one.other == "discharged"]
        inside = [one.day for one in told if one.what == "exam" and one.other == "inpatient"]
        assert all(day >= after(one, 30) for one in [*left, *inside, found.exam_day])


def test_a_study_goes_on_the_first_day_after_and_not_before():
    facts = Facts()
    facts.tell(Told("visit", "H2", date(1996, 2, 29)))
    midnight = datetime(2011, 2, 28, 16, tzinfo=UTC)
    assert facts.verdict(midnight - timedelta(microseconds=1)).why == "not_over"
    assert facts.verdict(midnight).why == ""


def test_another_patients_image_keeps_a_study_even_when_it_is_excluded():
    facts, ref = Facts(), StudyRef("H1", "1.2.9")

    facts.world.receive(entry(2, "wrong", ref=ref, patient_id="P7"), ref=ref)
    facts.world.studies.amend(ref, exclude("wrong"))
    assert facts.world.settle(ref=ref).state == "served"
    assert facts.verdict(noon(date(2040, 1, 1))).why == "several_patients"


def test_a_hold_counts_before_anything_else_is_looked_at():
    facts = Facts()
    hold = Hold("01H", "H1", "", "P1", "诉讼", "o1", "privacy_officer", noon(date(2026, 1, 1)))
    facts.holds.held.append(hold)
    assert facts.verdict(noon(date(2040, 1, 1))).why == "held"
