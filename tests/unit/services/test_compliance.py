from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.compliance import Figures, figures, total
from chalicelib.domain.exam import Excuse
from chalicelib.domain.outage import BadExcuse
from chalicelib.domain.study import Hospital
from chalicelib.services.list_exams import ListWorklist
from chalicelib.services.read_compliance import ReadCompliance, TooManyDays
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import AFTER, HOUR, MINUTE, NOON, World, notice, study

DAY = date(2026, 11, 20)


class Hospitals(FakeHospitals):
    def list(self):
        return tuple(self.known.values())


@pytest.fixture
def world():
    world = World(hospitals=Hospitals(Hospital("H2", "=湖滨医院"), Hospital("H1", "江北医院")))
    for number, minutes in enumerate((10, 20, 30, 40), start=1):
        name = {"accession_number": f"ok{number}"}
        world.tell(notice(declared_instances=1, **name))
        world.tell(study(NOON + minutes * MINUTE, study_instance_uid=f"1.{number}", **name))
    world.tell(notice(accession_number="late", declared_instances=1))
    world.tell(study(NOON + 13 * HOUR, accession_number="late", study_instance_uid="2.1"))
    world.tell(notice(accession_number="missing"))
    world.tell(notice(accession_number="part", declared_instances=9))
    world.tell(study(NOON, accession_number="part", study_instance_uid="2.2"))
    world.tell(notice("cancelled", accession_number="cancelled"))
    world.tell(notice("scheduled", accession_number="ordered"))
    world.tell(study(NOON, accession_number="old", study_instance_uid="2.3", exam_ended_at=NOON - timedelta(days=99)))
    world.sweep(AFTER)
    world.tell(notice(at=NOON + 11 * HOUR, accession_number="fresh"))
    world.tell(notice(at=NOON + HOUR, accession_number="H2-1"), hospital="H2")
    world.excuse(NOON + HOUR, NOON + 2 * HOUR, hospital="H2")
    world.sweep(AFTER + HOUR)
    return world


def read(world):
    return ReadCompliance(world.ledger, world.flags, world.hospitals)


def test_a_hospitals_day_in_figures_and_flags(world):
    (day,) = read(world)("H1", DAY, DAY)
    row = day.row()
    counts = {"due": 7, "on_time": 4, "late": 1, "partial": 1, "missing": 1}
    beside = {"excused": 0, "cancelled": 1, "scheduled": 1, "pending": 1, "imported": 1}
    delays = {"delay_p50_minutes": 30, "delay_p90_minutes": 780, "delay_p99_minutes": 780}
    assert (
        row
        == {"hospital_id": "H1", "name": "江北医院", "day": "2026-11-20", "rate": "0.5714"} | counts | beside | delays
    )
    (flag,) = day.answer()["flags"]
    assert flag["figures"] == {"late": 1, "missing": 1, "partial": 1}
    assert [exam["accession"] for exam in flag["exams"]] == ["late", "missing", "part"]


def test_an_excused_hospital_has_nothing_due(world):
    (day,) = read(world)("H2", DAY, DAY)
    assert (day.figures.excused, day.figures.due, day.row()["rate"], day.row()["delay_p50_minutes"]) == (1, 0, "", "")
    assert day.flags == ()


def test_days_without_exams_are_answered_too_and_too_many_are_refused(world):
    days = read(world)("H1", DAY - timedelta(days=1), DAY + timedelta(days=1))
    assert [(day.day, day.figures.due) for day in days] == [("2026-11-19", 0), ("2026-11-20", 7), ("2026-11-21", 0)]
    for first, last in ((DAY, DAY - timedelta(days=1)), (DAY, DAY + timedelta(days=400))):
        with pytest.raises(TooManyDays):
            read(world)("H1", first, last)
        with pytest.raises(TooManyDays):
            ListWorklist(world.ledger)("H1", first, last, "", 9)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("to", {"to_at": NOON}),
        ("to", {"to_at": NOON + timedelta(days=32)}),
        ("from", {"made_at": NOON - HOUR}),
        ("reason", {"reason": " "}),
        ("reason", {"reason": "x" * 501}),
    ],
)
def test_an_excuse_that_says_nothing_sensible_is_refused(field, changes):
    given = {"from_at": NOON, "to_at": NOON + HOUR, "reason": "停电", "made_by": "r", "made_at": NOON} | changes
    with pytest.raises(BadExcuse) as bad:
        World().tell(Excuse("H1", **given))
    assert bad.value.field == field


@given(st.lists(st.integers(0, 10_000), min_size=1), st.sampled_from([1, 50, 90, 99, 100]))
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(values, percent):
    found = Figures(delays=tuple(sorted(Counter(values).items()))).delay(percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_totals_take_percentiles_of_all_exams(world):
    one, other = figures(world.exams()), figures(world.exams(hospital="H2"))
    assert total([one, one, other]) == figures([*world.exams(), *world.exams(), *world.exams(hospital="H2")])
    assert total([]).delay(50) is None


def test_figures_are_read_as_written(world):
    found = figures(world.exams())
    assert Figures.from_json(found.to_json()) == found
