from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from chalicelib.domain.study import StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.open_archive import Limits
from infra.local.samples import make_pack
from tests.support.fakes_ingest import FakeUploads
from tests.support.ingest_samples import DAY, Bench, archive, instance

KEY = f"archives/H1/{DAY}/series.zip"
SLICES = [instance(1, number, pixels=700 * number) for number in range(1, 21)]


def sent(bench, body):
    return Uploaded(KEY, bench.uploads.upload(KEY, body), len(body))


def unpack(body, **settings):
    bench = Bench()
    assert bench.unpack([sent(bench, body)], **settings) == frozenset()
    return bench


def repacked(pack, change=lambda index: None, *, compression=zipfile.ZIP_STORED, extra=()):
    """The pack with its index changed and written anew, whose length stays the same."""
    with zipfile.ZipFile(io.BytesIO(pack)) as old:
        bodies = {info.filename: stored(pack, info) for info in old.infolist()}
    index = json.loads(bodies["index.json"])
    change(index)
    told = json.dumps(index, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(told) <= len(bodies["index.json"])
    bodies["index.json"] = told.ljust(len(bodies["index.json"]))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for number, (name, body) in enumerate(bodies.items()):
            method = compression if number == len(bodies) - 1 else zipfile.ZIP_STORED
            new.writestr(zipfile.ZipInfo(name), body, method)
        for name, body in extra:
            new.writestr(zipfile.ZipInfo(name), body)
    return out.getvalue()


def stored(pack, info):
    """The entry's bytes as they lie there, whatever the checksum says."""
    start = info.header_offset + 30 + len(info.filename)
    return pack[start : start + info.file_size]


def refused(body, **settings):
    bench = unpack(body, **settings)
    (record,) = bench.quarantine.records.values()
    assert bench.entries() == []
    assert bench.settle_queue.sent == []
    return record


def test_a_pack_is_indexed_in_place():
    bench = unpack(make_pack(SLICES))
    entries = sorted(bench.entries(), key=lambda entry: entry.place.offset)
    (whole,) = bench.uploads.objects[KEY]
    read = [whole.data[one.place.offset : one.place.offset + one.place.length] for one in entries]
    assert read == SLICES
    assert {(one.place.key, one.place.version_id, one.received_at) for one in entries} == {
        (KEY, whole.version_id, whole.last_modified)
    }
    assert bench.settle_queue.sent[0][0] == StudyRef("H1", "1.2.3.1")
    assert bench.outcomes() == ["pack"]
    assert list(bench.uploads.versions("unpacked/")) == []


def test_a_pack_says_of_its_instances_what_their_own_headers_say():
    packed, single = unpack(make_pack(SLICES)), Bench()
    objects = [
        Uploaded(f"instances/H1/{DAY}/{number}", single.uploads.upload(f"instances/H1/{DAY}/{number}", body))
        for number, body in enumerate(SLICES)
    ]
    single.ingest(objects)
    by_uid = {entry.header.sop_instance_uid: entry.header for entry in single.entries()}
    assert {entry.header.sop_instance_uid: entry.header for entry in packed.entries()} == by_uid


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_short_packs_are_checked_whole(count):
    assert len(unpack(make_pack(SLICES[:count])).entries()) == count


def test_the_journal_holds_a_pack_once_however_often_it_is_sent():
    bench = Bench()
    uploaded = sent(bench, make_pack(SLICES))
    bench.unpack([uploaded])
    before = bench.journal.everything()
    bench.unpack([uploaded])
    assert bench.journal.everything() == before


# Calls: §9 allows 0.05 an instance for a pack of 100 and more


@pytest.mark.parametrize(("count", "size"), [(100, 40_000), (100, 527_000), (160, 40_000), (300, 40_000)])
def test_a_pack_costs_few_calls_and_never_all_of_its_bytes(count, size):
    slices = [instance(1, number, pixels=size) for number in range(count)]
    body = make_pack(slices)
    calls = []
    bench = Bench(around=lambda port: Counted(port, calls))
    assert bench.unpack([sent(bench, body)]) == frozenset()
    assert len(bench.entries()) == count
    assert len(calls) / count <= 0.05
    assert sum(length for _, _, length in bench.uploads.reads) < 0.7 * len(body)


class Counted:
    """Notes every call but the hospital's, whose profile stays cached for minutes."""

    def __init__(self, port, calls):
        self.port, self.calls = port, calls

    def __getattr__(self, name):
        def call(*given, **named):
            if name != "get":
                self.calls.append(name)
            return getattr(self.port, name)(*given, **named)

        return call


# Lies: the whole pack goes to quarantine


def flip(pack, number):
    """One bit of an instance's pixels changed, all else as it was."""
    with zipfile.ZipFile(io.BytesIO(pack)) as old:
        index = json.loads(old.read("index.json"))
    item = index["instances"][number]
    body = bytearray(pack)
    body[item["offset"] + item["length"] - 1] ^= 1
    return bytes(body)


@pytest.mark.parametrize("number", [0, 16, 17, 18, 19])
def test_other_bytes_in_a_checked_entry_are_found(number):
    record = refused(flip(make_pack(SLICES), number))
    assert (record.reason, record.key) == ("pack_mismatch", KEY)
    assert record.detail.startswith(f"entry {number}:")


@pytest.mark.parametrize("number", [0, 40, 80, 120, 159])
def test_long_packs_are_checked_across_their_length(number):
    pack = make_pack([instance(1, number) for number in range(160)])
    assert refused(flip(pack, number)).reason == "pack_mismatch"


def beyond(index):
    index["instances"][-1]["offset"] = 999_999


def shifted(index):
    for item in index["instances"]:
        item["offset"] -= 1


def shorter(index):
    index["instances"][3]["length"] -= 1


def one_less(index):
    index["instances"].pop()


def another_uid(index):
    item = index["instances"][0]
    item["sop_uid"] = item["header"]["00080018"]["Value"][0] = "1.2.3.1.9.1"


def another_patient(index):
    index["instances"][0]["header"]["00100020"]["Value"] = ["P9"]


@pytest.mark.parametrize("lie", [beyond, shifted, shorter, one_less, another_uid, another_patient])
def test_an_index_that_lies_is_refused(lie):
    assert refused(repacked(make_pack(SLICES), lie)).reason == "pack_mismatch"


def test_an_entry_that_the_index_leaves_out_is_not_lost_silently():
    record = refused(repacked(make_pack(SLICES), extra=[("more.dcm", instance(9, 9))]))
    assert record.reason == "pack_mismatch"


def test_an_entry_too_large_to_be_checked_is_refused():
    assert refused(make_pack(SLICES), limits=Limits(entry=5_000)).reason == "too_large"


def test_a_local_header_elsewhere_than_the_directory_says_is_found():
    pack = make_pack(SLICES)
    with zipfile.ZipFile(io.BytesIO(pack)) as old:
        start = old.infolist()[1].header_offset
    record = refused(pack[:start] + b"PKxx" + pack[start + 4 :])
    assert (record.reason, record.detail) == ("pack_mismatch", "entry 0: its local header says otherwise")


def test_an_entry_that_is_no_dicom_is_found():
    pack = make_pack(SLICES[:1])
    with zipfile.ZipFile(io.BytesIO(pack)) as old:
        item = json.loads(old.read("index.json"))["instances"][0]
    body = bytearray(pack)
    body[item["offset"] + 128 : item["offset"] + 132] = b"XXXX"
    assert refused(bytes(body)).reason == "pack_mismatch"


def test_an_entry_without_a_header_is_found_even_where_its_digest_is_right():
    pack = make_pack(SLICES)
    with zipfile.ZipFile(io.BytesIO(pack)) as old:
        item = json.loads(old.read("index.json"))["instances"][0]
    start, end = item["offset"], item["offset"] + item["length"]
    other = b"\0" * item["length"]

    def agree(index):
        index["instances"][0]["sha256"] = hashlib.sha256(other).hexdigest()

    record = refused(repacked(pack[:start] + other + pack[end:], agree))
    assert (record.reason, record.detail) == ("pack_mismatch", "entry 0: not_dicom")


def test_images_too_large_to_be_fetched_together_are_checked_one_by_one():
    bench = unpack(make_pack([instance(1, number, pixels=11_000_000) for number in range(5)]))
    assert len(bench.entries()) == 5
    assert max(length for _, _, length in bench.uploads.reads) <= 32 * 1024**2


def test_an_entry_with_a_descriptor_behind_its_data_is_refused():
    pack = bytearray(make_pack(SLICES))
    directory = pack.index(b"PK\x01\x02")
    second = pack.index(b"PK\x01\x02", directory + 4)
    pack[second + 8] |= 8
    assert refused(bytes(pack)).detail == "entry 0 is not plainly stored"


def test_a_truncated_pack_is_a_bad_archive():
    assert refused(make_pack(SLICES)[:-30]).reason == "bad_archive"


# No packs: unpacked as any other archive


def test_another_makers_index_json_is_just_a_file():
    bench = unpack(archive([("index.json", b'{"files": []}'), ("1.dcm", instance())], zipfile.ZIP_STORED))
    assert [one.key[-1] for one in bench.uploads.versions("unpacked/")] == ["0", "1"]
    assert bench.outcomes() == ["unpacked"]


def test_two_series_are_no_pack():
    def other_series(index):
        index["instances"][0]["header"]["0020000E"]["Value"] = ["1.2.3.1.2"]

    bench = unpack(repacked(make_pack(SLICES), other_series))
    assert len(list(bench.uploads.versions("unpacked/"))) == 21


def test_compressed_entries_are_no_pack():
    bench = unpack(repacked(make_pack(SLICES), compression=zipfile.ZIP_DEFLATED))
    assert len(list(bench.uploads.versions("unpacked/"))) == 21


def test_an_index_that_claims_more_than_the_object_is_no_index():
    pack = bytearray(make_pack(SLICES[:1]))
    pack[22:26] = (2**31).to_bytes(4, "little")
    bench = Bench()
    bench.unpack([sent(bench, bytes(pack))])
    assert bench.entries() == []


def test_deletion_while_it_is_checked_goes_to_quarantine():
    pack = make_pack([instance(1, number, pixels=40_000) for number in range(100)])
    bench = Bench(around=lambda port: Vanishing(port) if isinstance(port, FakeUploads) else port)
    assert bench.unpack([sent(bench, pack)]) == frozenset()
    assert bench.quarantine.reasons() == ["deleted"]


class Vanishing:
    """Gone after the first GET."""

    def __init__(self, port):
        self.port, self.calls = port, 0

    def read(self, *given):
        self.calls += 1
        return self.port.read(*given) if self.calls == 1 else None
