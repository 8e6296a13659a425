"""Sealing over the table and the locked bucket, and over their fakes: one suite for both."""

import gzip
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.seal import (
    HOUR,
    START,
    hour_name,
    hours,
    joined,
    lines_of,
    read_seal,
    seal,
    split,
    verify,
)
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import ulid
from chalicelib.services.seal_audit import MOST, SealAudit, SealConflict
from chalicelib.store.audit import DynamoAudit
from chalicelib.store.audit_archive import S3SealArchive
from chalicelib.store.audit_hours import DynamoAuditHours
from tests.support.fakes_audit import FakeAuditHours, FakeSealArchive
from tests.support.sealed_hours import FIRST, record

NOW = FIRST + 5 * HOUR + timedelta(minutes=10)  # FIRST … FIRST + 3 h are due


def always():
    return True


class RealHours(DynamoAuditHours):
    """With the two writes of these tests."""

    def put(self, hour, *records):
        for one in records:
            values = {name: {"BOOL" if isinstance(value, bool) else "S": value} for name, value in one.values.items()}
            item = {"PK": {"S": one.partition}, "SK": {"S": one.event_id}, **values}
            self._client.put_item(TableName=self._table, Item=item)

    def remove(self, hour, one):
        key = {"PK": {"S": one.partition}, "SK": {"S": one.event_id}}
        self._client.delete_item(TableName=self._table, Key=key)


class RealArchive(S3SealArchive):
    def hide(self, kind, hour):
        key = {"seal": f"seals/{hour_name(hour)}.json", "file": f"events/{hour_name(hour)}.jsonl.gz"}[kind]
        self._client.delete_object(Bucket=self._bucket, Key=key)


@dataclass
class Vault:
    table: Any
    archive: Any

    def run(self, now=NOW, keep_going=always):
        return SealAudit(self.table, self.archive)(now, keep_going)

    def seals(self):
        survey = self.archive.survey()
        return [read_seal(self.archive.kept(survey, hour).seal) for hour in hours(survey.first, survey.last)]

    def findings(self):
        survey = self.archive.survey()
        told = [
            (hour, self.archive.kept(survey, hour), self.table.of_hour(hour))
            for hour in hours(survey.first, survey.last)
        ]
        return [finding for verified in verify(told) for finding in verified.findings]


@pytest.fixture(params=["fake", "real"])
def vault(request):
    if request.param == "fake":
        return Vault(FakeAuditHours(), FakeSealArchive())
    cloud = request.getfixturevalue("cloud")
    return Vault(
        RealHours(cloud.client("dynamodb"), cloud.settings["AUDIT_TABLE"]),
        RealArchive(cloud.client("s3"), cloud.settings["AUDIT_ARCHIVE_BUCKET"]),
    )


def filled(vault):
    for number, count in enumerate((3, 0, 20, 2)):
        hour = FIRST + number * HOUR
        vault.table.put(hour, *(record(hour, at) for at in range(count)))
    return vault


def test_the_first_run_begins_at_the_first_event_and_ends_two_hours_ago(vault):
    done = filled(vault).run()
    assert (done.hours, done.events, done.last, done.left) == (4, 25, FIRST + 3 * HOUR, 0)
    assert [one.count for one in vault.seals()] == [3, 0, 20, 2]
    assert vault.findings() == []


def test_each_seal_names_the_one_before_and_the_run_tells_the_head(vault):
    done = filled(vault).run()
    seals = vault.seals()
    assert [one.previous for one in seals] == [START, *(one.digest for one in seals[:-1])]
    assert done.head == seals[-1].digest


def test_running_again_changes_nothing_and_the_next_hour_goes_on_from_the_last(vault):
    filled(vault).run()
    before = vault.seals()
    again = vault.run()
    assert (again.hours, again.last, again.head) == (0, FIRST + 3 * HOUR, before[-1].digest)
    later = vault.run(NOW + HOUR)
    assert (later.hours, later.events) == (1, 0)
    assert vault.seals()[:-1] == before


def test_the_hour_that_may_still_be_written_is_never_sealed(vault):
    filled(vault).run(FIRST + 2 * HOUR - timedelta(seconds=1))
    assert vault.archive.survey().last is None or vault.archive.survey().last < FIRST
    vault.run(FIRST + 2 * HOUR)
    assert vault.archive.survey().last == FIRST


