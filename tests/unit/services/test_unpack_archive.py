from __future__ import annotations

import hashlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.open_archive import Limits
from chalicelib.services.unpack_archive import MAX_ARCHIVE
from infra.local.samples import make_pack
from tests.support.fakes_ingest import FakeUploads, OurFaultError
from tests.support.ingest_samples import ARCHIVE, ARCHIVED_AT, DAY, Bench, archive, instance, sent, unpack, unpacked


def whole(bench):
    """The one record, which is of the archive itself."""
    (record,) = bench.quarantine.records.values()
    assert record.key == ARCHIVE
    assert unpacked(bench) == {}
    assert bench.outcomes() == [record.reason]
    return record


# What is good


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_entries_are_unpacked_byte_for_byte_with_their_archives_time(compression):
    images = [instance(1, number) for number in range(3)]
    bench = unpack(archive([(f"DICOM/{number}", body) for number, body in enumerate(images)], compression))
    assert unpacked(bench) == dict(enumerate(images))
    (version,) = bench.uploads.objects[ARCHIVE]
    for one in bench.uploads.versions("unpacked/"):
        assert one.key.startswith(f"unpacked/H1/{DAY}/{version.version_id}/")
        body = bench.uploads.read(one.key, None, 0, one.size).data
        told = {"received-at": ARCHIVED_AT.isoformat(), "sha256": hashlib.sha256(body).hexdigest()}
        assert bench.uploads.read(one.key, None, 0, 1).metadata == told
    assert bench.outcomes() == ["unpacked"]


def test_uploaded_is_indexed_and_quarantined_counted():
    entries = [
        ("DICOMDIR", b"directory of a disc"),
        ("README.txt", b"read me"),
        ("IMAGES/", b""),
        ("IMAGES/1", instance(1, 1)),
        ("IMAGES/2", instance(1, 2)),
        ("../evil", instance(1, 3)),
    ]
    bench = unpack(archive(entries))
    bench.ingest([Uploaded(one.key) for one in bench.uploads.versions("unpacked/")])
    assert len(bench.entries()) == 2
    assert {entry.received_at for entry in bench.entries()} == {ARCHIVED_AT}
    assert bench.quarantine.reasons() == ["not_dicom", "not_dicom", "path_trick"]
    files = [name for name, _ in entries if not name.endswith("/")]
    assert len(files) == len(bench.entries()) + len(bench.quarantine.records)


def test_a_directory_that_points_before_the_archive_is_damage_not_a_fault_of_ours():
    body = archive([("1.dcm", instance(1, 1))])
    end = body.rindex(b"PK\5\6")
    start = int.from_bytes(body[end + 16 : end + 20], "little") + 1
    assert whole(unpack(body[: end + 16] + start.to_bytes(4, "little") + body[end + 20 :])).reason == "bad_archive"


def test_an_entry_without_a_name_is_unpacked_by_its_number():
    body = archive([("Q", instance(1, 1))], zipfile.ZIP_STORED)
    for header, name_length in ((b"PK\3\4", 26), (b"PK\1\2", 28)):
        at = body.index(header)
        body = body[: at + name_length] + bytes(2) + body[at + name_length + 2 :].replace(b"Q", b"", 1)
    end = body.rindex(b"PK\5\6")
    size, start = (int.from_bytes(body[end + at : end + at + 4], "little") - 1 for at in (12, 16))
    body = body[: end + 12] + size.to_bytes(4, "little") + start.to_bytes(4, "little") + body[end + 20 :]
    assert unpacked(unpack(body)) == {0: instance(1, 1)}


def test_names_of_any_charset_are_only_names():
    body = archive([("QQQQ\\1.dcm", instance(1, 1)), ("影像/2.dcm", instance(1, 2))])
    bench = unpack(body.replace(b"QQQQ", "影像".encode("gb18030")))
    assert unpacked(bench) == {0: instance(1, 1), 1: instance(1, 2)}


