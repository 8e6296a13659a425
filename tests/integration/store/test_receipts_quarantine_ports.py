"""Receipts and quarantine, fake and real."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.quarantine import REASONS
from chalicelib.services.ports import QuarantineRecord
from chalicelib.store.quarantine import S3Quarantine, record_key
from chalicelib.store.receipts import S3Receipts
from tests.support.answers import Answers, refusal
from tests.support.fakes_ingest import FakeQuarantine, FakeReceipts

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
KEY = "instances/H1/2026-11-24/1.dcm"


@pytest.fixture(params=["fake", "real"])
def receipts(request):
    if request.param == "fake":
        return FakeReceipts()
    cloud = request.getfixturevalue("cloud")
    return S3Receipts(cloud.client("s3"), cloud.settings["UPLOADS_BUCKET"])


@pytest.fixture(params=["fake", "real"])
def quarantine(request):
    if request.param == "fake":
        return FakeQuarantine()
    cloud = request.getfixturevalue("cloud")
    return S3Quarantine(cloud.client("s3"), cloud.settings["QUARANTINE_BUCKET"])


def record(number=1, hospital="H1", **changes):
    made = QuarantineRecord(
        hospital_id=hospital,
        key=f"instances/{hospital}/2026-11-24/{number}.dcm",
        version_id="v1",
        size=7,
        received_at=NOW,
        reason="not_dicom",
        detail="",
        recorded_at=NOW,
    )
    return replace(made, **changes)


def test_a_receipt_tells_what_was_seen_on_its_date(receipts):
    receipts.write("b1", NOW, [{"key": KEY, "version_id": "v1", "outcome": "indexed"}])
    receipts.write("b2", NOW, [{"key": KEY, "version_id": "v2", "outcome": "empty"}])
    receipts.write("b3", NOW + timedelta(days=1), [{"key": KEY, "version_id": "v3", "outcome": "indexed"}])
    receipts.write("c1", NOW, [{"key": KEY, "version_id": "v4", "outcome": "indexed"}])
    assert list(receipts.of("2026-11-24", "b")) == [("b1", [(KEY, "v1")]), ("b2", [(KEY, "v2")])]
    assert list(receipts.of("2026-11-24", "b", "b1")) == [("b2", [(KEY, "v2")])]
    assert list(receipts.of("2026-11-24", "a")) == []


def test_the_same_receipt_twice_is_one(receipts):
    for _ in range(2):
        receipts.write("b1", NOW, [{"key": KEY, "version_id": "v1", "outcome": "indexed"}])
    assert list(receipts.of("2026-11-24", "b")) == [("b1", [(KEY, "v1")])]


def test_a_record_comes_back_as_it_was_put(quarantine):
    known = record(detail="(0020,000D)")
    unread = record(2, received_at=None, reason="deleted", size=0)
    quarantine.put(known)
    quarantine.put(unread)
    assert set(quarantine.list("H1", "", 10).items) == {known, unread}


def test_repetition_changes_not_even_the_time_of_recording(quarantine):
    quarantine.put(record())
    quarantine.put(record(recorded_at=NOW + timedelta(hours=1)))
    assert quarantine.list("H1", "", 10).items == (record(),)


def test_a_hospitals_records_come_in_pages_and_only_its_own(quarantine):
    for number in range(5):
        quarantine.put(record(number))
    quarantine.put(record(hospital="H11"))
    found, token = [], ""
    while True:
        page = quarantine.list("H1", token, 2)
        found += page.items
        token = page.next_token
        if not token:
            break
    assert sorted(one.key for one in found) == [f"instances/H1/2026-11-24/{number}.dcm" for number in range(5)]
    assert quarantine.list("H3", "", 2).items == ()


@pytest.mark.parametrize("token", ["nonsense", "H1", "2026-11-24", "é"])
def test_a_token_that_is_none_of_ours_is_refused(quarantine, token):
    quarantine.put(record())
    with pytest.raises(ValueError, match="token"):
        quarantine.list("H1", token, 2)


def test_a_record_is_read_by_its_id_and_only_under_its_hospital(quarantine):
    quarantine.put(record(sop_instance_uid="1.2.3"))
    assert quarantine.get("H1", record().entry_id) == record(sop_instance_uid="1.2.3")
    assert quarantine.get("H2", record().entry_id) is None


def test_a_records_object_speaks_both_languages(cloud):
    s3, bucket = cloud.client("s3"), cloud.settings["QUARANTINE_BUCKET"]
    S3Quarantine(s3, bucket).put(record())
    answer = s3.get_object(Bucket=bucket, Key=record_key(record()))
    body = json.loads(answer["Body"].read())
    assert answer["ContentType"] == "application/json"
    assert body["message"] == {"en": REASONS["not_dicom"].en, "zh": REASONS["not_dicom"].zh}
    assert body["remedy"]["zh"] == REASONS["not_dicom"].remedy_zh


@pytest.mark.parametrize(
    ("changes", "date"),
    [
        ({}, "2026-11-24"),
        ({"key": "elsewhere/x"}, "2026-11-24"),
        ({"key": "elsewhere/x", "received_at": None}, "undated"),
    ],
)
def test_a_records_key_depends_on_the_object_version_alone(changes, date):
    one, later = record(**changes), record(**changes, recorded_at=NOW + timedelta(days=3), detail="other")
    assert record_key(one) == record_key(later)
    assert record_key(one).split("/")[1] == date


def test_a_bucket_that_refuses_a_record_is_our_fault():
    with pytest.raises(ClientError):
        S3Quarantine(Answers(put_object=[refusal("SlowDown")]), "bucket").put(record())
