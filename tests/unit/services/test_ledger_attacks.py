"""What a ledger of days may be asked that nobody thinks of: borders of days, leap days, hospitals that come in the
middle of one or under another's id, rules that change, and what comes after judgement."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.domain.hospital_day import DEFAULT_ZONE, DayMark, over_at, usual, weekdays_before
from chalicelib.domain.rule import RULES
from chalicelib.domain.study import Hospital
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import AFTER, DUE, GRACE, HOUR, NOON, World, notice, study

DAY = "2026-11-20"


class Hospitals(FakeHospitals):
    def list(self):
        return tuple(self.known.values())


@pytest.mark.parametrize(
    ("ended", "day"),
    [
        ("2026-11-20T23:59:59.999999+08:00", "2026-11-20"),
        ("2026-11-21T00:00:00+08:00", "2026-11-21"),
        ("2028-02-28T16:00:00+00:00", "2028-02-29"),
        ("2028-02-29T15:59:59+00:00", "2028-02-29"),
        ("2028-02-29T16:00:00+00:00", "2028-03-01"),
        ("2026-12-31T16:00:00+00:00", "2027-01-01"),
    ],
)
def test_an_exam_counts_on_the_day_in_china_that_it_ended_on(ended, day):
    world, at = World(), datetime.fromisoformat(ended).astimezone(UTC)
    world.tell(notice(at=at))
    world.sweep(at + 12 * HOUR + GRACE)
    assert world.exam(day).standing == "missing"
    assert world.flag(day).figures == {"missing": 1}


def test_a_leap_day_is_over_at_noon_and_reported_with_its_month():
    world = World(hospitals=Hospitals(Hospital("H1", "江北医院")))
    at = datetime(2028, 2, 29, 4, tzinfo=UTC)
    world.tell(notice(at=at))
    over = over_at("2028-02-29", DEFAULT_ZONE)
    assert over == datetime(2028, 3, 1, 4, tzinfo=UTC)
    world.sweep(over + GRACE)
    assert world.report(date(2028, 2, 29), over + HOUR) == ("2028-02-29", "2028-W09", "2028-02")
    assert b'"missing": 1' in world.reports.get("compliance/2028-02/H1.json").replace(b'":1', b'": 1')


def test_a_hospital_that_registers_in_the_middle_of_a_day_is_not_silent_on_it_but_on_the_next():
    world = World(hospitals=Hospitals(Hospital("H1", "江北医院")))
    world.sweep(NOON)
    world.hospitals.put(Hospital("H2", "新院", weekday_volume=(100,) * 7))
    for hours in range(0, 80, 6):
        world.sweep(NOON + hours * HOUR)
    assert world.flag(DAY, "H2", "silent") is None
    assert world.flag("2026-11-21", "H2", "silent").figures == {"exams": 0, "usual": 100}


def test_who_comes_under_a_closed_hospitals_id_is_not_measured_by_what_was_usual_there():
    weeks = weekdays_before(DAY)
    former = [DayMark("H1", day, watched=True, exams=500) for day in weeks[2:]]
    assert usual(DAY, former, 12) == 12
    assert usual(DAY, [*former, DayMark("H1", weeks[0], watched=True, exams=11)], 12) == 12
    closed = [DayMark("H1", day, watched=False, exams=0) for day in weeks[:2]]
    assert usual(DAY, [*former, *closed], 12) == 12
    stayed = [DayMark("H1", day, watched=True, exams=500, excused=True) for day in weeks[:2]]
    assert usual(DAY, [*former, *stayed], 12) == 500


def test_a_limit_that_changes_in_the_middle_of_a_day_holds_from_the_next_look():
    world = World()
    world.tell(notice())
    world.sweep(AFTER)
    world.rules = tuple(replace(rule, limit=2) if rule.name == "missed_deadline" else rule for rule in RULES)
    assert world.flag().state == "raised"
    world.tell(study(DUE + HOUR, study_instance_uid="1.2.4"))
    world.sweep(AFTER + HOUR)
    assert world.flag().state == "withdrawn"


def test_a_flag_of_a_rule_that_is_no_more_is_withdrawn_at_the_next_look():
    world = World()
    world.tell(notice())
    world.sweep(AFTER)
    world.rules = tuple(rule for rule in RULES if rule.name != "missed_deadline")
    world.tell(study(DUE + HOUR, study_instance_uid="1.2.4"))
    world.sweep(AFTER + HOUR)
    assert world.flag().state == "withdrawn"


def test_an_exam_that_moves_to_another_day_after_both_were_judged_takes_its_flag_along():
    world = World(hospitals=Hospitals(Hospital("H1", "江北医院")))
    world.sweep(NOON)
    world.tell(notice())
    over = over_at("2026-11-21", DEFAULT_ZONE) + GRACE
    world.sweep(over)
    world.tell(notice(at=NOON + 20 * HOUR, sent_at=over))
    world.sweep(over + HOUR)
    assert [world.flag(day).state for day in (DAY, "2026-11-21")] == ["withdrawn", "raised"]
    found = world.figures.between("H1", DAY, "2026-11-21")
    assert [found[day].due for day in (DAY, "2026-11-21")] == [0, 1]
    assert {"2026-11-20", "2026-11-21"} <= {period for period, _ in world.owed.owed()}


def test_reports_that_are_run_twice_say_the_same_and_owe_nothing():
    world = World(hospitals=Hospitals(Hospital("H1", "江北医院")))
    world.tell(notice())
    world.sweep(at := over_at(DAY, DEFAULT_ZONE) + GRACE)
    first = world.report(date(2026, 11, 20), at)
    files = dict(world.reports.files)
    assert world.report(date(2026, 11, 20), at) == first
    assert (world.reports.files, world.owed.owed()) == (files, [])


def test_what_changes_while_a_report_is_made_is_reported_again():
    world = World(hospitals=Hospitals(Hospital("H1", "江北医院")))
    world.tell(notice())
    world.sweep(at := over_at(DAY, DEFAULT_ZONE) + GRACE)
    inner = world.reports.put
    late = iter([study(DUE + HOUR)])

    def put(key, body, content_type):
        inner(key, body, content_type)
        for fact in late:  # once, in the middle of the day's files
            world.tell(fact)
            world.sweep(at + HOUR)

    world.reports.put = put
    world.report(date(2026, 11, 20), at)
    world.report(date(2026, 11, 20), at + timedelta(hours=2))
    for period in (DAY, "2026-W47", "2026-11"):
        assert b'"late":1' in world.reports.get(f"compliance/{period}/H1.json").replace(b": ", b":")
