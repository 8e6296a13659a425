"""Outages of a hospital, a region, or all: who gets them, and what was judged before."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.outage import BadExcuse, Outage, OutageWithdrawn
from chalicelib.domain.study import Hospital
from tests.support.fakes_settle import FakeHospitals
from tests.support.interleave import Crash, crash_at
from tests.support.ledger_world import AFTER, DUE, HOUR, NOON, World, notice, study

SOUTH = ("H1", "H3", "H4")


class Hospitals(FakeHospitals):
    def list(self):
        return tuple(self.known.values())


def world_of():
    regions = {"H1": "south", "H2": "north", "H3": "south", "H4": "south"}
    return World(hospitals=Hospitals(*(Hospital(name, name, region=region) for name, region in regions.items())))


def outage(scope="region", of="south", begin=NOON, end=NOON + HOUR, *, made_at=AFTER):
    return Outage(scope, of, begin, end, "光缆中断", "regulator", made_at)


def missed(world):
    for hospital in ("H1", "H2", "H3", "H4"):
        world.tell(notice(), hospital)
    world.sweep(AFTER)


def standings(world):
    return [world.exam(hospital=hospital).standing for hospital in ("H1", "H2", "H3", "H4")]


def states(world):
    return [flag and flag.state for flag in (world.flag(hospital=f"H{n}") for n in range(1, 5))]


def test_an_outage_of_a_region_takes_what_was_judged_from_its_hospitals_alone():
    world = world_of()
    missed(world)
    assert world.accept(outage()) == 3
    assert standings(world) == ["missing"] * 4
    assert world.sweep(AFTER + HOUR).excuses == 3
    assert standings(world) == ["excused", "missing", "excused", "excused"]
    assert states(world) == ["withdrawn", "raised", "withdrawn", "withdrawn"]
    assert world.sweep(AFTER + 2 * HOUR).excuses == 0


def test_an_outage_of_all_touches_all_and_says_how_far_it_has_come():
    world = world_of()
    missed(world)
    assert world.accept(outage("all", "")) == 4
    world.sweep(AFTER + HOUR)
    assert standings(world) == ["excused"] * 4
    (told,) = world.outages.list("", 9).items
    assert (told.hospitals, told.after, told.spread_at) == (4, "H4", AFTER + HOUR)


def test_one_hospitals_outage_counts_at_once_for_what_is_judged_next():
    world = world_of()
    world.tell(notice())
    world.accept(outage("hospital", "H1", made_at=NOON + 2 * HOUR))
    world.sweep(AFTER)
    assert world.exam().standing == "excused"
    assert world.flag() is None


def test_an_outage_that_overlaps_another_and_one_that_comes_later_both_count():
    world = world_of()
    world.tell(notice())
    world.tell(notice(at=NOON + 20 * HOUR, accession_number="A2"))
    world.accept(outage("hospital", "H1", NOON - HOUR, NOON + HOUR))
    world.accept(outage("all", "", NOON, NOON + 2 * HOUR))
    world.sweep(AFTER + 24 * HOUR)
    assert (world.exam().standing, world.exam("2026-11-21").standing) == ("excused", "missing")
    world.accept(outage("region", "south", DUE + 10 * HOUR, DUE + 11 * HOUR, made_at=DUE + 30 * HOUR))
    world.sweep(AFTER + 25 * HOUR)
    assert (world.exam().standing, world.exam("2026-11-21").standing) == ("excused", "excused")


def test_a_region_that_no_hospital_is_in_is_refused():
    with pytest.raises(BadExcuse) as refused:
        world_of().accept(outage(of="suoth"))
    assert refused.value.field == "region"


def test_an_outage_that_is_told_twice_is_one():
    world = world_of()
    missed(world)
    for hour in (0, 1):
        world.accept(outage(made_at=AFTER + hour * HOUR))
        world.sweep(AFTER + (1 + hour) * HOUR)
    assert (len(world.outages.held), len(world.excuses.held)) == (1, 3)


def test_a_run_that_is_cut_short_anywhere_is_gone_on_with():
    for calls in range(12):
        world = world_of()
        missed(world)
        world.accept(outage())
        answers = iter([True] * calls)
        world.sweep(AFTER + HOUR, keep_going=lambda answers=answers: next(answers, False))
        world.sweep(AFTER + 2 * HOUR)
        assert standings(world) == ["excused", "missing", "excused", "excused"], calls


def test_a_great_outage_does_not_hold_up_what_else_is_due():
    world = world_of()
    for number in range(10):
        world.tell(notice(accession_number=f"A{number}"))
    world.sweep(AFTER)
    world.accept(outage("hospital", "H1"))
    done = []
    while not done or not done[-1]:
        done.append(replace(world.apply(), most=4)(AFTER + HOUR, lambda: True)[0])
        assert len(done) < 6
    assert {exam.standing for exam in world.exams()} == {"excused"}
    assert len(done) > 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 250), st.booleans())
def test_a_crash_at_any_call_and_another_run_end_the_same(number, after):
    world = world_of()
    missed(world)
    gate = crash_at(number, after=after)
    for step in (lambda: world.accept(outage(), gate), lambda: world.sweep(AFTER + HOUR, gate)):
        try:
            step()
        except Crash:
            step()
    world.sweep(AFTER + 2 * HOUR)
    assert standings(world) == ["excused", "missing", "excused", "excused"]
    assert states(world) == ["withdrawn", "raised", "withdrawn", "withdrawn"]


def test_spreading_reads_no_exam_and_applying_only_the_days_it_touches():
    world = world_of()
    for month in range(1, 20):
        world.tell(notice(at=NOON - timedelta(days=30 * month), accession_number=f"old{month}"))
    world.sweep(NOON)
    missed(world)
    world.ledger.reads.clear()
    world.accept(outage())
    assert not world.ledger.reads
    world.sweep(AFTER + HOUR)
    days = 5  # a day of margin on either side of the twelve hours
    assert world.ledger.reads["of_day"] <= 3 * (days + 2)


# Withdrawn


def test_what_a_withdrawn_outage_excused_is_missed_again_and_flagged():
    world = world_of()
    missed(world)
    world.accept(outage("all", ""))
    world.sweep(AFTER + HOUR)
    world.withdraw(outage("all", ""), AFTER + 2 * HOUR)
    assert standings(world) == ["excused"] * 4
    assert world.sweep(AFTER + 2 * HOUR).excuses == 4
    assert standings(world) == ["missing"] * 4
    assert states(world) == ["raised"] * 4
    (told,) = world.outages.withdrawals([outage("all", "")]).values()
    assert (told.withdrawal, told.hospitals, told.spread_at) == ("误报 told by mistake", 4, AFTER + 2 * HOUR)


def test_a_withdrawn_outage_stays_so_however_often_it_is_told():
    world = world_of()
    world.accept(outage())
    world.withdraw(outage(), AFTER)
    with pytest.raises(OutageWithdrawn):
        world.accept(outage())
    missed(world)
    assert standings(world) == ["missing"] * 4
    assert world.accept(replace(outage(), reason="光缆中断，已核实")) == 3
    world.sweep(AFTER + HOUR)
    assert standings(world) == ["excused", "missing", "excused", "excused"]


def test_one_of_two_outages_alike_is_withdrawn_by_itself():
    world = world_of()
    missed(world)
    for one in (outage(), outage("hospital", "H1")):
        world.accept(one)
    world.sweep(AFTER + HOUR)
    world.withdraw(outage(), AFTER + HOUR)
    world.sweep(AFTER + 2 * HOUR)
    assert standings(world) == ["excused", "missing", "missing", "missing"]


def test_a_hospital_that_is_in_another_region_since_loses_it_too():
    world = world_of()
    missed(world)
    world.accept(outage())
    world.sweep(AFTER + HOUR)
    world.hospitals.put(Hospital("H3", "H3", region="north"))
    world.withdraw(outage(), AFTER + HOUR)
    world.sweep(AFTER + 2 * HOUR)
    assert standings(world) == ["missing"] * 4


def test_a_shortened_outage_excuses_what_is_left_of_it_and_flags_nothing_in_between():
    world = world_of()
    world.tell(notice())
    world.tell(notice(at=NOON + 20 * HOUR, accession_number="A2"))
    whole = outage(end=NOON + 21 * HOUR)
    world.accept(whole)
    world.sweep(AFTER + 24 * HOUR)
    world.withdraw(whole, AFTER + 25 * HOUR, left=(NOON, NOON + HOUR))
    for turn in range(20):  # each run dies early
        answers = iter([True] * turn)
        world.sweep(AFTER + 25 * HOUR, keep_going=lambda answers=answers: next(answers, False))
        assert world.flag() is None
    world.sweep(AFTER + 26 * HOUR)
    assert (world.exam().standing, world.exam("2026-11-21").standing) == ("excused", "missing")
    assert [flag and flag.state for flag in (world.flag(), world.flag("2026-11-21"))] == [None, "raised"]


@pytest.mark.parametrize(
    ("left", "field"),
    [
        ((NOON, NOON + HOUR), "to"),  # the whole of it
        ((NOON - HOUR, NOON + HOUR), "from"),
        ((NOON, NOON + 2 * HOUR), "to"),
        ((NOON + HOUR, NOON + HOUR), "from"),
        ((NOON + HOUR / 2, NOON), "to"),
    ],
)
def test_what_is_left_is_a_part_of_it(left, field):
    with pytest.raises(BadExcuse) as refused:
        outage().shortened(*left, "regulator", AFTER)
    assert refused.value.field == field


def test_a_withdrawal_has_a_reason():
    for why in ("", "  ", "长" * 501):
        with pytest.raises(BadExcuse):
            outage().withdrawn(why, "regulator", AFTER)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 350), st.booleans())
def test_a_crash_while_one_is_withdrawn_and_another_run_end_the_same(number, after):
    world = world_of()
    missed(world)
    world.accept(outage())
    world.sweep(AFTER + HOUR)
    gate = crash_at(number, after=after)
    for step in (lambda: world.withdraw(outage(), AFTER + HOUR, gate=gate), lambda: world.sweep(AFTER + HOUR, gate)):
        try:
            step()
        except Crash:
            step()
    world.sweep(AFTER + 2 * HOUR)
    assert standings(world) == ["missing"] * 4
    assert states(world) == ["raised"] * 4


ACTS = ("accept", "withdraw", "exam", "images", "sweep", "sweep")


@settings(max_examples=60, deadline=None)
@given(st.permutations(ACTS), st.sampled_from([("all", ""), ("region", "south"), ("hospital", "H1")]))
def test_accepted_withdrawn_and_arrived_in_any_order_ends_equal(order, of):
    """As if it had never been accepted."""
    world, plain = world_of(), world_of()
    for number, act in enumerate(order):
        at = AFTER + number * HOUR
        if act == "accept":
            with suppress(OutageWithdrawn):
                world.accept(outage(*of, made_at=at))
        elif act == "withdraw":
            world.withdraw(outage(*of), at)
        elif act == "sweep":
            world.sweep(at)
        else:
            for one in (world, plain):
                one.tell(notice() if act == "exam" else study(DUE + HOUR))
    for one in (world, plain):
        one.sweep(AFTER + 20 * HOUR)
    assert world.ledger.standing() == plain.ledger.standing()
    assert [flag.behind for flag in world.flags.held.values() if flag.is_open] == [
        flag.behind for flag in plain.flags.held.values() if flag.is_open
    ]
    assert world.exam().standing == "late"


def test_who_has_an_hour_left_is_warned_when_the_outage_is_withdrawn():
    world = world_of()
    world.tell(notice())
    world.accept(outage("hospital", "H1", made_at=NOON + HOUR))
    for hour in (10.5, 10.6):
        world.sweep(NOON + hour * HOUR)
    assert world.warned.messages == []
    world.withdraw(outage("hospital", "H1"), NOON + 11 * HOUR)
    for hour in (11, 11.1):
        world.sweep(NOON + hour * HOUR)
    assert [body["count"] for _, body in world.warned.messages] == [1]