def test_a_large_archive_is_read_in_blocks():
    bodies = [instance(1, number, pixels=3_000_000) for number in range(10)]
    bench = unpack(archive(list(zip("abcdefghij", bodies, strict=True)), zipfile.ZIP_STORED))
    assert len(bench.uploads.reads) < 10
    assert max(length for _, _, length in bench.uploads.reads) <= 8 * 1024**2
    assert unpacked(bench) == dict(enumerate(bodies))


def test_what_was_unpacked_before_is_not_read_again():
    bench = Bench()
    uploaded = sent(bench, archive([(str(number), instance(1, number)) for number in range(6)]))
    left = iter([True] * 4)  # one for the archive, three for entries
    assert bench.unpack([uploaded], keep_going=lambda: next(left, False)) == frozenset([uploaded])
    assert len(unpacked(bench)) == 3
    assert bench.receipts.written == {}
    assert bench.unpack([uploaded]) == frozenset()
    assert all(len(versions) == 1 for versions in bench.uploads.objects.values())
    assert len(unpacked(bench)) == 6


def test_nothing_is_begun_without_time():
    bench = Bench()
    uploaded = sent(bench, archive([("1", instance())]))
    assert bench.unpack([uploaded], keep_going=lambda: False) == frozenset([uploaded])
    assert bench.uploads.reads == []


# What is bad as a whole


@pytest.mark.parametrize("body", [b"plain text, no archive", b"Rar!\x1a\x07\x00" + bytes(100), instance()])
def test_what_is_no_zip_is_a_bad_archive(body):
    record = whole(unpack(body))
    assert (record.reason, record.size, record.received_at) == ("bad_archive", len(body), ARCHIVED_AT)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_truncated_zip_is_a_bad_archive(kept):
    body = archive([(str(number), instance(1, number)) for number in range(5)])
    assert whole(unpack(body[: int(len(body) * kept)])).reason == "bad_archive"


def test_a_zip_of_nothing_is_a_bad_archive():
    record = whole(unpack(archive([])))
    assert (record.reason, record.detail) == ("bad_archive", "no entries")


def test_an_empty_object_is_empty():
    assert whole(unpack(b"")).reason == "empty"


def test_an_archive_that_inflates_to_too_much_is_a_bomb():
    body = archive([(str(number), bytes(50_000)) for number in range(10)])
    assert whole(unpack(body, limits=Limits(total=400_000))).reason == "archive_bomb"


def test_an_archive_that_inflates_by_too_much_is_a_bomb():
    body = archive([(str(number), bytes(50_000)) for number in range(10)])
    assert whole(unpack(body, limits=Limits(ratio_from=400_000))).reason == "archive_bomb"


def test_blank_images_are_no_bomb():
    assert len(unpacked(unpack(archive([("1", bytes(5_000_000))])))) == 1


def test_too_many_entries_are_refused():
    body = archive([(str(number), b"") for number in range(11)])
    assert whole(unpack(body, limits=Limits(entries=10))).reason == "too_many_entries"


def test_a_directory_that_fills_the_memory_is_a_bomb():
    body = archive([("x" * 60_000, b"")] * 1 + [(f"{number}" * 9_999, b"") for number in range(5)])
    assert whole(unpack(body, limits=Limits(directory=90_000))).reason == "archive_bomb"


def test_entries_that_share_their_bytes_are_a_bomb():
    body = archive([("1", instance(1, 1, pixels=9_000)), ("2", instance(1, 2, pixels=9_000))], zipfile.ZIP_STORED)
    with zipfile.ZipFile(io.BytesIO(body)) as made:
        second = made.infolist()[1].header_offset.to_bytes(4, "little")
    at = body.rindex(second, 0, len(body) - 22)
    assert whole(unpack(body[:at] + bytes(4) + body[at + 4 :])).reason == "archive_bomb"


@pytest.mark.parametrize(("hospital", "reason"), [("H7", "unknown_hospital"), ("H9", "hospital_closed")])
def test_an_unknown_or_closed_hospitals_archive_is_not_opened(hospital, reason):
    bench = Bench()
    key = f"archives/{hospital}/{DAY}/x.zip"
    assert bench.unpack([sent(bench, archive([("1", instance())]), key)]) == frozenset()
    assert bench.quarantine.reasons() == [reason]
    assert unpacked(bench) == {}


