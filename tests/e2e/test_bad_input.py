"""What is uploaded and cannot be indexed is in quarantine with a reason that names the fault."""

from __future__ import annotations

import json

import pytest

from infra.local.client import until
from infra.local.story_images import today
from tests.support.dicom_files import instance, nested

GB = 10**9


@pytest.fixture(scope="module")
def hospital(town):
    return town.hospital()


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("text", b"not DICOM at all" * 100, "not_dicom"),
        ("empty", b"", "empty"),
        ("cut", instance()[:305], "truncated"),
        ("no-study-uid", instance(without=(0x0020000D,)), "missing_uid"),
        ("no-sop-uid", instance(without=(0x00080018,)), "missing_uid"),
        ("uid-of-65", instance(study="1." + "2" * 63), "bad_uid"),
        ("nested", instance(nested(100_000)), "nested_too_deep"),
    ],
)
def test_a_bad_object_is_refused_by_its_fault(town, hospital, name, body, reason):
    key = town.put(hospital, name, body)
    record = town.refusal(hospital, key)
    assert record["reason"] == reason
    assert record["size"] == len(body)


def test_five_gigabytes_are_refused_by_their_declared_size(town, hospital):
    key = f"instances/{hospital}/{today()}/huge"
    town.tell("instances", key, 5 * GB)
    assert town.refusal(hospital, key)["reason"] == "too_large"


def test_an_object_deleted_before_it_was_read_is_told(town, hospital):
    key = f"instances/{hospital}/{today()}/gone"
    town.tell("instances", key, 1000)
    assert town.refusal(hospital, key)["reason"] == "deleted"


@pytest.mark.parametrize(
    ("key", "reason"),
    [("instances/NOBODY99/2026-11-24/a", "unknown_hospital"), ("instances/lower case/2026-11-24/a", "bad_key")],
)
def test_an_upload_of_nobody_we_know_is_kept_for_the_platform(town, key, reason):
    buckets, s3 = town.client.told["buckets"], town.operator("s3")
    s3.put_object(Bucket=buckets["uploads"], Key=key, Body=instance())

    def records():
        for one in s3.list_objects_v2(Bucket=buckets["quarantine"]).get("Contents", []):
            body = json.loads(s3.get_object(Bucket=buckets["quarantine"], Key=one["Key"])["Body"].read())
            if body["key"] == key:
                return body
        return None

    assert until(records, f"{key} in quarantine")["reason"] == reason


def test_a_notice_that_is_not_one_is_refused(town, hospital):
    key = town.put(hospital, "broken.json", b"{", kind="notices")
    assert town.refusal(hospital, key)["reason"] == "bad_notice"


def test_an_archive_that_is_none_is_refused(town, hospital):
    key = town.put(hospital, "broken.zip", b"PK but not really", kind="archives")
    assert town.refusal(hospital, key)["reason"] == "bad_archive"
