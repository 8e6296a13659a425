from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.quarantine import REASONS
from chalicelib.domain.study import Checksum, StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.examine_upload import MAX_OBJECT
from tests.support.fakes_ingest import FakeUploads
from tests.support.ingest_samples import DAY, H1, Bench, fed, instance, nested, padded

KEY = f"instances/H1/{DAY}/1.dcm"


def only_record(bench):
    (record,) = bench.quarantine.records.values()
    return record


# Good input


def test_an_instance_ends_in_the_journal_with_the_time_of_its_version():
    bench = Bench()
    at = datetime(2026, 11, 23, 1, tzinfo=UTC)
    version = bench.uploads.upload(KEY, instance(), at=at, checksum=Checksum("SHA256", "abc="))
    assert bench.ingest([Uploaded(KEY, version, len(instance()))]) == frozenset()
    (entry,) = bench.journal.read(StudyRef("H1", "1.2.3.1"))
    assert entry.received_at == at
    assert (entry.place.key, entry.place.version_id, entry.place.offset) == (KEY, version, 0)
    assert entry.place.length == len(instance())
    assert entry.checksum == Checksum("SHA256", "abc=")
    assert entry.header.patient_name == "王^小明"
    assert bench.outcomes() == ["indexed"]


def test_a_time_without_a_zone_stands_in_the_hospitals_own():
    bench = Bench()
    bench.ingest(fed(bench, instance()))
    assert bench.entries()[0].header.times.acquired_at == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def test_an_event_without_a_version_takes_it_from_the_answer():
    bench = Bench()
    version = bench.uploads.upload(KEY, instance())
    bench.ingest([Uploaded(KEY)])
    assert bench.entries()[0].place.version_id == version
    assert [names for _, names in bench.receipts.of(DAY, "")] == [[(KEY, version)]]


def test_two_events_of_one_version_are_one_entry():
    bench = Bench()
    version = bench.uploads.upload(KEY, instance())
    assert bench.ingest([Uploaded(KEY), Uploaded(KEY, version), Uploaded(KEY, version, 3)]) == frozenset()
    assert len(bench.entries()) == 1
    assert bench.outcomes() == ["indexed"]


def test_what_we_unpacked_keeps_its_archives_time():
    bench = Bench()
    at = datetime(2026, 11, 22, 23, tzinfo=UTC)
    key = f"unpacked/H1/{DAY}/v1/000001"
    bench.uploads.upload(key, instance(), metadata={"received-at": at.isoformat()})
    bench.ingest([Uploaded(key)])
    assert bench.entries()[0].received_at == at


def test_hospitals_cannot_date_their_own_uploads():
    bench = Bench()
    bench.uploads.upload(KEY, instance(), metadata={"received-at": "2020-01-01T00:00:00+00:00"})
    bench.ingest([Uploaded(KEY)])
    assert bench.entries()[0].received_at.year == 2026


def test_one_get_is_enough_and_only_the_first_range_of_it():
    bench = Bench()
    bench.ingest(fed(bench, instance(pixels=300_000)))
    assert [(start, length) for _, start, length in bench.uploads.reads] == [(0, 64 * 1024)]


def test_a_header_that_goes_on_is_fetched_once_more():
    bench = Bench()
    assert bench.ingest(fed(bench, padded(100_000))) == frozenset()
    assert len(bench.uploads.reads) == 2
    assert bench.uploads.reads[1][1] == 64 * 1024
    assert len(bench.entries()) == 1


def test_each_touched_study_is_told_to_settle_after_the_journal():
    bench = Bench()
    bench.ingest(fed(bench, instance(1, 1), instance(1, 2), instance(2, 1)))
    assert {ref for ref, _ in bench.settle_queue.sent} == {StudyRef("H1", "1.2.3.1"), StudyRef("H1", "1.2.3.2")}
    assert all(at > bench.journal.last_write[ref] for ref, at in bench.settle_queue.sent)


def test_many_workers_end_in_the_same_as_one():
    one, many = Bench(), Bench()
    bodies = [instance(number % 7, number) for number in range(40)] + [b"not dicom"] * 3
    one.ingest(fed(one, *bodies), workers=1)
    many.ingest(fed(many, *bodies), workers=8)
    assert one.journal.everything().keys() == many.journal.everything().keys()
    assert len(one.entries()) == len(many.entries()) == 40
    assert one.quarantine.reasons() == many.quarantine.reasons()


def test_nothing_to_do_does_nothing():
    bench = Bench()
    assert bench.ingest([]) == frozenset()
    assert bench.receipts.written == {}


# Time


def test_no_object_is_taken_up_once_time_is_out():
    bench = Bench()
    objects = fed(bench, *(instance(1, number) for number in range(10)))
    left = iter([True] * 4)
    undone = bench.ingest(objects, keep_going=lambda: next(left, False))
    assert len(undone) == 6
    assert len(bench.uploads.reads) == len(bench.entries()) == 4
    assert bench.ingest(undone) == frozenset()
    assert len(bench.entries()) == 10


# Bad input: each ends in quarantine, is never tried again, and does not hold up the others


