"""What is uploaded is locked by the bucket itself, whoever puts it and whatever they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from chalicelib import wiring

KEY = "instances/H1/2026-11-24/a.dcm"


@pytest.fixture
def version(cloud_settings):
    s3, bucket = cloud_settings.client("s3"), cloud_settings.settings["UPLOADS_BUCKET"]
    return s3, {
        "Bucket": bucket,
        "Key": KEY,
        "VersionId": s3.put_object(Bucket=bucket, Key=KEY, Body=b"x")["VersionId"],
    }


def test_a_plain_put_is_locked_for_fifteen_years_in_governance_mode(version):
    s3, named = version
    kept = s3.head_object(**named)  # moto fails at GetObjectRetention of a default lock
    assert kept["ObjectLockMode"] == "GOVERNANCE"
    fifteen = timedelta(days=15 * 365)
    assert (
        fifteen
        <= kept["ObjectLockRetainUntilDate"] - datetime.now(UTC) + timedelta(hours=1)
        <= fifteen + timedelta(days=5)
    )


def test_its_version_cannot_be_deleted_and_a_marker_over_it_hides_nothing_from_us(version):
    s3, named = version
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(**named)
    s3.delete_object(Bucket=named["Bucket"], Key=KEY)
    found = [one.version_id for one in wiring.uploads().versions(KEY)]
    assert found == [named["VersionId"]]
    assert wiring.uploads().read(KEY, named["VersionId"], 0, 9).data == b"x"


def test_what_we_write_ourselves_is_locked_too(version):
    s3, named = version
    assert wiring.uploads().put_new("unpacked/H1/2026-11-24/v/000000", b"y", {})
    key = "unpacked/H1/2026-11-24/v/000000"
    assert s3.head_object(Bucket=named["Bucket"], Key=key)["ObjectLockMode"] == "GOVERNANCE"