def test_a_run_out_of_time_says_what_is_left_and_the_next_takes_it_up(vault):
    turns = iter([True, True, False])
    done = filled(vault).run(keep_going=lambda: next(turns))
    assert (done.hours, done.last, done.left) == (2, FIRST + HOUR, 2)
    assert vault.run().left == 0
    assert vault.findings() == []


def test_a_long_silence_is_sealed_in_bounded_runs(vault):
    filled(vault).run()
    late = vault.run(NOW + (MOST + 10) * HOUR)
    assert (late.hours, late.left) == (MOST, 10)
    assert vault.run(NOW + (MOST + 10) * HOUR).left == 0
    assert vault.findings() == []


def test_without_any_event_the_hour_due_is_the_first(vault):
    done = vault.run()
    assert (done.hours, done.events, done.last) == (1, 0, FIRST + 3 * HOUR)


def test_a_crash_between_file_and_seal_is_taken_up_with_what_was_put_first(vault):
    """Even if the table was tampered with in between: then verify names it."""
    filled(vault)
    lines = seal_lines(vault, FIRST)
    vault.archive.put_file(FIRST, lines)
    gone = vault.table.of_hour(FIRST)[0]
    vault.table.remove(FIRST, gone)
    vault.run()
    assert vault.seals()[0] == seal(FIRST, split(lines), START)
    assert [(one.kind, one.where, one.event_id) for one in vault.findings()] == [("removed", "table", gone.event_id)]


def test_an_event_that_comes_into_a_sealed_hour_is_named_as_added(vault):
    filled(vault).run()
    late = record(FIRST, 50)
    vault.table.put(FIRST, late)
    vault.run(NOW + HOUR)
    assert [(one.kind, one.where, one.event_id) for one in vault.findings()] == [("added", "table", late.event_id)]


def test_a_second_seal_of_an_hour_is_refused(vault):
    filled(vault)
    forged = seal(FIRST, [], "f" * 64)
    vault.archive.put_seal(FIRST, forged.to_json())
    assert vault.archive.put_seal(FIRST, b"another") == forged.to_json()
    vault.run()
    first, *_ = vault.seals()
    assert first == forged
    assert {one.kind for one in vault.findings()} > {"chain_broken"}


def test_a_seal_that_differs_from_what_the_table_says_stops_the_run(vault):
    class LosesSight(type(vault.archive)):
        def latest(self, until):
            return None

    filled(vault).run()
    vault.table.put(FIRST - HOUR, record(FIRST - HOUR, 1))
    vault.archive.__class__ = LosesSight
    with pytest.raises(SealConflict, match=hour_name(FIRST)):
        vault.run()


def test_a_hidden_seal_is_still_read_and_named(vault):
    filled(vault).run()
    vault.archive.hide("seal", FIRST + 3 * HOUR)
    done = vault.run()
    assert (done.hours, done.last) == (0, FIRST + 3 * HOUR)
    assert [one.hour for one in vault.archive.survey().oddities] == [hour_name(FIRST + 3 * HOUR)]
    assert vault.findings() == []


def test_the_files_of_sealed_hours_can_be_read_one_by_one(vault):
    filled(vault).run()
    counts = [content and content.count(b"\n") for content in vault.archive.files(FIRST, FIRST + 4 * HOUR)]
    assert counts == [3, b"", 20, 2, None]


# What only the real ones have


@pytest.fixture
def real(cloud):
    table, archive = cloud.settings["AUDIT_TABLE"], cloud.settings["AUDIT_ARCHIVE_BUCKET"]
    return Vault(RealHours(cloud.client("dynamodb"), table), RealArchive(cloud.client("s3"), archive))


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
    assert body == gzip.compress(seal_lines(real, FIRST), mtime=0)
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
        real.archive.put_file(FIRST, b"")


def test_an_archive_untouched_for_weeks_is_gone_on_with(real):
    filled(real).run()
    late = real.run(NOW + 30 * 24 * HOUR)
    assert (late.hours, late.last) == (MOST, FIRST + (3 + MOST) * HOUR)


def test_faults_of_the_bucket_are_raised(real):
    with pytest.raises(ClientError, match="NoSuchBucket"):
        SealAudit(real.table, S3SealArchive(real.archive._client, "no-such"))(NOW, always)  # noqa: SLF001


def seal_lines(vault, hour):
    return joined(lines_of(vault.table.of_hour(hour)))
