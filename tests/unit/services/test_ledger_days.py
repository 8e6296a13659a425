"""Days that are over: shares, silence, and what changes afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.hospital_day import DEFAULT_ZONE, DayMark, over_at, usual, weekdays_before
from chalicelib.domain.study import Hospital
from tests.support.fakes_settle import FakeHospitals
from tests.support.interleave import Crash, crash_at
from tests.support.ledger_world import GRACE, HOUR, MINUTE, NOON, World, notice, study

DAY = "2026-11-20"  # a Friday
OVER = NOON + 24 * HOUR  # 12:00 in China, the day after
WEEK = timedelta(days=7)


class Hospitals(FakeHospitals):
    def list(self):
        return tuple(self.known.values())


def world_of(**hospital):
    return World(hospitals=Hospitals(Hospital("H1", "江北医院", **hospital)))


def tell(world, number, *, on_time, at=NOON):
    name = {"accession_number": f"{at:%m%d}-{number}"}
    world.tell(notice(at=at, declared_instances=1, **name))
    if on_time:
        world.tell(study(at + HOUR, study_instance_uid=f"1.{at:%m%d}.{number}", **name))


def open_day(world, at=NOON - 10 * HOUR):
    world.sweep(at)


def learnt(world, count, weeks=4, day=DAY):
    for before in weekdays_before(day)[:weeks]:
        world.days.held["H1", before] = DayMark("H1", before, watched=True, closed=True, exams=count, revision=1)


def test_a_day_is_over_when_its_last_exam_is_due():
    assert over_at(DAY, DEFAULT_ZONE) == OVER


def test_a_share_is_judged_only_once_the_day_is_over():
    world = world_of()
    open_day(world)
    for number in range(25):
        tell(world, number, on_time=number >= 5)
    world.sweep(NOON + 12 * HOUR + GRACE)
    assert world.flag().figures == {"missing": 5}
    assert world.flag(rule="low_rate") is None
    world.sweep(OVER + GRACE - MINUTE)
    assert world.flag(rule="low_rate") is None
    world.sweep(OVER + GRACE)
    assert world.flag(rule="low_rate").figures == {"due": 25, "on_time": 20, "percent": 80}


def test_a_day_that_was_over_is_looked_at_again_when_anything_of_it_changes():
    world = world_of()
    open_day(world)
    for number in range(25):
        tell(world, number, on_time=number >= 3)
    world.sweep(OVER + GRACE)
    assert world.flag(rule="low_rate").state == "raised"
    for number in range(30, 40):
        tell(world, number, on_time=True)  # told late: 32 of 35
    assert world.sweep(OVER + 2 * HOUR).days == 1
    assert world.flag(rule="low_rate").state == "withdrawn"
    assert world.sweep(OVER + 3 * HOUR).days == 0


def test_a_day_nobody_opened_is_judged_for_shares_and_not_for_silence():
    world = world_of()
    for number in range(20):
        tell(world, number, on_time=False, at=NOON - 30 * WEEK)
    world.sweep(NOON)
    day = (NOON - 30 * WEEK).date().isoformat()
    assert world.flag(day, rule="low_rate").figures == {"due": 20, "on_time": 0, "percent": 0}
    assert world.flag(day, rule="silent") is None


@pytest.mark.parametrize(("exams", "silent"), [(0, True), (5, True), (6, False)])
def test_a_hospital_is_silent_against_its_own_weekday(exams, silent):
    world = world_of()
    learnt(world, 30)
    open_day(world)
    for number in range(exams):
        tell(world, number, on_time=True)
    world.sweep(OVER + GRACE)
    flag = world.flag(rule="silent")
    assert (flag.figures if flag else None) == ({"exams": exams, "usual": 30} if silent else None)
    assert [body["rule"] for _, body in world.topic.messages] == ["silent"] * silent


def test_a_hospital_that_is_new_is_silent_against_what_it_registered():
    world = world_of(weekday_volume=(50, 50, 50, 50, 12, 0, 0))  # twelve on a Friday
    open_day(world)
    world.sweep(OVER + GRACE)
    world.sweep(OVER + 24 * HOUR + GRACE)
    assert world.flag(rule="silent").figures == {"exams": 0, "usual": 12}
    assert world.flag("2026-11-21", rule="silent") is None


def test_silence_that_was_only_a_late_notice_is_withdrawn():
    world = world_of()
    learnt(world, 30)
    open_day(world)
    world.sweep(OVER + GRACE)
    assert world.flag(rule="silent").state == "raised"
    for number in range(9):
        tell(world, number, on_time=True)
    world.sweep(OVER + 2 * HOUR)
    assert world.flag(rule="silent").state == "withdrawn"


def test_an_outage_excuses_silence_also_when_it_is_accepted_afterwards():
    world = world_of()
    learnt(world, 30)
    open_day(world)
    world.sweep(OVER + GRACE)
    world.excuse(NOON, NOON + HOUR)
    world.sweep(OVER + 2 * HOUR)
    assert world.flag(rule="silent").state == "withdrawn"
    assert not world.days.get("H1", DAY).teaches


def test_an_outage_is_seen_though_the_horizon_went_back_before_the_day_was_over():
    world = world_of()
    learnt(world, 30)
    open_day(world)
    world.sweep(OVER + GRACE)
    world.excuse(NOON, NOON + HOUR)
    world.flagging()("H1", DAY, OVER + 2 * HOUR, NOON)  # our queues fell behind, and an exam of that day was judged
    world.sweep(OVER + 3 * HOUR)
    assert world.flag(rule="silent").state == "withdrawn"


def test_a_hospital_that_takes_no_part_any_more_is_not_silent():
    world = world_of()
    learnt(world, 30)
    open_day(world)
    world.hospitals.known["H1"] = replace(world.hospitals.known["H1"], active=False)
    world.sweep(OVER + GRACE)
    assert world.flag(rule="silent") is None
    assert world.sweep(OVER + 24 * HOUR).days == 0


def test_on_new_years_day_of_a_year_that_was_not_announced_nobody_is_silent():
    for day, flagged in (("2026-12-22", True), ("2027-01-01", False), ("2027-02-09", False), ("2027-03-09", True)):
        world = world_of(weekday_volume=(30,) * 7)
        world.days.put(DayMark("H1", day, over := over_at(day, DEFAULT_ZONE), watched=True))
        world.sweep(over + GRACE)
        assert (world.flag(day, rule="silent") is not None) == flagged, day


def test_nobody_is_silent_on_a_holiday():
    mark = DayMark("H1", "2026-10-01", watched=True, exams=3, usual=30)
    assert (mark.expected, mark.teaches) == (None, False)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], 40),
        ([7, 8, 9], 40),
        ([7, 8, 9, 100], 8),
        ([1, 2, 3, 4, 5, 6, 900, 900, 900], 3),
    ],  # two of them on holidays, and nine weeks ago is too long
)
def test_what_is_usual_is_the_median_of_the_last_weekdays_or_else_what_was_registered(counts, expected):
    days = [date.fromisoformat(DAY) - WEEK * (number + 1) for number in range(len(counts))]
    marks = [DayMark("H1", day.isoformat(), watched=True, exams=n) for day, n in zip(days, counts, strict=True)]
    beside = [DayMark("H1", "2026-11-19", watched=True, exams=1000), DayMark("H1", "2026-11-13", exams=1000)]
    assert usual(DAY, marks + [mark for mark in beside if mark.day not in {m.day for m in marks}], 40) == expected


def test_days_are_opened_once_for_every_hospital_and_caught_up_with():
    known = [Hospital(f"H{n}", "医院", active=n != 3) for n in range(5)]
    world = World(hospitals=Hospitals(*known))
    world.sweep(NOON)
    assert sorted(world.days.held) == [(f"H{n}", DAY) for n in (0, 1, 2, 4)]
    revisions = [mark.revision for mark in world.days.held.values()]
    world.sweep(NOON + HOUR)
    assert [mark.revision for mark in world.days.held.values()] == revisions
    world.sweep(NOON + timedelta(days=3))
    assert {day for _, day in world.days.held} == {"2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"}
    world.sweep(NOON + timedelta(days=40))
    assert len({day for _, day in world.days.held}) == 4 + 8


def test_a_day_that_was_over_before_it_was_opened_is_judged_for_silence_too():
    world = world_of(weekday_volume=(30,) * 7)
    world.sweep(NOON - 24 * HOUR)
    tell(world, 1, on_time=False)
    world.flagging()("H1", DAY, OVER + GRACE, OVER)  # what a miss does where no sweep has opened the day
    assert (world.days.get("H1", DAY).closed, world.days.get("H1", DAY).watched) == (True, False)
    world.sweep(OVER + HOUR)
    assert world.flag(rule="silent").figures == {"exams": 1, "usual": 30}


def test_opening_that_is_cut_short_is_finished_by_the_next_run():
    world = World(hospitals=Hospitals(*(Hospital(f"H{n}", "医院") for n in range(5))))
    answers = iter([True, True])
    assert world.sweep(NOON, keep_going=lambda: next(answers, False)).more
    assert not world.sweep(NOON + HOUR).more
    assert len(world.days.held) == 5


def test_what_days_cost_follows_the_hospitals_and_not_their_exams():
    spent = []
    for size in (2, 20):
        world = world_of()
        open_day(world)
        for number in range(size):
            tell(world, number, on_time=True)
        world.sweep(NOON + 13 * HOUR)
        world.ledger.reads.clear()
        assert world.sweep(OVER + GRACE).days == 1
        spent.append(world.ledger.reads["calls"])
    assert spent[0] == spent[1]


def story(world, gate=lambda port: port):
    """A day with an opening, misses, its end, and what is told afterwards; each step as its trigger calls it."""
    yield lambda: world.sweep(NOON - 10 * HOUR, gate)
    for number in range(22):
        yield lambda number=number: world.tell(named(number), gate=gate)
    yield lambda: world.sweep(OVER + GRACE, gate)
    for number in range(10):
        yield lambda number=number: world.tell(images(number), gate=gate)
    yield lambda: world.sweep(OVER + 3 * HOUR, gate)


def named(number):
    return notice(declared_instances=1, accession_number=f"A{number}", notice_id=str(number))


def images(number):
    """On time, but settled long after."""
    return study(NOON + HOUR, accession_number=f"A{number}", study_instance_uid=f"1.{number}")


def ended(world):
    flags = {place: (flag.state, flag.figures) for place, flag in world.flags.held.items()}
    marks = {place: replace(mark, revision=0) for place, mark in world.days.held.items()}
    return world.ledger.standing(), flags, marks


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 900), st.booleans())
def test_a_crash_at_any_call_and_another_run_end_the_same(number, after):
    calm = world_of()
    for step in story(calm):
        step()
    world = world_of()
    gate = crash_at(number, after=after)
    for step in story(world, gate):
        try:
            step()
        except Crash:
            step()
    world.sweep(OVER + 4 * HOUR)
    calm.sweep(OVER + 4 * HOUR)
    assert ended(world) == ended(calm)
