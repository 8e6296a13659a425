"""Settle as a whole, on ports in memory."""

import pytest

from chalicelib.domain.study import StudyRef
from chalicelib.services.settle_study import SUPERSEDED_KEPT, SettleRaced, SettleStudy
from tests.support.fakes_settle import FakeStudies
from tests.support.settle_samples import REF, T0, entry, exclude
from tests.support.settle_world import World


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


def test_a_superseded_manifest_goes_days_after_the_flip_and_the_standing_one_stays():
    world = World()
    world.receive(entry(1))
    first = world.settle().manifest_digest
    world.receive(entry(2))
    second = world.settle().manifest_digest
    assert world.studies.expiring == {(REF, first): T0 + SUPERSEDED_KEPT}
    world.studies.expire()
    assert list(world.studies.manifests) == [(REF, second)]
    assert world.settle().instances == 2


def test_a_manifest_that_a_study_comes_back_to_stays():
    world = World()
    for description in ("??", "胸部CT平扫", "??"):
        world.receive(entry(1, study_description=description))
        standing = world.settle()
    assert len(world.studies.expiring) == 1
    world.studies.expire()
    assert world.settle() == standing


def test_a_crash_after_the_flip_merely_leaves_the_old_manifest():
    world = World()
    world.receive(entry(1))
    world.settle()
    world.receive(entry(2))

    class Dying(FakeStudies):
        def expire_manifest(self, *given):
            raise OSError

    dying = Dying()
    vars(dying).update(vars(world.studies))
    with pytest.raises(OSError):  # noqa: PT011 - any fault
        SettleStudy(world.journal, dying, world.uploads, world.exams, world.refeed)(REF, T0)
    assert world.settle().instances == 2
    assert (len(world.studies.manifests), world.studies.expiring) == (2, {})


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
