from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.reconciling import SHARES, CheckPiece, SortPiece, from_message, sort_pieces, to_message
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.leave_receipt import Outcome, leave_receipt
from tests.support.fakes_ingest import Crash, CrashAfter
from tests.support.ingest_samples import CLOSED, H1, H2, Bench, instance
from tests.support.nights import Night, Turns

NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=3)


def reconcile(bench, now=NOW, **given):
    night = Night(bench, **given)
    night(now)
    return night.refeed.fed


def uploaded(bench, key, at=EARLIER):
    return Uploaded(key, bench.uploads.upload(key, instance(), at=at), len(instance()))


def received(bench, *objects, at=EARLIER):
    """As many receipts as objects."""
    for one in objects:
        leave_receipt(bench.receipts, [Outcome(one.key, one.version_id, "indexed")], at)


def test_what_no_receipt_names_is_fed_again_whatever_its_kind():
    bench = Bench()
    keys = [f"{kind}/H1/2026-11-24/x" for kind in ("instances", "archives", "notices", "unpacked")]
    assert reconcile(bench) == []
    missing = [uploaded(bench, key) for key in keys]
    assert sorted(reconcile(bench)) == sorted(missing)


def test_what_was_handled_is_not_fed_again():
    bench = Bench()
    bench.clock.at = EARLIER
    good, bad = uploaded(bench, "instances/H1/2026-11-24/x"), uploaded(bench, "instances/H2/2026-11-24/x")
    bench.ingest([good])
    assert reconcile(bench) == [bad]
    bench.ingest(reconcile(bench))
    assert reconcile(bench) == []


def test_a_version_is_missing_even_where_its_key_was_seen():
    bench = Bench()
    received(bench, uploaded(bench, "instances/H1/2026-11-24/x"), at=NOW)
    second = uploaded(bench, "instances/H1/2026-11-24/x")
    assert reconcile(bench) == [second]


def test_the_last_two_dates_of_registered_hospitals_are_looked_at():
    bench = Bench(H1, H2, CLOSED)
    yesterday = uploaded(bench, "instances/H2/2026-11-23/x")
    uploaded(bench, "instances/H2/2026-11-22/x")
    uploaded(bench, "instances/H7/2026-11-24/x")
    assert reconcile(bench) == [yesterday]


def test_what_just_came_is_still_on_its_way_by_itself():
    bench = Bench()
    fresh = uploaded(bench, "instances/H1/2026-11-24/x", at=NOW - timedelta(minutes=5))
    assert reconcile(bench) == []
    assert reconcile(bench, NOW + timedelta(minutes=30)) == [fresh]


def test_the_amendments_of_the_last_two_dates_are_replayed_and_fed_to_no_queue():
    bench, replayed = Bench(), []
    kept = [uploaded(bench, f"amendments/H1/2026-11-{day}/01A.json") for day in (22, 23, 24)]
    uploaded(bench, "amendments/H1/2026-11-24/01B.json", at=NOW)  # still on its way
    assert reconcile(bench, replay=lambda objects, _: replayed.extend(objects)) == []
    assert sorted(replayed) == kept[1:]


def test_a_receipt_written_before_midnight_counts_for_a_key_of_the_next_date():
    bench = Bench()
    received(bench, uploaded(bench, "instances/H1/2026-11-23/x"), at=NOW - timedelta(days=2))
    assert reconcile(bench) == []


def test_a_receipt_is_named_by_its_content():
    bench, other = Bench(), Bench()
    told = [Outcome("k1", "v1", "indexed"), Outcome("k2", "v2", "empty")]
    leave_receipt(bench.receipts, told, NOW)
    leave_receipt(other.receipts, [*told[::-1], told[0]], NOW + timedelta(minutes=1))
    assert bench.receipts.written == other.receipts.written


def province(hospitals=3, each=40):
    """Two in three uploads are received; each receipt names uploads of all hospitals, as a batch does."""
    bench = Bench(H1, H2, CLOSED)
    ids = [one.hospital_id for one in (H1, H2, CLOSED)][:hospitals]
    batches = [[uploaded(bench, f"instances/{one}/2026-11-24/{n:03d}") for one in ids] for n in range(each)]
    for number, batch in enumerate(batches):
        if number % 3:
            leave_receipt(bench.receipts, [Outcome(one.key, one.version_id, "indexed") for one in batch], EARLIER)
    return bench, sorted(one for number, batch in enumerate(batches) if not number % 3 for one in batch)


@pytest.mark.parametrize("each", [40, 400])
def test_each_receipt_is_read_once_however_many_hospitals_it_names(each):
    bench, missing = province(each=each)
    assert sorted(reconcile(bench)) == missing
    assert sorted(bench.receipts.reads) == sorted(batch for _, batch in bench.receipts.written)


@pytest.mark.parametrize("turns", [1, 2, 7])
def test_what_a_run_had_no_time_for_is_another_piece_and_nothing_is_skipped_or_fed_twice(turns):
    bench, missing = province()
    night = Night(bench, keep_going=Turns(turns))
    night(NOW)
    assert sorted(night.refeed.fed) == missing
    assert sorted(bench.receipts.reads) == sorted(set(bench.receipts.reads)) or turns < 3, "at most one read ahead"
    assert len(night.pieces.done) > len(sort_pieces(NOW)) + 3


@pytest.mark.parametrize("calls", [1, 2, 5, 20, 60, 110, 140, 150])
def test_a_crash_at_any_call_is_made_good_by_the_queue(calls):
    """What was fed before a crash is fed again, which does no harm; nothing is left out."""
    bench, missing = province()
    night = Night(bench, around=CrashAfter(calls, Crash).around, keep_going=Turns(9))
    night(NOW)
    assert night.crashes == 1
    assert sorted(set(night.refeed.fed)) == missing


def test_the_hospitals_are_checked_once_all_receipts_are_sorted_and_not_before():
    bench, _ = province()
    night = Night(bench)
    night(NOW)
    kinds = [type(piece) for piece in night.pieces.done]
    assert kinds == [SortPiece] * 3 * len(SHARES) + [CheckPiece] * 3


def test_a_second_night_finds_only_what_is_still_missing():
    bench, missing = province()
    first = reconcile(bench)
    received(bench, *first[::2], at=NOW)
    assert sorted(reconcile(bench, NOW + timedelta(hours=1))) == sorted(first[1::2])
    assert sorted(first) == missing


def test_a_piece_goes_through_the_queue_unchanged():
    bench, _ = province()
    night = Night(bench, keep_going=Turns(2))
    night(NOW)
    for piece in night.pieces.done:
        assert from_message(json.loads(json.dumps(to_message(piece)))) == piece


@pytest.mark.parametrize(
    "told", [{}, {"night": "x", "after": ""}, {"night": NOW.isoformat(), "after": "", "date": "x", "share": "a"}]
)
def test_a_message_that_is_no_piece_is_refused(told):
    with pytest.raises((KeyError, ValueError)):
        from_message(told)