def test_an_archive_elsewhere_has_a_bad_key():
    bench = Bench()
    bench.unpack([sent(bench, archive([("1", instance())]), f"instances/H1/{DAY}/x.zip")])
    assert bench.quarantine.reasons() == ["bad_key"]


def test_an_archive_deleted_before_it_is_read_goes_to_quarantine():
    bench = Bench()
    uploaded = sent(bench, archive([("1", instance())]))
    bench.uploads.delete(ARCHIVE)
    assert bench.unpack([uploaded]) == frozenset()
    assert bench.quarantine.reasons() == ["deleted"]


def test_an_archive_too_large_by_declaration_is_not_read():
    bench = Bench()
    assert bench.unpack([Uploaded(ARCHIVE, "v1", MAX_ARCHIVE + 1)]) == frozenset()
    assert bench.quarantine.reasons() == ["too_large"]
    assert bench.uploads.reads == []


# Our own faults


class Failing:
    def __init__(self, port, after):
        self.port, self.left = port, after

    def __getattr__(self, name):
        return getattr(self.port, name)

    def read(self, *given):
        self.left -= 1
        if self.left < 0:
            raise OurFaultError
        return self.port.read(*given)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_failed_get_is_never_held_against_the_archive(after):
    body = archive([(str(n), instance(1, n, pixels=3_000_000)) for n in range(5)], zipfile.ZIP_STORED)
    bench = Bench(around=lambda port: Failing(port, after) if isinstance(port, FakeUploads) else port)
    uploaded = sent(bench, body)
    assert bench.unpack([uploaded]) == frozenset([uploaded])
    assert bench.quarantine.records == {}
    bench.around = lambda port: port
    assert bench.unpack([uploaded]) == frozenset()
    assert len(unpacked(bench)) == 5


def test_a_range_answered_with_nothing_is_our_fault():
    class Hollow(Failing):
        def read(self, key, version_id, start, length):
            part = self.port.read(key, version_id, start, length)
            return type(part)(b"" if start else part.data, part.size, part.version_id, part.last_modified)

    body = archive([(str(n), instance(1, n, pixels=3_000_000)) for n in range(3)], zipfile.ZIP_STORED)
    bench = Bench(around=lambda port: Hollow(port, 0) if isinstance(port, FakeUploads) else port)
    uploaded = sent(bench, body)
    assert bench.unpack([uploaded]) == frozenset([uploaded])
    assert bench.quarantine.records == {}


@pytest.mark.parametrize("after", range(1, 6))
def test_an_archive_deleted_while_it_is_unpacked_goes_to_quarantine_whole(after):
    class Vanishing(Failing):
        def read(self, *given):
            self.left -= 1
            return self.port.read(*given) if self.left >= 0 else None

    body = archive([(str(n), instance(1, n, pixels=3_000_000)) for n in range(9)], zipfile.ZIP_STORED)
    bench = Bench(around=lambda port: Vanishing(port, after) if isinstance(port, FakeUploads) else port)
    assert bench.unpack([sent(bench, body)]) == frozenset()
    (record,) = bench.quarantine.records.values()
    assert (record.key, record.reason) == (ARCHIVE, "deleted")


IMAGES = [instance(1, number) for number in range(3)]
ARCHIVES = [
    archive([(f"影/{number}", body) for number, body in enumerate(IMAGES)], zipfile.ZIP_DEFLATED),
    archive([(f"{number}.dcm", body) for number, body in enumerate(IMAGES)], zipfile.ZIP_STORED),
    make_pack(IMAGES),
]


@given(st.sampled_from(ARCHIVES), st.data())
@settings(max_examples=400, deadline=None)
def test_an_archive_with_changed_bytes_is_answered_and_never_taken_for_a_fault_of_ours(body, data):
    changed = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = len(body) - data.draw(st.integers(4, 400) | st.integers(4, len(body)))
        changed[at : at + 4] = data.draw(st.sampled_from([bytes(4), b"\xff" * 4]) | st.binary(min_size=1, max_size=4))
    bench = unpack(bytes(changed))
    assert len(bench.outcomes()) == 1
