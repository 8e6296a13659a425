"""Reports beside sweeps, crashes and late images: nothing stays unreported."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.services.report_compliance import ReportCompliance
from tests.support.interleave import Gate, Turns, crash_at
from tests.support.ledger_world import HOUR, NOON, study
from tests.support.reported import FRIDAY, KNOWN, MADE, opened, plainly, read, rows_of, told


@pytest.fixture
def world():
    world = opened()
    world.sweep(NOON + 36 * HOUR)
    return world


@pytest.mark.parametrize("after", [False, True])
def test_a_sweep_that_dies_anywhere_leaves_nothing_unreported(after):
    """By the figures that were kept: no row is read for the reports."""
    for number in range(int(after), 400, 5):
        world = opened()
        try:
            world.sweep(NOON + 36 * HOUR, gate=crash_at(number, after=after, fault=SystemExit))
        except SystemExit:
            world.sweep(NOON + 36 * HOUR)
        else:
            break
        world.ledger.reads.clear()
        assert told(read_after(world)) == plainly(rows_of(world, "2026-11-20", KNOWN))
    assert number > 50  # the sweep without a crash made so many calls


def read_after(world):
    world.report(FRIDAY, MADE)
    return read(world, "2026-11-20")


def test_a_report_owed_again_while_it_is_made_stays_owed(world):
    making = world.making()

    def owed_meanwhile(period, now):
        if period.kind == "day":
            world.owed.owe(period.name, "meanwhile")
        return making(period, now)

    looks = iter([True])
    assert ReportCompliance(world.owed, owed_meanwhile)(FRIDAY, MADE, lambda: next(looks, False)) is None
    assert ("2026-11-20", "meanwhile") in world.owed.owed()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=120))
def test_whatever_runs_beside_a_report_the_next_one_says_what_the_rows_say(choices):
    """Late images and looks at their day, single calls in any order: all that a report missed is owed again."""
    world, turns = opened(), iter(choices)
    world.sweep(NOON + 36 * HOUR)
    late, now = study(NOON + 30 * HOUR, accession_number="H2-9", study_instance_uid="1.2.9"), NOON + 50 * HOUR

    def look(gate):
        world.flagging(gate)("H2", "2026-11-20", now, now)

    died = Turns(lambda waiting: next(turns, 0) % waiting).run(
        [
            lambda gate: world.tell(late, "H2", gate=gate) or look(gate),
            look,
            lambda gate: world.report(FRIDAY, now, gate=gate),
        ]
    )
    assert died == []
    for place in tuple(world.days.due(now)):  # no sweep: the exam's own due would mend what the day's must
        world.flagging()(*place, now, now)
    world.report(FRIDAY + timedelta(days=1), NOON + 51 * HOUR)
    assert told(read(world, "2026-11-20")) == plainly(rows_of(world, "2026-11-20", KNOWN))
    assert told(read(world, "2026-W47")) == plainly(rows_of(world, "2026-W47", KNOWN))


def test_a_report_made_at_any_step_of_a_look_is_made_again_where_it_missed_something():
    now, late = NOON + 50 * HOUR, study(NOON + 30 * HOUR, accession_number="H2-9", study_instance_uid="1.2.9")
    for number in range(20):
        world, calls = opened(), iter([False] * number + [True])

        def meanwhile(world=world, calls=calls):
            if next(calls, False):
                world.report(FRIDAY, now)

        world.sweep(NOON + 36 * HOUR)
        world.tell(late, "H2")
        world.flagging(Gate(before=meanwhile))("H2", "2026-11-20", now, now)
        world.report(FRIDAY + timedelta(days=1), now)
        assert told(read(world, "2026-11-20")) == plainly(rows_of(world, "2026-11-20", KNOWN))
    assert next(calls, None) is not None  # the look had fewer steps than that
