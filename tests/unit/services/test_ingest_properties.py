"""Any order, repetition, re-batching and crash ends in the same journal and quarantine, with a settle message behind
each study's last write (DESIGN §4.4, 4.6)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.upload_key import Uploaded
from infra.local.samples import make_pack
from tests.support.fakes_ingest import Crash, CrashAfter, OurFaultError
from tests.support.ingest_samples import ARCHIVE, ARCHIVED_AT, DAY, Bench, archive, instance

BODIES = (
    instance(1, 1),
    instance(1, 2),
    instance(1, 1, PatientID="P2"),  # one UID, other bytes
    instance(2, 1),
    instance(2, 2),
    b"not dicom",
    b"",
    instance(3, 1)[:420],
)
OWNERS = ("H1", "H2", "H7")  # H7 is not registered
EXAMPLES = 1500


def fill(bench):
    """One object of every body at every hospital, some keys with several versions, and one key of no layout."""
    objects = []
    for hospital in OWNERS:
        for number, body in enumerate(BODIES):
            key = f"instances/{hospital}/{DAY}/{number // 2}"
            objects.append(Uploaded(key, bench.uploads.upload(key, body), len(body)))
    objects.append(Uploaded("elsewhere", bench.uploads.upload("elsewhere", instance()), 1))
    objects.append(Uploaded(f"instances/H1/{DAY}/huge", "v0", 5 * 1024**3))
    return objects


def truth(bench):
    """Journal and quarantine as they ended, TTL and time of recording aside."""
    records = {key: replace(record, recorded_at=None) for key, record in bench.quarantine.records.items()}
    return bench.journal.everything(), records


EXPECTED = Bench()
OBJECTS = fill(EXPECTED)
assert EXPECTED.ingest(OBJECTS) == frozenset()
TRUTH = truth(EXPECTED)


def filled_bench():
    """The same versions at the same instants as in EXPECTED, read only."""
    bench = Bench()
    bench.uploads.objects = EXPECTED.uploads.objects
    return bench


def assert_settles_follow_writes(bench):
    told = {}
    for ref, at in bench.settle_queue.sent:
        told[ref] = max(at, told.get(ref, at))
    assert told.keys() >= bench.journal.last_write.keys()
    assert all(told[ref] > at for ref, at in bench.journal.last_write.items())


def assert_every_version_has_a_receipt(bench, objects):
    seen = {told for outcomes in bench.receipts.written.values() for told in map(version_of, outcomes)}
    assert seen >= {(one.key, one.version_id) for one in objects}


def version_of(told):
    return told["key"], told["version_id"]


batches = st.lists(st.lists(st.sampled_from(range(len(OBJECTS))), min_size=1, max_size=12), max_size=8)


@settings(max_examples=EXAMPLES, deadline=None)
@given(batches, st.randoms(use_true_random=False))
def test_any_order_repetition_and_batching_ends_the_same(drawn, random):
    bench = filled_bench()
    left = list(range(len(OBJECTS)))
    random.shuffle(left)
    for batch in [*drawn, left]:
        assert bench.ingest([OBJECTS[number] for number in batch]) == frozenset()
    assert truth(bench) == TRUTH
    assert_settles_follow_writes(bench)
    assert_every_version_has_a_receipt(bench, OBJECTS)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from([Crash, OurFaultError])), max_size=4),
    st.lists(st.integers(0, 40), max_size=4),
    st.randoms(use_true_random=False),
)
def test_a_crash_after_any_call_mends_itself_on_redelivery(crashes, patience, random):
    bench = filled_bench()
    left = set(OBJECTS)
    for calls, fault in crashes:
        crash = CrashAfter(calls, fault)
        bench.around = crash.around
        allowed = iter([True] * (patience.pop() if patience else 99))
        batch = random.sample(sorted(left, key=str), k=min(len(left), random.randint(1, 20)))
        try:
            left -= set(batch) - bench.ingest(batch, keep_going=lambda allowed=allowed: next(allowed, False))
        except Crash:
            continue  # nothing of the batch is deleted from the queue: all of it comes again
    bench.around = lambda port: port
    assert bench.ingest(left) == frozenset()
    assert truth(bench) == TRUTH
    assert_settles_follow_writes(bench)
    assert_every_version_has_a_receipt(bench, OBJECTS)


def calls_of(work):
    """How many port calls the work makes."""
    counter = CrashAfter(0)
    bench = Bench(around=counter.around)
    work(bench)
    return len(counter.made)


@pytest.mark.parametrize("fault", [Crash, OurFaultError])
def test_each_call_of_ingest_fails_in_turn(fault):
    for calls in range(1, calls_of(lambda bench: bench.ingest(fill(bench))) + 1):
        bench = filled_bench()
        bench.around = CrashAfter(calls, fault).around
        try:
            left = bench.ingest(OBJECTS)
        except Crash:
            left = OBJECTS
        bench.around = lambda port: port
        assert bench.ingest(left) == frozenset()
        assert truth(bench) == TRUTH
        assert_settles_follow_writes(bench)
        assert_every_version_has_a_receipt(bench, OBJECTS)


ZIPPED = archive(
    [
        ("IMAGES/1", instance(1, 1)),
        ("IMAGES/2", instance(1, 2)),
        ("IMAGES/", b""),
        ("README.txt", b"read me"),
        ("../evil", instance(1, 3)),
        ("inner.zip", archive([("x", b"x")])),
    ]
)


def zipped_bench():
    bench = Bench()
    return bench, Uploaded(ARCHIVE, bench.uploads.upload(ARCHIVE, ZIPPED), len(ZIPPED))


def through_the_normal_path(bench):
    """What the events of unpacked/ lead to."""
    unpacked = [Uploaded(one.key, None, one.size) for one in bench.uploads.versions("unpacked/")]
    assert bench.ingest(unpacked) == frozenset()
    entries = {(entry.header.sop_instance_uid, entry.place.key, entry.received_at) for entry in bench.entries()}
    return entries, bench.quarantine.reasons()


@pytest.mark.parametrize("fault", [Crash, OurFaultError])
def test_each_call_of_unpacking_fails_in_turn(fault):
    whole, uploaded = zipped_bench()
    assert whole.unpack([uploaded]) == frozenset()
    expected = through_the_normal_path(whole)
    assert len(expected[0]) == 2
    assert expected[1] == ["nested_archive", "not_dicom", "path_trick"]
    for calls in range(1, calls_of(lambda bench: bench.unpack([take(bench)])) + 1):
        bench, uploaded = zipped_bench()
        bench.around = CrashAfter(calls, fault).around
        with suppress(Crash):
            bench.unpack([uploaded])
        bench.around = lambda port: port
        assert bench.unpack([uploaded]) == frozenset()
        assert through_the_normal_path(bench) == expected


PACK = make_pack([instance(1, number) for number in range(12)])


@pytest.mark.parametrize("fault", [Crash, OurFaultError])
def test_each_call_of_indexing_a_pack_fails_in_turn(fault):
    whole, crash = Bench(), CrashAfter(0)
    whole.around = crash.around
    assert whole.unpack([pack_in(whole)]) == frozenset()
    for calls in range(1, len(crash.made) + 1):
        bench = Bench()
        uploaded = pack_in(bench)
        bench.around = CrashAfter(calls, fault).around
        with suppress(Crash):
            bench.unpack([uploaded])
        bench.around = lambda port: port
        assert bench.unpack([uploaded]) == frozenset()
        assert truth(bench) == truth(whole)
        assert_settles_follow_writes(bench)
        assert_every_version_has_a_receipt(bench, [uploaded])


def pack_in(bench):
    return Uploaded(ARCHIVE, bench.uploads.upload(ARCHIVE, PACK, at=ARCHIVED_AT), len(PACK))


def take(bench):
    return Uploaded(ARCHIVE, bench.uploads.upload(ARCHIVE, ZIPPED), len(ZIPPED))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 8), max_size=6))
def test_an_archive_cut_short_by_time_goes_on_where_it_was(patience):
    whole, uploaded = zipped_bench()
    assert whole.unpack([uploaded]) == frozenset()
    bench, uploaded = zipped_bench()
    for allowed in patience:
        left = iter([True] * allowed)
        bench.unpack([uploaded], keep_going=lambda left=left: next(left, False))
    assert bench.unpack([uploaded]) == frozenset()
    assert through_the_normal_path(bench) == through_the_normal_path(whole)