BAD = {
    "not_dicom": b"This is a text file, not an image." * 10,
    "empty": b"",
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_object_goes_to_quarantine_and_the_good_beside_it_to_the_journal(reason):
    bench = Bench()
    assert bench.ingest(fed(bench, BAD[reason], instance())) == frozenset()
    record = only_record(bench)
    assert (record.reason, record.hospital_id, record.size) == (reason, "H1", len(BAD[reason]))
    assert record.key.startswith(f"instances/H1/{DAY}/")
    assert record.version_id
    assert record.received_at is not None
    assert len(bench.entries()) == 1
    assert bench.outcomes() == sorted(["indexed", reason])


def test_a_truncated_file_goes_to_quarantine():
    bench = Bench()
    bench.ingest(fed(bench, instance()[:420]))
    assert only_record(bench).reason == "truncated"


def test_a_file_without_uids_goes_to_quarantine():
    bench = Bench()
    bench.ingest(fed(bench, instance(StudyInstanceUID=None, SeriesInstanceUID=None, SOPInstanceUID=None)))
    assert only_record(bench).reason == "missing_uid"


def test_a_uid_of_65_characters_goes_to_quarantine():
    bench = Bench()
    bench.ingest(fed(bench, instance(StudyInstanceUID="1." + "2" * 63)))
    assert only_record(bench).reason == "bad_uid"
    other = Bench()
    other.ingest(fed(other, instance(StudyInstanceUID="1." + "2" * 62)))
    assert len(other.entries()) == 1


def test_100_000_nested_sequences_go_to_quarantine():
    bench = Bench()
    bench.ingest(fed(bench, nested(100_000)))
    assert bench.quarantine.reasons()[0] in {"nested_too_deep", "header_too_long"}


@pytest.mark.parametrize(
    "key", [f"instances/h-1/{DAY}/x", "elsewhere/x", f"archives/H1/{DAY}/x", f"instances/H1/{DAY}/"]
)
def test_a_wrong_prefix_goes_to_quarantine(key):
    bench = Bench()
    bench.uploads.upload(key, instance())
    assert bench.ingest([Uploaded(key)]) == frozenset()
    record = only_record(bench)
    assert record.reason == "bad_key"
    assert record.hospital_id == ("H1" if "/H1/" in key and not key.endswith("/") else "unknown")
    assert bench.entries() == []


@pytest.mark.parametrize(("hospital", "reason"), [("H7", "unknown_hospital"), ("H9", "hospital_closed")])
def test_an_unknown_or_closed_hospital_goes_to_quarantine(hospital, reason):
    bench = Bench()
    bench.ingest(fed(bench, instance(), hospital=hospital))
    assert (only_record(bench).reason, only_record(bench).hospital_id) == (reason, hospital)
    assert bench.settle_queue.sent == []


def test_what_came_before_a_hospital_was_closed_is_taken_whenever_we_get_to_it():
    closed_at = datetime(2026, 11, 23, 1, tzinfo=UTC)
    bench = Bench(replace(H1, active=False, closed_at=closed_at))
    objects = []
    for number, at in enumerate((closed_at - timedelta(microseconds=1), closed_at)):
        key = f"instances/H1/{DAY}/{number}.dcm"
        objects.append(Uploaded(key, bench.uploads.upload(key, instance(1, number), at=at)))
    assert bench.ingest(objects) == frozenset()
    assert bench.outcomes() == ["hospital_closed", "indexed"]
    assert [entry.place.key for entry in bench.entries()] == [objects[0].key]


def test_five_gigabytes_by_declaration_are_refused_unread():
    bench = Bench()
    assert bench.ingest([Uploaded(KEY, "v1", 5 * 1024**3)]) == frozenset()
    record = only_record(bench)
    assert (record.reason, record.size, record.version_id) == ("too_large", 5 * 1024**3, "v1")
    assert bench.uploads.reads == []


def test_an_event_that_hides_the_size_does_not_help():
    bench = Bench(around=lambda port: Huge(port) if isinstance(port, FakeUploads) else port)
    bench.uploads.upload(KEY, instance())
    bench.ingest([Uploaded(KEY)])
    assert only_record(bench).reason == "too_large"


def test_an_object_deleted_before_it_is_read_goes_to_quarantine():
    bench = Bench()
    (uploaded,) = fed(bench, instance())
    bench.uploads.delete(uploaded.key)
    assert bench.ingest([uploaded]) == frozenset()
    record = only_record(bench)
    assert (record.reason, record.received_at, record.version_id) == ("deleted", None, uploaded.version_id)


def test_an_object_deleted_between_two_reads_goes_to_quarantine():
    bench = Bench(around=lambda port: GoneAfterOne(port) if isinstance(port, FakeUploads) else port)
    bench.ingest(fed(bench, padded(100_000)))
    assert only_record(bench).reason == "deleted"


@pytest.mark.parametrize("rest", ["../x", "a/./x", "a/..", "."])
def test_a_key_that_no_url_can_name_goes_to_its_hospitals_quarantine(rest):
    """Clients take dot segments out of a URL's path (RFC 3986 5.2.4): a signed URL of it would never open it."""
    bench, key = Bench(), f"instances/H1/{DAY}/{rest}"
    bench.uploads.upload(key, instance())
    bench.ingest([Uploaded(key)])
    record = only_record(bench)
    assert (record.reason, record.hospital_id) == ("bad_key", "H1")


def test_every_reason_is_one_that_a_hospital_can_read():
    for reason in ("bad_key", "unknown_hospital", "too_large", "empty", "deleted"):
        assert REASONS[reason].zh


def test_repetition_keeps_the_first_record():
    bench = Bench()
    objects = fed(bench, b"no")
    bench.ingest(objects)
    before = only_record(bench)
    bench.ingest(objects)
    assert only_record(bench) == before


class Huge:
    """S3 saying that the object is larger than the event said."""

    def __init__(self, port):
        self.port = port

    def read(self, key, version_id, start, length):
        part = self.port.read(key, version_id, start, length)
        return type(part)(part.data, MAX_OBJECT + 1, part.version_id, part.last_modified)


class GoneAfterOne:
    def __init__(self, port):
        self.port, self.calls = port, 0

    def read(self, *given):
        self.calls += 1
        return self.port.read(*given) if self.calls == 1 else None
