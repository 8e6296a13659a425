"""A simulated day of a province: what the ledger says is the truth, at every sweep; and the truth's own cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.rule import RULES
from tests.bench.province import cover, draft, fates, plan, tables, truth
from tests.bench.province import draw as draw_module
from tests.bench.province.day import live
from tests.bench.province.draw import Size, draw
from tests.bench.province.drive import Drive
from tests.bench.province.plan import Exam, Notice, Outage, Place, Province, Settle, Study, Sweep
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import World

SMALL = Size(exams=30, hospitals=6, trouble=4, every=900)
DAYS = ["2026-11-24", "2026-11-28", "2026-10-01"]  # a Tuesday, a Saturday, a holiday


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(DAYS))
def test_of_any_day_the_ledger_says_the_truth_at_every_sweep(seed, day):
    drive = Drive(draw(seed, SMALL, day), World(hospitals=FakeHospitals()))
    assert live(drive) == []
    assert cover.lacking(drive) == []


def test_the_same_seed_is_the_same_day():
    assert draw(7, SMALL) == draw(7, SMALL)
    assert draw(7, SMALL) != draw(8, SMALL)


def test_a_ledger_with_another_rule_is_found_out():
    rules = tuple(replace(rule, limit=2) if rule.name == "missed_deadline" else rule for rule in RULES)
    (first, *_) = live(Drive(draw(5, SMALL), World(hospitals=FakeHospitals(), rules=rules)))
    assert "missed_deadline" in first
    assert "the ledger says None" in first


def test_the_oracle_and_what_is_injected_know_nothing_of_the_ledger():
    for module in (truth, draft, fates, tables, plan, draw_module):
        assert "chalicelib" not in Path(module.__file__).read_text(encoding="utf-8")


def test_a_day_that_lacks_something_is_found_out():
    drive = Drive(draw(5, SMALL), World(hospitals=FakeHospitals()))
    drive.province = replace(drive.province, outages=(), silent=frozenset())
    lacking = cover.lacking(drive)  # it was not lived through either
    assert {"outage of all", "outage withdrawn", "silent hospital", "flag silent", "warning"} <= set(lacking)
    assert "fate missing" not in lacking


def test_every_fate_has_its_share():
    assert set(tables.FATES) == set(fates.ALL)
    assert sum(tables.FATES.values()) < 1000


# The oracle by hand. Midnight in China; instants are hours from it.
MIDNIGHT = int(datetime.fromisoformat("2026-11-24T00:00:00+08:00").timestamp())
HERE = Place("H1", "R1", volume=(20,) * 7)


def at(hours):
    return round(MIDNIGHT + hours * 3600)


def told(status, when, *, sent=None, declared=None, name=None):
    sent = at(10) if sent is None else at(sent)
    return Notice(name or status, status, sent, sent, when and at(when), (sent,), declared, accession="A")


def images(*runs, end=None):
    runs = tuple((at(hour), count) for hour, count in runs)
    return Study("1.2", "A", end and at(end), (Settle(runs, (runs[-1][0],), runs[0][0]),))


def exam(*facts):
    notices = tuple(one for one in facts if isinstance(one, Notice))
    studies = tuple(one for one in facts if isinstance(one, Study))
    return Exam("H1", "P", "CT", "by hand", notices, studies)


def province(*exams, outages=(), place=HERE):
    return Province(0, "2026-11-24", (place,), exams, outages, (Sweep(at(9), 0), Sweep(at(48), 0)))


def outage(since, until, made=30.0):
    return Outage("hospital", "H1", at(since), at(until), at(made))


DONE = told("performed", 10, declared=3)
CASES = [
    ((DONE, images((22, 3))), "on_time"),
    ((DONE, images((22.01, 3))), "late"),
    ((DONE, images((11, 2))), "partial"),
    ((DONE,), "missing"),
    ((told("performed", 10), images((11, 1), (11.6, 9))), "on_time"),
    ((told("performed", 10), images((21.8, 1), (22.2, 9))), "late"),
    ((told("scheduled", 10),), "scheduled"),
    ((told("scheduled", 10), told("cancelled", None, sent=11)), "cancelled"),
    ((told("cancelled", None, sent=8), told("performed", 10, sent=10)), "missing"),
    ((told("performed", 10, sent=10), told("scheduled", 15, sent=11)), "missing"),
    ((images((12, 3), end=11),), "on_time"),
    ((images((12, 3), end=-1),), "late"),
    ((images((12, 3), end=-800),), "imported"),
    ((images((12, 3), end=20),), "on_time"),
    ((images((12, 3)),), "on_time"),
    (
        (told("performed", 10, declared=9, name="1"), told("performed", 10, declared=3, sent=11), images((12, 3))),
        "on_time",
    ),
]


@pytest.mark.parametrize(("facts", "standing"), CASES)
def test_the_oracle_judges_by_hand_written_cases(facts, standing):
    ((row,),) = (day.values() for day in truth.rows(province(exam(*facts)), at(48), at(40)).values())
    assert row.standing == standing


def test_the_oracle_waits_for_the_due_and_for_what_was_seen():
    (waiting,) = (day["A", 1] for day in truth.rows(province(exam(DONE)), at(48), at(21.9)).values())
    assert waiting.standing == "pending"
    assert truth.rows(province(exam(DONE)), at(9.9), at(40)) == {}


@pytest.mark.parametrize(
    ("since", "until", "standing"), [(21, 23, "excused"), (1, 9.9, "missing"), (22.1, 24, "missing")]
)
def test_the_oracle_excuses_what_an_outage_touches(since, until, standing):
    days = truth.rows(province(exam(DONE), outages=(outage(since, until),)), at(48), at(40))
    assert days["H1", "2026-11-24"]["A", 1].standing == standing


def test_the_oracle_excuses_nothing_before_the_outage_was_accepted():
    days = truth.rows(province(exam(DONE), outages=(outage(21, 23, made=49),)), at(48), at(40))
    assert days["H1", "2026-11-24"]["A", 1].standing == "missing"


@pytest.mark.parametrize(("withdrawn", "standing"), [(47, "missing"), (48, "missing"), (49, "excused")])
def test_the_oracle_excuses_nothing_once_the_outage_was_withdrawn(withdrawn, standing):
    one = replace(outage(21, 23), withdrawn=at(withdrawn))
    days = truth.rows(province(exam(DONE), outages=(one,)), at(48), at(40))
    assert days["H1", "2026-11-24"]["A", 1].standing == standing


def flagged(count, *facts, **given):
    """The rules broken by a day of so many exams of a kind, and twenty that are as they should be."""
    days = {("H1", "2026-11-24"): {(f"A{number:02d}", 1): facts[0] for number in range(count)}}
    for number in range(20):
        days["H1", "2026-11-24"][f"B{number:02d}", 1] = truth.Row("2026-11-24", "on_time", 0, 0, 0, 1, 0)
    found = truth.flags(province(**given), days, at(48), at(37))
    return {rule: figures for (_, _, rule), (figures, _) in found.items()}


LATE = truth.Row("2026-11-24", "late", at(0), at(12), at(36.5), 1, at(0))
MISSING = truth.Row("2026-11-24", "missing", at(0), at(12), None, 0, at(0))


def test_the_oracle_flags_by_hand_written_cases():
    assert flagged(0, MISSING) == {}
    assert flagged(2, MISSING) == {"missed_deadline": {"missing": 2}}
    assert flagged(3, MISSING) == {
        "missed_deadline": {"missing": 3},
        "low_rate": {"due": 23, "on_time": 20, "percent": 86},
    }
    assert flagged(1, LATE) == {
        "missed_deadline": {"late": 1},
        "long_delay": {"late": 1, "longest_minutes_after_due": 24 * 60 + 30},
    }
    assert set(flagged(20, MISSING)) == {"missed_deadline", "many_missed", "low_rate"}


@pytest.mark.parametrize(
    ("place", "usual"),
    [
        (replace(HERE, volume=(101,) * 7), 101),
        (replace(HERE, volume=(101,) * 7, before=(102, 1, 103)), 101),
        (replace(HERE, before=(104, 101, 300, 102)), 102),
        (replace(HERE, volume=(100,) * 7), None),
        (replace(HERE, volume=()), None),
        (replace(HERE, volume=(101,) * 7, active=False), None),
    ],
)
def test_the_oracle_knows_silence(place, usual):
    assert flagged(0, MISSING, place=place).get("silent", {}).get("usual") == usual


def test_the_oracle_hears_no_silence_in_an_outage():
    assert flagged(0, MISSING, place=replace(HERE, volume=(101,) * 7), outages=(outage(1, 2),)) == {}


def test_the_oracle_warns_two_hours_before_of_what_waits():
    sweeps = tuple(Sweep(at(hour), 0) for hour in (19.9, 20.1, 21))
    cases = {(): {("H1", "A", at(22))}, (images((20, 3)),): set(), (images((20.05, 2)),): {("H1", "A", at(22))}}
    for facts, expected in cases.items():
        assert truth.warnings(replace(province(exam(DONE, *facts)), sweeps=sweeps)) == expected
    excused = province(exam(DONE), outages=(outage(15, 16, made=17),))
    assert truth.warnings(replace(excused, sweeps=sweeps)) == set()
    taken_back = replace(excused, outages=(replace(excused.outages[0], withdrawn=at(20.5)),))
    assert truth.warnings(replace(taken_back, sweeps=sweeps)) == {("H1", "A", at(22))}
    behind = tuple(replace(sweep, age=1801) for sweep in sweeps)
    assert truth.warnings(replace(province(exam(DONE)), sweeps=(*behind, Sweep(at(23), 0)))) == set()


def test_the_oracle_takes_percentiles_by_nearest_rank():
    _, delays = truth.figures([replace_row(minutes) for minutes in (10, 20, 30, 40)])
    assert [truth.percentile(delays, percent) for percent in (50, 90, 99)] == [20, 40, 40]
    assert truth.percentile(truth.figures([])[1], 50) is None


def replace_row(minutes):
    return truth.Row("2026-11-24", "on_time", at(1), at(13), at(1) + minutes * 60 + 59, 1, at(1))
