"""A pack as the client makes it is addressed in place by the cloud, and is never anything but its files' bytes."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.upload_key import Uploaded
from infra.hospital.imaging_hospital import scan
from infra.hospital.imaging_hospital.depot import crc64, together
from infra.hospital.imaging_hospital.faults import ChangedError
from infra.hospital.imaging_hospital.pack import Content, Indexed, digest, split
from infra.hospital.imaging_hospital.plan import Planner
from infra.hospital.imaging_hospital.settings import Settings
from infra.hospital.imaging_hospital.state import SENT, State
from infra.hospital.imaging_hospital.tally import Tally
from tests.support.ingest_samples import DAY, Bench, instance

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def spool(tmp_path):
    settings = Settings("https://cloud", "H1", tmp_path / "key.pem", tmp_path)
    state = State(tmp_path / "state.sqlite3", settings)
    yield state
    state.close()


def folder(tmp_path, files):
    root = tmp_path / "images"
    root.mkdir()
    for number, file in enumerate(files):
        (root / f"{number:03d}").write_bytes(file)
    return root


def planned(root, state, tally=None):
    """The uploads of a directory, as they would be sent now."""
    tally = tally or Tally()
    series = scan.by_series(scan.read(scan.unsent(scan.files(root, tally), state, tally), tally))
    return [state.plan(plan) for group in series for plan in Planner(state, tally)(group)]


def body(upload):
    return upload.content.read(0, upload.content.size)


def received(uploads):
    """The cloud's side, after it looked at each object."""
    bench = Bench()
    for one in uploads:
        key = f"{one.kind}/H1/{DAY}/{one.name}"
        told = Uploaded(key, bench.uploads.upload(key, body(one)), one.content.size)
        assert (bench.unpack if one.kind == "archives" else bench.ingest)([told]) == frozenset()
    assert not bench.quarantine.records
    return bench


def test_a_series_is_one_pack_that_the_cloud_addresses_in_place(tmp_path, spool):
    files = [instance(1, number, pixels=100 * number) for number in range(1, 31)]
    (upload,) = planned(folder(tmp_path, files), spool)
    bench = received([upload])
    assert not list(bench.uploads.versions("unpacked/"))
    found = {body(upload)[one.place.offset :][: one.place.length] for one in bench.entries()}
    assert found == set(files)


def test_a_single_image_goes_by_itself(tmp_path, spool):
    (upload,) = planned(folder(tmp_path, [instance()]), spool)
    assert (upload.kind, body(upload)) == ("instances", instance())
    assert len(received([upload]).entries()) == 1


def test_what_an_index_cannot_tell_goes_by_itself_beside_the_pack(tmp_path, spool):
    odd = instance(1, 9, SpecificCharacterSet="\\ISO 2022 IR 149", PatientName="Hong^Gildong=洪^吉洞=홍^길동")
    uploads = planned(folder(tmp_path, [instance(1, 1), instance(1, 2), odd]), spool)
    assert sorted(one.kind for one in uploads) == ["archives", "instances"]
    assert len(received(uploads).entries()) == 3


def test_other_bytes_under_one_uid_both_reach_the_cloud(tmp_path, spool):
    files = [instance(1, 1), instance(1, 2), instance(1, 2, pixels=500)]
    uploads = planned(folder(tmp_path, files), spool)
    assert sum(one.images for one in uploads) == 3
    assert len(received(uploads).entries()) == 3


def test_the_same_bytes_twice_are_sent_once_and_told(tmp_path, spool):
    tally = Tally()
    (upload,) = planned(folder(tmp_path, [instance(1, 1), instance(1, 2), instance(1, 1)]), spool, tally)
    assert (upload.images, tally.copies) == (2, 1)
    spool.end(upload, SENT, NOW)
    again = Tally()
    assert planned(tmp_path / "images", spool, again) == []
    assert again.before == 3


def test_the_same_files_give_the_same_name_wherever_they_lie(tmp_path, spool):
    files = [instance(1, 1), instance(1, 2)]
    (first,) = planned(folder(tmp_path, files), spool)
    sent = (first.name, body(first))
    spool.dissolve(first)
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    (second,) = planned(tmp_path / "elsewhere", spool)
    assert (second.name, body(second)) == sent


def test_names_in_the_cloud_tell_nothing_of_patient_or_file(tmp_path, spool):
    root = tmp_path / "王小明 P1"
    root.mkdir()
    for number in (1, 2):
        (root / f"1.2.3.{number}.dcm").write_bytes(instance(1, number))
    (upload,) = planned(root, spool)
    assert set(upload.name.removesuffix(".zip")) <= set("0123456789abcdef")
    assert len(upload.name) == 68


def test_what_is_no_dicom_is_told(tmp_path, spool):
    root = folder(tmp_path, [b"hello", b"", instance()])
    (root / "link").symlink_to(root / "000")
    tally = Tally()
    planned(root, spool, tally)
    assert dict(tally.reasons) == {"not_dicom": 1, "empty": 1, "link": 1}


def test_a_large_series_is_several_packs():
    images = [Indexed(digest(Path(__file__)), str(number), {}) for number in range(7)]
    size = images[0].source.size
    assert [len(one) for one in split(images, largest=3 * size)] == [3, 3, 1]
    assert [len(one) for one in split(images, most=4)] == [4, 3]
    assert [len(one) for one in split(images, largest=1)] == [1] * 7


def test_a_file_that_changed_is_not_sent_as_what_it_was(tmp_path):
    path = tmp_path / "image"
    path.write_bytes(b"x" * 100)
    content = Content.of_file(digest(path))
    path.write_bytes(b"y" * 101)
    with pytest.raises(ChangedError):
        content.read(0, 100)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.integers(1, 50))
def test_a_pack_read_in_parts_is_the_pack(tmp_path_factory, files, step):
    root = tmp_path_factory.mktemp("files")
    sources = []
    for number, file in enumerate(files):
        (root / str(number)).write_bytes(file)
        sources.append(digest(root / str(number)))
    content = Content.of_pack(b"{}", sources)
    whole = content.read(0, content.size)
    assert b"".join(content.read(start, step) for start in range(0, content.size, step)) == whole
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist()] == [b"{}", *files]


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_the_checksum_of_a_whole_follows_from_its_parts(parts):
    assert together([(crc64(part), len(part)) for part in parts]) == crc64(b"".join(parts))


def test_the_checksum_is_the_one_that_s3_names():
    assert crc64(b"123456789") == 0xAE8B14860A799888  # CRC-64/NVME's own check value
