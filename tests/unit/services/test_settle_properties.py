"""Whatever happens on the way to a settle, one truth: order, batches, deaths, expiry of the journal, races."""

import contextlib
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.services.settle_study import SettleRaced
from tests.support.interleave import Crash, Gate, Turns, crash_at
from tests.support.settle_samples import REF, entry, exclude
from tests.support.settle_world import World

CONTENTS = {b"a": 10, b"b": 10, b"c": 20}


@st.composite
def uploads(draw):
    """What one study receives: few instances, many copies, ties in time, packs and singles; exclusions of some."""
    entries, contents = [], {}
    for number in range(draw(st.integers(1, 6))):
        content = draw(st.sampled_from([b"a", b"a", b"a", b"b", b"c"]))
        found = entry(
            sop=draw(st.integers(1, 3)),
            version=draw(st.sampled_from([f"v{number}", f"u{9 - number}"])),
            at=draw(st.integers(0, 2)),
            offset=draw(st.sampled_from([0, 0, 512])),
            length=CONTENTS[content],
            checksum=draw(st.sampled_from([None, f"crc-{content}"])),
            patient_id=draw(st.sampled_from(["P1", "P1", "P1", "P2", "0"])),
            accession_number=draw(st.sampled_from(["A1", "A1", "A2", ""])),
        )
        entries.append(found)
        contents[found.place.version_id, found.place.offset] = content
    excluded = draw(st.lists(st.sampled_from(entries), max_size=2, unique_by=id))
    amendments = [exclude(found.place.version_id, found.place.offset, number) for number, found in enumerate(excluded)]
    return entries, contents, amendments


def in_one_go(case):
    entries, contents, amendments = case
    world = World(contents)
    world.receive(*entries)
    for amendment in amendments:
        world.studies.amend(REF, amendment)
    world.settle()
    return world.truth()


def to_the_end(world, case):
    """Everything is delivered at last, and one settle follows the last write."""
    entries, _, amendments = case
    world.receive(*entries)
    for amendment in amendments:
        world.studies.amend(REF, amendment)
    world.settle()
    return world.truth()


@settings(max_examples=1500, deadline=None)
@given(uploads(), st.data())
def test_any_order_batching_crash_and_expiry_ends_in_the_same_truth(case, data):
    entries, contents, amendments = case
    world = World(contents)
    for _ in range(data.draw(st.integers(0, 6))):
        match data.draw(st.sampled_from(["receive", "settle", "crash", "expire", "amend"])):
            case "receive":
                world.receive(*data.draw(st.lists(st.sampled_from(entries), max_size=3)))
            case "settle":
                world.settle()
            case "crash":
                survive(world, crash_at(data.draw(st.integers(0, 14)), after=data.draw(st.booleans())))
            case "expire":  # 45 days after a write there has been a settle, and superseded manifests are long gone
                world.settle()
                world.journal.expire()
                world.studies.expire()
            case "amend" if amendments:
                world.studies.amend(REF, data.draw(st.sampled_from(amendments)))
    assert to_the_end(world, case) == in_one_go(case)


def survive(world, gate):
    try:
        world.settle(gate)
    except Crash:
        return True
    return False


@settings(max_examples=150, deadline=None)
@given(uploads())
def test_a_crash_after_any_call_of_a_port_mends_itself_by_the_redelivery(case):
    entries, contents, _ = case
    expected = in_one_go((entries, contents, ()))
    for after in (False, True):
        number, crashed = 0, True
        while crashed:
            world = World(contents)
            world.receive(*entries)
            crashed = survive(world, crash_at(number, after=after))
            world.settle()
            assert world.truth() == expected
            number += 1
        assert number > 6


@settings(max_examples=1000, deadline=None)
@given(uploads(), st.data())
def test_settles_racing_each_other_and_the_writes_end_in_one_truth(case, data):
    entries, contents, amendments = case
    world = World(contents)
    world.receive(*data.draw(st.lists(st.sampled_from(entries), max_size=4)))

    def write(gate):
        for found in entries:
            gate(world.journal).write({REF: [found]})
        for amendment in amendments:
            gate(world.studies).amend(REF, amendment)

    turns = Turns(lambda count: data.draw(st.integers(0, count - 1)))
    died = turns.run([world.settle, world.settle, write])
    assert all(isinstance(error, SettleRaced) for error in died)
    assert to_the_end(world, case) == in_one_go(case)


@settings(max_examples=700, deadline=None)
@given(uploads(), st.data())
def test_a_settle_that_began_before_the_last_write_does_not_undo_the_one_that_followed_it(case, data):
    entries, contents, amendments = case
    world = World(contents)
    world.receive(*data.draw(st.lists(st.sampled_from(entries), max_size=3)))

    def write_then_settle(gate):
        gate(world.journal).write({REF: entries})
        for amendment in amendments:
            gate(world.studies).amend(REF, amendment)
        world.settle(gate)

    turns = Turns(lambda count: data.draw(st.integers(0, count - 1)))
    assert turns.run([world.settle, write_then_settle]) == []
    assert world.truth() == in_one_go(case)


def standing_stays(world):
    found = world.studies.summary(REF)
    return found is None or (REF, found.manifest_digest) not in world.studies.expiring


DESCRIPTIONS = st.lists(st.sampled_from("ABC"), min_size=1, max_size=3)


@settings(max_examples=1000, deadline=None)
@given(st.lists(DESCRIPTIONS, min_size=2, max_size=5), st.data())
def test_the_manifest_that_stands_never_has_an_end_though_a_study_comes_back_to_it(read, data):
    """One reader of headers after another has it, so the same few manifests come again and again, in races."""
    world, broken = World(), []

    def turn(descriptions, gate):
        watched = Gate(gate.before, lambda: standing_stays(world) or broken.append(True))
        for description in descriptions:
            watched(world.journal).write({REF: [entry(1, study_description=description)]})
            with contextlib.suppress(SettleRaced):
                world.settle(watched)

    turn(read[0], Gate())
    turns = Turns(lambda count: data.draw(st.integers(0, count - 1)))
    assert turns.run([partial(turn, descriptions) for descriptions in read[1:]]) == []
    assert not broken
    world.studies.expire()
    assert world.settle()


def test_the_ledger_hears_nothing_before_the_flip_stands():
    number, crashed = 0, True
    while crashed:
        world = World()
        world.receive(entry(1))
        crashed = survive(world, crash_at(number, after=False))
        assert not world.exams.told or world.studies.summary(REF)
        number += 1
