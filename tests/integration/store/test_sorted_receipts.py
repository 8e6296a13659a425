"""Sorted receipts and the pieces' queue, fake and real; listing behind a key."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime

import pytest

from chalicelib.domain.reconciling import CheckPiece, SortPiece, Span, from_message
from chalicelib.store.receipts import S3Receipts
from chalicelib.store.sorted_receipts import PiecesBusyError, S3SortedReceipts, SqsPieces
from chalicelib.store.uploads import S3Uploads
from tests.support.answers import Answers
from tests.support.nights import FakeSortedReceipts

NIGHT = datetime(2026, 11, 24, 18, tzinfo=UTC)


@pytest.fixture(params=["fake", "real"])
def kept(request):
    if request.param == "fake":
        return FakeSortedReceipts()
    cloud = request.getfixturevalue("cloud")
    return S3SortedReceipts(cloud.client("s3"), cloud.settings["REPORTS_BUCKET"])


def test_each_hospitals_digests_come_back_by_their_span(kept):
    kept.put(NIGHT, "2026-11-24-a-", {"H1": b"1" * 16, "H2": b"2" * 8})
    spans = kept.spans(NIGHT, "2026-11-24-a-")
    assert {one: kept.read(NIGHT, "2026-11-24-a-", *span) for one, span in spans.items()} == {
        "H1": b"1" * 16,
        "H2": b"2" * 8,
    }


def test_a_part_without_digests_is_a_part_all_the_same(kept):
    kept.put(NIGHT, "2026-11-24-a--last", {})
    assert kept.parts(NIGHT) == ["2026-11-24-a--last"]
    assert kept.spans(NIGHT, "2026-11-24-a--last") == {}


def test_each_night_has_its_own_parts(kept):
    kept.put(NIGHT, "2026-11-24-a--last", {"H1": b"1" * 8})
    assert kept.parts(NIGHT.replace(minute=1)) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"no gzip", gzip.compress(b"{"), gzip.compress(b'{"outcomes": [{}]}')[:-4]],
    ids=["empty", "no gzip", "no JSON", "cut off"],
)
def test_a_receipt_that_is_none_stops_no_share(cloud, body):
    s3, bucket = cloud.client("s3"), cloud.settings["UPLOADS_BUCKET"]
    s3.put_object(Bucket=bucket, Key="receipts/2026-11-24/a1", Body=body, ChecksumAlgorithm="SHA256")
    receipts = S3Receipts(s3, bucket)
    receipts.write("a2", NIGHT, [{"key": "k", "version_id": "v", "outcome": "indexed"}])
    assert list(receipts.of("2026-11-24", "a")) == [("a1", []), ("a2", [("k", "v")])]


def test_all_pieces_reach_the_queue_whole(cloud):
    sent = [
        *(SortPiece(NIGHT, date(2026, 11, 24), share) for share in "0123456789abcdef"),
        CheckPiece(NIGHT, "H1", (Span("2026-11-24-a-", 8, 16),), "instances/H1/2026-11-24/x"),
    ]
    SqsPieces(cloud.client("sqs"), cloud.settings["RECONCILE_QUEUE_URL"]).send(sent)
    found = []
    while (
        got := cloud.client("sqs")
        .receive_message(QueueUrl=cloud.settings["RECONCILE_QUEUE_URL"], MaxNumberOfMessages=10)
        .get("Messages")
    ):
        found += [from_message(json.loads(one["Body"])) for one in got]
    assert sorted(found, key=repr) == sorted(sent, key=repr)


def test_a_queue_that_takes_only_some_pieces_is_told():
    queue = Answers(send_message_batch=[{"Failed": [{"Id": "0"}]}])
    with pytest.raises(PiecesBusyError):
        SqsPieces(queue, "url").send([SortPiece(NIGHT, date(2026, 11, 24), "a")])


def test_uploads_are_listed_behind_a_key_with_all_versions_of_the_next(cloud):
    s3, bucket = cloud.client("s3"), cloud.settings["UPLOADS_BUCKET"]
    for name in ("a", "b", "b", "c"):
        s3.put_object(Bucket=bucket, Key=f"instances/H1/2026-11-24/{name}", Body=b"x", ChecksumAlgorithm="SHA256")
    prefix = "instances/H1/2026-11-24/"
    found = [one.key.removeprefix(prefix) for one in S3Uploads(s3, bucket).versions(prefix, f"{prefix}a")]
    assert found == ["b", "b", "c"]


def test_a_listing_goes_on_where_its_page_ended():
    def page(*names, more=False):
        found = [{"Key": one, "VersionId": "v", "Size": 1, "LastModified": NIGHT} for one in names]
        return {"Versions": found, "IsTruncated": more, "NextKeyMarker": names[-1], "NextVersionIdMarker": "v"}

    s3 = Answers(list_object_versions=[page("a", "b", more=True), page("c")])
    assert [one.key for one in S3Uploads(s3, "bucket").versions("")] == ["a", "b", "c"]
    assert [asked.get("KeyMarker") for asked in s3.calls] == [None, "b"]
