from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.leave_receipt import Outcome, leave_receipt
from chalicelib.services.reconcile_uploads import ReconcileUploads
from tests.support.fakes_ingest import FakeRefeed
from tests.support.ingest_samples import CLOSED, H1, H2, Bench, instance

NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=3)


def reconcile(bench, now=NOW, replay=lambda objects, _: None):
    refeed = FakeRefeed()
    assert ReconcileUploads(bench.uploads, bench.receipts, bench.hospitals, refeed, replay)(now) == len(refeed.fed)
    return refeed.fed


def uploaded(bench, key, at=EARLIER):
    return Uploaded(key, bench.uploads.upload(key, instance(), at=at), len(instance()))


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
    leave_receipt(
        bench.receipts,
        [Outcome("instances/H1/2026-11-24/x", uploaded(bench, "instances/H1/2026-11-24/x").version_id, "indexed")],
        NOW,
    )
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
    one = uploaded(bench, "instances/H1/2026-11-23/x")
    leave_receipt(bench.receipts, [Outcome(one.key, one.version_id, "indexed")], NOW - timedelta(days=2))
    assert reconcile(bench) == []


def test_a_receipt_is_named_by_its_content():
    bench, other = Bench(), Bench()
    told = [Outcome("k1", "v1", "indexed"), Outcome("k2", "v2", "empty")]
    leave_receipt(bench.receipts, told, NOW)
    leave_receipt(other.receipts, [*told[::-1], told[0]], NOW + timedelta(minutes=1))
    assert bench.receipts.written == other.receipts.written
    leave_receipt(other.receipts, told[:1], NOW)
    assert len(other.receipts.written) == 2
