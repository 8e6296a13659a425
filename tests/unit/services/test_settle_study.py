"""Settle as a whole, on ports in memory: whatever happens on the way, one truth."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.manifest import Manifest
from chalicelib.domain.study import StudyRef
from chalicelib.services.settle_study import SettleRaced, SettleStudy
from tests.support.fakes_settle import FakeBytes, FakeExams, FakeReceived, FakeStudies
from tests.support.interleave import Crash, Gate, Turns, crash_at
from tests.support.settle_samples import REF, T0, entry, exclude

MANY = settings(max_examples=1500, deadline=None)


class World:
    """One cloud: what hospitals uploaded, and what settle made of it."""

    def __init__(self, contents=None):
        self.journal, self.studies, self.exams = FakeReceived(), FakeStudies(), FakeExams()
        self.uploads = FakeBytes()
        for place, content in (contents or {}).items():
            self.uploads.held[place] = content

    def settle(self, gate=None, ref=REF, workers=1):
        gate = gate or Gate()
        ports = (self.journal, self.studies, self.uploads, self.exams)
        return SettleStudy(*(gate(port) for port in ports), workers=workers)(ref, T0)

    def receive(self, *entries, ref=REF):
        self.journal.write({ref: entries})

    def manifest(self, ref=REF):
        summary = self.studies.summary(ref)
        return Manifest.from_json(self.studies.manifest(ref, summary.manifest_digest, summary.manifest_parts))

    def statuses(self, ref=REF):
        return {found.place.version_id: status for found, status in self.manifest(ref).entries()}

    def truth(self):
        """All that must not depend on the way: manifest bytes, summary but for its revision, pointers, facts."""
        return (
            {ref: self.manifest(ref).to_json() for ref in self.studies.summaries},
            self.studies.summaries,
            self.studies.pointers,
            self.exams.standing(),
        )


def test_what_was_received_is_served():
    world = World()
    world.receive(entry(1), entry(2))
    summary = world.settle()
    assert summary == world.studies.summary(REF)
    assert (summary.instances, summary.state, summary.revision, summary.manifest_parts > 1) == (2, "served", 1, True)
    assert world.studies.hospitals_holding(REF.study_instance_uid) == ("H1",)
    assert [fact.received.total for fact in world.exams.standing().values()] == [2]


def test_a_study_of_which_nothing_was_received_leaves_nothing():
    world = World()
    assert world.settle() is None
    assert world.truth() == World().truth()


def test_settling_again_flips_nothing_but_tells_the_ledger_again():
    world = World()
    world.receive(entry(1))
    world.settle()
    world.exams.told.clear()
    world.studies.pointers.clear()
    assert world.settle().revision == 1
    assert (len(world.exams.told), world.studies.pointers) == (1, {REF})


def test_an_expired_journal_loses_nothing():
    world = World()
    world.receive(entry(1))
    world.settle()
    world.journal.expire()
    world.receive(entry(2, at=3))
    assert world.settle().instances == 2
    world.journal.expire()
    assert world.settle() == world.studies.summary(REF)


def test_what_a_newer_reader_found_in_an_object_replaces_what_the_manifest_says():
    world = World()
    world.receive(entry(1, study_description="??"))
    world.settle()
    world.receive(entry(1, study_description="胸部CT平扫"))
    assert world.settle().study_description == "胸部CT平扫"


def test_one_uid_at_two_hospitals_is_two_studies():
    world = World()
    other = StudyRef("H2", REF.study_instance_uid)
    world.receive(entry(1))
    world.receive(entry(1, "w", ref=other), entry(2, ref=other), ref=other)
    assert (world.settle().instances, world.settle(ref=other).instances) == (1, 2)
    assert world.studies.hospitals_holding(REF.study_instance_uid) == ("H1", "H2")
    assert world.studies.summary(other).issuer == "H2"


def pack_and_singles(count):
    """The same slices, as single objects and then in a pack."""
    singles = [entry(sop) for sop in range(1, count + 1)]
    pack = [
        entry(sop, "pack", at=9, key="archives/p.zip", offset=sop * 1000, checksum=None) for sop in range(1, count + 1)
    ]
    contents = {("pack", packed.place.offset): f"slice {packed.place.offset}".encode() for packed in pack}
    contents |= {
        (single.place.version_id, 0): contents["pack", sop * 1000] for sop, single in enumerate(singles, start=1)
    }
    return singles, pack, contents


def test_the_slices_of_a_pack_that_also_came_singly_are_duplicates_by_their_digests():
    singles, pack, contents = pack_and_singles(3)
    world = World(contents)
    world.receive(*singles, *pack)
    summary = world.settle()
    assert (summary.instances, summary.duplicates, summary.divergent) == (3, 3, 0)
    world.settle()
    assert len(world.uploads.streamed) == 6  # each once: the digests are kept as facts


def test_many_streams_side_by_side_end_in_the_same_as_one():
    singles, pack, contents = pack_and_singles(12)
    truths = []
    for workers in (1, 8):
        world = World(contents)
        world.receive(*singles, *pack)
        world.settle(workers=workers)
        truths.append((world.truth(), world.studies.digests(REF)))
    assert truths[0] == truths[1]


def test_a_slice_of_a_pack_with_other_bytes_is_divergent():
    singles, pack, contents = pack_and_singles(2)
    world = World(contents | {("pack", 2000): b"other"})
    world.receive(*singles, *pack)
    summary = world.settle()
    assert (summary.instances, summary.duplicates, summary.divergent) == (2, 1, 1)


def test_bytes_that_are_gone_are_divergent_and_leave_no_fact():
    singles, pack, contents = pack_and_singles(1)
    world = World({place: content for place, content in contents.items() if place[0] != "pack"})
    world.receive(*singles, *pack)
    assert world.settle().divergent == 1
    assert list(world.studies.digests(REF)) == [("v1-1", 0)]


def test_an_exclusion_resolves_a_conflict():
    world = World()
    world.receive(entry(1), entry(2, "theirs", at=1, patient_id="P2"))
    assert world.settle().state == "conflicted"
    world.studies.amend(REF, exclude("theirs"))
    assert world.settle().state == "served"
    assert world.statuses() == {"v1-1": "served", "theirs": "excluded"}


def test_an_accession_number_that_no_longer_stands_is_withdrawn():
    world = World()
    world.receive(entry(1, at=5, accession_number="late"))
    world.settle()
    world.receive(entry(2, at=1, accession_number="first"))
    world.settle()
    standing = {accession: fact.withdrawn for (_, accession, _), fact in world.exams.standing().items()}
    assert standing == {"late": True, "first": False}


def test_a_settle_that_always_loses_gives_up_for_a_later_delivery():
    world = World()
    world.receive(entry(1))

    class Contested(FakeStudies):
        def flip(self, summary, read_revision):
            return False

    world.studies = Contested()
    with pytest.raises(SettleRaced):
        world.settle()
    assert world.exams.told == {}


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


@MANY
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
            case "expire":  # 45 days after a write there has been a settle
                world.settle()
                world.journal.expire()
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


def test_the_ledger_hears_nothing_before_the_flip_stands():
    number, crashed = 0, True
    while crashed:
        world = World()
        world.receive(entry(1))
        crashed = survive(world, crash_at(number, after=False))
        assert not world.exams.told or world.studies.summary(REF)
        number += 1
