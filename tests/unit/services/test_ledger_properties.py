"""Whatever the order, the repetition, the crashes and the races: the same facts end in the same ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.exam import Excuse
from tests.support.fakes_ingest import Crash
from tests.support.interleave import Gate, Turns
from tests.support.ledger_world import HOUR, NOON, World, notice, study

END = NOON + timedelta(days=60)
instants = st.sampled_from([NOON + timedelta(hours=hours) for hours in (0, 1, 11, 13, 20, 96, 170, 400)])
old_ends = st.sampled_from([NOON - timedelta(days=days) for days in (23, 30, 31, 9000)])
patients = st.sampled_from(["P1", "P1", "P1", "P2"])


@st.composite
def notices(draw):
    status = draw(st.sampled_from(["scheduled", "performed", "performed", "cancelled"]))
    at = draw(instants)
    return notice(
        status,
        at=at,
        notice_id=draw(st.sampled_from("ab")),
        patient_id=draw(patients),
        sent_at=draw(instants),
        declared_instances=draw(st.sampled_from([None, 1, 2, 3])),
    )


@st.composite
def studies(draw):
    runs = draw(st.lists(st.tuples(instants, st.integers(1, 2)), min_size=0, max_size=3))
    return study(
        *runs,
        study_instance_uid=draw(st.sampled_from(["1.1", "1.2"])),
        patient_id=draw(patients),
        exam_ended_at=draw(st.none() | instants | old_ends),
        entry_count=draw(st.integers(1, 4)),
        withdrawn=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def excuses(draw):
    first, second = sorted([draw(instants), draw(instants)])
    return Excuse("H1", first, second + HOUR, "停电", "regulator", END)


def _perhaps_withdrawn(excuse):
    """And perhaps a shorter one in its place."""
    withdrawn, shorter = replace(excuse, withdrawn=True), replace(excuse, to_at=excuse.to_at - HOUR / 2)
    return st.sampled_from([[excuse], [excuse, withdrawn], [excuse, shorter, withdrawn]])


facts = st.lists(notices() | studies(), min_size=1, max_size=6)
outages = st.just([]) | excuses().flatmap(_perhaps_withdrawn)
told = st.tuples(facts, outages).map(lambda parts: parts[0] + parts[1])


def judged(world):
    """Rows, open flags and what is still due once everything is judged. Times of raising depend on sweeps, and a flag
    that was withdrawn need not have been raised in another order."""
    world.sweep(END)
    flags = {place: flag.behind for place, flag in world.flags.held.items() if flag.is_open}
    dues = {key: (docket.due_at, docket.swept) for key, docket in world.ledger.dockets.items()}
    return world.ledger.standing(), flags, dues


def straight(given_facts):
    world = World()
    for fact in given_facts:
        world.tell(fact)
    return judged(world)


@settings(max_examples=1500, deadline=None)
@given(told, st.data())
def test_any_order_and_repetition_ends_in_the_same_rows_and_dockets(given_facts, data):
    worlds = World(), World()
    again = data.draw(st.permutations(given_facts + data.draw(st.lists(st.sampled_from(given_facts), max_size=3))))
    for world, order in zip(worlds, (given_facts, again), strict=True):
        for fact in order:
            world.tell(fact)
    first, second = worlds
    assert first.ledger.standing() == second.ledger.standing()
    assert first.ledger.dockets == second.ledger.dockets
    assert judged(first) == judged(second)
    assert first.topic.messages == second.topic.messages


@settings(max_examples=1000, deadline=None)
@given(told, st.data())
def test_sweeps_between_the_facts_change_nothing_in_the_end(given_facts, data):
    world = World()
    for fact in data.draw(st.permutations(given_facts)):
        world.tell(fact)
        if data.draw(st.booleans()):
            world.sweep(data.draw(instants))
    assert judged(world) == straight(given_facts)


@settings(max_examples=1000, deadline=None)
@given(told)
def test_a_second_sweep_changes_nothing_and_flags_say_exactly_what_rows_say(given_facts):
    world = World()
    for fact in given_facts:
        world.tell(fact)
    before = judged(world)
    messages, revisions = list(world.topic.messages), [flag.revision for flag in world.flags.held.values()]
    assert judged(world) == before
    assert (world.topic.messages, [flag.revision for flag in world.flags.held.values()]) == (messages, revisions)
    missed = {(exam.key.hospital_id, exam.day) for exam in before[0].values() if exam.standing in BREACHES}
    assert missed == {place[:2] for place in before[1] if place[2] == "missed_deadline"}
    assert len(messages) == len(before[1])
    for exam in before[0].values():
        assert (exam.standing == "imported") <= (not exam.notified and exam.due_at is None)
    assert all(due_at is None for due_at, _ in before[2].values())


BREACHES = {"late", "partial", "missing"}


class Counted:
    """Dies before or after the n-th call of any port, counted over all steps, once."""

    def __init__(self, number, *, after):
        self.left = number
        self.gate = Gate(after=self._count) if after else Gate(before=self._count)

    def _count(self):
        self.left -= 1
        if self.left == 0:
            raise Crash


@settings(max_examples=2000, deadline=None)
@given(told, st.integers(1, 60), st.booleans())
def test_a_crash_at_any_port_call_and_delivery_again_end_the_same(given_facts, number, after):
    world, crash = World(), Counted(number, after=after)
    for step in [*given_facts, None]:
        try:
            if step is None:
                world.sweep(END, crash.gate)
            else:
                world.tell(step, gate=crash.gate)
        except Crash:
            if step is not None:
                world.tell(step)
    assert judged(world) == straight(given_facts)
    raised = sum(flag.raises for flag in world.flags.held.values())
    assert raised <= len(world.topic.messages) <= raised + 1
    assert not any(flag.owed for flag in world.flags.held.values())


@settings(max_examples=1200, deadline=None)
@given(told, st.data())
def test_derivations_and_sweeps_that_interleave_end_the_same(given_facts, data):
    world = World()
    choices = data.draw(st.lists(st.integers(0, 7), min_size=40, max_size=40))
    turns = iter(choices)
    workers = [lambda gate, fact=fact: world.tell(fact, gate=gate) for fact in given_facts[:4]]
    if data.draw(st.booleans()):
        workers.append(lambda gate: world.sweep(NOON + timedelta(days=2), gate))
    if data.draw(st.booleans()):
        workers.append(lambda gate: world.sweep(END, gate))
    turned = Turns(lambda waiting: next(turns, 0) % waiting)
    world.ledger.pause = turned._wait  # noqa: SLF001 - the fake's own waiting point, between docket and facts
    died = turned.run(workers)
    world.ledger.pause = lambda: None
    assert died == []
    for fact in given_facts[4:]:
        world.tell(fact)
    assert judged(world) == straight(given_facts)


@settings(max_examples=300, deadline=None)
@given(told)
def test_facts_survive_their_written_form(given_facts):
    for fact in given_facts:
        if not isinstance(fact, Excuse):
            assert type(fact).from_json(fact.to_json()) == fact
    rows, _, _ = straight(given_facts)
    for exam in rows.values():
        assert type(exam).from_json(exam.to_json()) == exam
        assert exam == replace(exam)
