"""The locked bucket and the audit's table themselves: bytes, locks, versions, strangers."""

import gzip
import hashlib
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.seal import HOUR, START, hour_name, read_seal, seal
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import ulid
from chalicelib.services.seal_audit import MOST, SealAudit
from chalicelib.store.audit import DynamoAudit
from chalicelib.store.audit_archive import S3SealArchive
from tests.support.seal_vault import NOW, RealArchive, always, filled, seal_lines, vault_on
from tests.support.sealed_hours import FIRST


@pytest.fixture
def real(cloud):
    return vault_on(cloud)


def an_event(at, number):
    return AuditEvent(
        event_id=ulid(at, bytes([number]) * 10),
        at=at,
        action="view_study",
        role="doctor",
        subject="李",
        hospital_id="H1",
        allowed=True,
        reason="sms_code",
        person_id="P",
        study=StudyRef("H2", "1.2.3"),
    )


def test_what_the_audit_writes_is_found_in_its_hour_whatever_its_shard(cloud, real):
    audit = DynamoAudit(cloud.client("dynamodb"), cloud.settings["AUDIT_TABLE"])
    events = [an_event(FIRST + timedelta(minutes=number), number) for number in range(59)]
    for event in events:
        audit.put(event)
    found = real.table.of_hour(FIRST)
    assert {one.event_id for one in found} == {event.event_id for event in events}
    assert len({one.partition for one in found}) > 8
    assert found[0].values["allowed"] is True
    assert real.run(FIRST + 2 * HOUR).events == 59


def test_an_attribute_of_any_type_is_in_the_seal(cloud, real):
    item = {
        "PK": {"S": f"{hour_name(FIRST)}#00"},
        "SK": {"S": "X"},
        "n": {"N": "1"},
        "b": {"B": b"\0"},
        "l": {"L": [{"S": "x"}]},
        "m": {"M": {"k": {"BOOL": False}}},
        "s": {"SS": ["b", "a"]},
        "bs": {"BS": [b"b"]},
    }
    cloud.client("dynamodb").put_item(TableName=cloud.settings["AUDIT_TABLE"], Item=item)
    (found,) = real.table.of_hour(FIRST)
    assert found.values == {
        "n": {"N": "1"},
        "b": {"B": "AA=="},
        "l": ["x"],
        "m": {"M": {"k": False}},
        "s": {"SS": ["a", "b"]},
        "bs": {"BS": ["Yg=="]},
    }


def test_equal_events_make_equal_bytes_in_the_bucket(cloud, real):
    filled(real).run()
    s3, bucket = cloud.client("s3"), cloud.settings["AUDIT_ARCHIVE_BUCKET"]
    body = s3.get_object(Bucket=bucket, Key=f"events/{hour_name(FIRST)}.jsonl.gz")["Body"].read()
    assert gzip.decompress(body) == seal_lines(real, FIRST)
    assert body[3:8] == bytes(5)  # RFC 1952: no name and no time, so that nothing but the events is in it
    told = read_seal(s3.get_object(Bucket=bucket, Key=f"seals/{hour_name(FIRST)}.json")["Body"].read())
    assert told.events_sha256 == hashlib.sha256(gzip.decompress(body)).hexdigest()


def test_seal_and_file_are_locked_in_compliance_mode_for_decades(cloud, real):
    filled(real).run()
    s3, bucket = cloud.client("s3"), cloud.settings["AUDIT_ARCHIVE_BUCKET"]
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        head = s3.head_object(Bucket=bucket, Key=version["Key"])
        assert head["ObjectLockMode"] == "COMPLIANCE"
        assert head["ObjectLockRetainUntilDate"] - head["LastModified"] > timedelta(days=29 * 365)
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def test_a_key_written_twice_and_a_strangers_key_are_odd(cloud, real):
    filled(real).run()
    s3, bucket = cloud.client("s3"), cloud.settings["AUDIT_ARCHIVE_BUCKET"]
    key = f"events/{hour_name(FIRST)}.jsonl.gz"
    s3.put_object(Bucket=bucket, Key=key, Body=b"another")
    s3.put_object(Bucket=bucket, Key="notes.txt", Body=b"x")
    survey = real.archive.survey()
    assert {(one.key, one.is_stray) for one in survey.oddities} == {(key, False), ("notes.txt", True)}
    assert real.findings() == []


def test_a_file_that_is_no_gzip_is_unreadable(cloud, real):
    filled(real)
    s3, bucket = cloud.client("s3"), cloud.settings["AUDIT_ARCHIVE_BUCKET"]
    s3.put_object(Bucket=bucket, Key=f"events/{hour_name(FIRST)}.jsonl.gz", Body=b"no gzip")
    s3.put_object(Bucket=bucket, Key=f"seals/{hour_name(FIRST)}.json", Body=seal(FIRST, [], START).to_json())
    assert real.archive.kept(real.archive.survey(), FIRST).unreadable
    with pytest.raises(gzip.BadGzipFile):
        list(real.archive.put_file(FIRST, []))


def test_an_archive_untouched_for_weeks_is_gone_on_with(real):
    filled(real).run()
    late = real.run(NOW + 30 * 24 * HOUR)
    assert (late.hours, late.last) == (MOST, FIRST + (3 + MOST) * HOUR)


def test_faults_of_the_bucket_are_raised(real):
    with pytest.raises(ClientError, match="NoSuchBucket"):
        SealAudit(real.table, S3SealArchive(real.archive._client, "no-such"))(NOW, always)  # noqa: SLF001 - a port has no other bucket


def test_of_two_that_seal_at_once_the_first_put_counts_for_both(cloud, real):
    """Both looked before either had put: the bucket's condition decides."""

    class LooksTooEarly(RealArchive):
        looked = False

        def _first(self, key):
            if not self.looked:
                self.looked = True
                return None
            return super()._first(key)

    real.archive.put_file(FIRST, [b"first"])
    late = LooksTooEarly(cloud.client("s3"), cloud.settings["AUDIT_ARCHIVE_BUCKET"])
    assert list(late.put_file(FIRST, [b"second"])) == [b"first"]


def test_a_key_of_no_hour_is_odd_however_it_looks(cloud, real):
    key = "seals/2026-99-99T99.json"
    cloud.client("s3").put_object(Bucket=cloud.settings["AUDIT_ARCHIVE_BUCKET"], Key=key, Body=b"x")
    survey = real.archive.survey()
    assert [(one.key, one.is_stray) for one in survey.oddities] == [(key, True)]
    assert survey.first is None
