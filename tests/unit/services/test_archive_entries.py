"""What is bad in one entry of an archive is refused with a reason; the entries beside it are unpacked."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile

import pytest

from chalicelib.services.open_archive import Limits
from tests.support.ingest_samples import ARCHIVED_AT, archive, instance, unpack, unpacked


def records(bench):
    """Reasons by the entry's number."""
    return {record.key.rpartition("#")[2]: record.reason for record in bench.quarantine.records.values()}


def beside_a_good_one(body):
    """The reason of the first entry, once it is sure that the second was unpacked."""
    bench = unpack(body)
    assert unpacked(bench) == {1: instance(1, 1)}
    ((number, reason),) = records(bench).items()
    assert number == "0"
    (record,) = bench.quarantine.records.values()
    assert (record.hospital_id, record.received_at) == ("H1", ARCHIVED_AT)
    assert bench.outcomes() == ["unpacked"]
    return reason


GOOD = ("good", instance(1, 1))


@pytest.mark.parametrize(
    "name", ["../up", "a/../../up", "/etc/passwd", "\\\\server\\share", "C:\\x", "..\\up", "a\\..\\..\\up"]
)
def test_a_name_that_leads_elsewhere_is_a_trick(name):
    assert beside_a_good_one(archive([(name, instance()), GOOD])) == "path_trick"


def test_a_link_is_a_trick():
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert beside_a_good_one(archive([(link, b"/etc/passwd"), GOOD])) == "path_trick"


def test_a_name_with_a_zero_byte_is_a_trick():
    body = archive([("aXb", instance()), GOOD]).replace(b"aXb", b"a\0b")
    assert beside_a_good_one(body) == "path_trick"


def test_an_encrypted_entry_is_refused():
    body = bytearray(archive([("1", instance()), GOOD], zipfile.ZIP_STORED))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    assert beside_a_good_one(bytes(body)) == "encrypted_entry"


def test_an_archive_in_an_archive_is_refused():
    assert beside_a_good_one(archive([("inner.zip", archive([GOOD])), GOOD])) == "nested_archive"


def test_an_image_with_a_preamble_like_an_archives_is_an_image():
    image = b"PK\x03\x04" + instance()[4:]
    assert unpacked(unpack(archive([("1", image)]))) == {0: image}


def test_the_second_of_one_name_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        bench = unpack(archive([GOOD, ("good", instance(1, 2))]))
    assert unpacked(bench) == {0: instance(1, 1)}
    assert records(bench) == {"1": "duplicate_entry"}


def test_a_wrong_checksum_is_found():
    body = bytearray(archive([("1", instance()), GOOD], zipfile.ZIP_STORED))
    body[200] ^= 1
    assert beside_a_good_one(bytes(body)) == "damaged_entry"


def test_a_broken_stream_is_found():
    body = bytearray(archive([("1", instance()), GOOD]))
    body[35:60] = bytes(25)
    assert beside_a_good_one(bytes(body)) == "damaged_entry"


def test_an_entry_that_inflates_to_more_than_it_declares_is_cut_off():
    body = bytearray(archive([("1", bytes(1_000_000)), GOOD]))
    directory = body.index(b"PK\x01\x02")
    for at in (22, directory + 24):
        body[at : at + 4] = (1_000).to_bytes(4, "little")
    assert beside_a_good_one(bytes(body)) == "damaged_entry"


def test_an_entry_that_inflates_to_less_than_it_declares_is_found():
    body = bytearray(archive([("1", instance()), GOOD]))
    directory = body.index(b"PK\x01\x02")
    for at in (22, directory + 24):
        body[at : at + 4] = (len(instance()) + 10).to_bytes(4, "little")
    assert beside_a_good_one(bytes(body)) == "damaged_entry"


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused_for_they_cannot_be_bounded(compression):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("1", instance(), compression)
        made.writestr(*GOOD)
    assert beside_a_good_one(out.getvalue()) == "unsupported_compression"


def test_an_entry_too_large_to_hold_is_refused():
    bench = unpack(archive([("1", bytes(99_000)), GOOD]), limits=Limits(entry=50_000))
    assert records(bench) == {"0": "too_large"}
    assert len(unpacked(bench)) == 1


def test_an_entry_that_inflates_by_too_much_is_a_bomb():
    noise = instance(1, 1) + bytes(range(256)) * 3
    body = archive([("1", bytes(99_000)), ("2", noise * 40)], zipfile.ZIP_STORED)
    squeezed = io.BytesIO()
    with zipfile.ZipFile(squeezed, "w") as made:
        made.writestr("1", bytes(99_000), zipfile.ZIP_DEFLATED)
        made.writestr("2", noise * 40)
    assert records(unpack(squeezed.getvalue(), limits=Limits(ratio_from=50_000))) == {"0": "archive_bomb"}
    assert records(unpack(body, limits=Limits(ratio_from=50_000))) == {}


def test_a_directory_with_bytes_in_it_is_not_skipped():
    assert unpacked(unpack(archive([("dir/", instance())]))) == {0: instance()}
