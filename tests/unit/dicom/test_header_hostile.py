"""Input that is wrong, cut off or malicious: a Header, NeedMore or Unreadable, soon, and nothing else."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.dicom import scan
from chalicelib.dicom.header import FIRST_RANGE, MAX_HEADER, NeedMore, Unreadable, read_header
from chalicelib.dicom.tags import VIEWER
from chalicelib.domain.quarantine import REASONS
from chalicelib.domain.study import Header
from infra.local.samples import BEIJING
from tests.support.dicom_files import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    ITEM,
    JPEG,
    SOP,
    UNDEFINED,
    element,
    fragments,
    instance,
    marker,
    nested,
    part10,
    read,
    sequence,
    shipped,
)

REAL = {path.name: path.read_bytes() for path in shipped()}
CUT = [
    "CT_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "image_dfl.dcm",
    "JPEG2000.dcm",
    "chrH31.dcm",
    "reportsi.dcm",
    "rtplan.dcm",
]


def reason(file):
    with pytest.raises(Unreadable) as caught:
        read(file)
    assert caught.value.reason in REASONS
    return caught.value.reason


def anything(data, size):
    """The answer, or the Unreadable: the point is that nothing else is raised."""
    try:
        answer = read_header(data, size, BEIJING)
    except Unreadable as unreadable:
        answer = unreadable
    assert isinstance(answer, (Header, NeedMore)) or answer.reason in REASONS
    if isinstance(answer, NeedMore):
        assert len(data) < answer.length <= size
    return answer


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "not_dicom"),
        (b"DICM", "not_dicom"),
        (bytes(128) + b"DICN" + bytes(100), "not_dicom"),
        (instance(meta_class="1.2.840.10008.1.3.10"), "dicomdir"),
        (part10(b""), "missing_uid"),
        (bytes(128) + b"DICM", "missing_uid"),
        (instance(syntax="", pixels=b""), "missing_uid"),
        (instance(syntax="JPEG"), "bad_uid"),
        (instance(without={0x0020000D}), "missing_uid"),
        (instance(without={0x0020000E}), "missing_uid"),
        (instance(without={0x00080018}), "missing_uid"),
        (instance(without={0x00080016}), "missing_uid"),
        (instance(study=""), "missing_uid"),
        (instance(study="1." * 32 + "1"), "bad_uid"),
        (instance(sop="1.2.x"), "bad_uid"),
        (instance(series="1.2\\1.3"), "bad_uid"),
        (instance(series="1..2"), "bad_uid"),
        (instance(series="1.2."), "bad_uid"),
        (instance(series="１.2".encode()), "bad_uid"),
        (instance()[:-1], "truncated"),
        (instance(pixels=b"") + b"\x08\0\x20", "truncated"),
        (instance(pixels=element(0x7FE00010, "OW", bytes(8), length=10**6)), "truncated"),
        (instance(pixels=element(0x7FE00009, "OD", length=0xFFFFFFFE)), "truncated"),
        (instance(element(0x00091001, "OB", length=0x7FFFFFFF)), "truncated"),
        (instance(pixels=fragments(bytes(10), end=False), syntax=JPEG), "truncated"),
        (instance(pixels=fragments(bytes(10))[:-12], syntax=JPEG), "truncated"),
        (instance(syntax=DEFLATED)[:-6], "truncated"),
        (instance(element(0x00081140, "SQ", length=UNDEFINED) + marker(ITEM, UNDEFINED), pixels=b""), "truncated"),
        (instance(element(0x00081140, "SQ", length=UNDEFINED) + element(0x00081155, "UI", "1.2")), "malformed"),
        (part10(b"", DEFLATED)[:-2] + b"no deflate at all", "malformed"),
        (instance(nested(scan.MAX_DEPTH + 1)), "nested_too_deep"),
        (instance(nested(100_000)), "nested_too_deep"),
        (instance(nested(100_000, defined=True)), "nested_too_deep"),
        (instance(element(0x00091001, "OB", bytes(MAX_HEADER))), "header_too_long"),
        (instance(sequence(0x00081140, *[b""] * (scan.MAX_STEPS // 2 + 1))), "header_too_long"),
    ],
)
def test_the_reason_names_the_fault(file, expected):
    assert reason(file) == expected


def test_details_name_elements_and_never_values():
    for file in (instance(study="secret"), instance(series="1." * 40), instance(name="secret")[:-4]):
        with pytest.raises(Unreadable) as caught:
            read(file)
        assert caught.value.detail
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED])
def test_every_encoding_of_a_dataset_reads_alike(syntax):
    header = read(instance(syntax=syntax))
    assert (header.sop_instance_uid, header.patient_name, header.instance_number) == (SOP, "Zhang^San", 7)
    assert header.viewer["Rows"] == 2


def test_what_claims_to_be_explicit_but_is_implicit_is_read():
    implicit = instance(syntax=IMPLICIT)
    for claimed in (EXPLICIT, JPEG):
        start = implicit.index(element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2", implicit=True))
        assert read(part10(implicit[start:], claimed)).patient_name == "Zhang^San"


def test_what_claims_to_be_implicit_but_is_explicit_is_read():
    explicit = instance()
    start = explicit.index(element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2"))
    assert read(part10(explicit[start:], IMPLICIT)).patient_name == "Zhang^San"


def test_group_2_is_read_by_its_elements_not_by_its_length():
    file = instance()
    for length in (0, 2**31):
        assert read(file[:140] + struct.pack("<L", length) + file[144:]).sop_instance_uid == SOP
    assert read(file[:132] + file[144:]).sop_instance_uid == SOP
    long = element(0x00020102, "OB", bytes(3000))
    assert read(part10(instance()[instance().index(b"\x08\0\x16\0") :], meta=long)).sop_instance_uid == SOP


def test_a_command_set_before_the_dataset_is_passed_over():
    command = element(0x00000002, "UI", "1.2.840.10008.1.1", implicit=True)
    assert read(part10(command + instance()[instance().index(b"\x08\0\x16\0") :])).sop_instance_uid == SOP


def test_leading_zeroes_in_a_uid_are_tolerated():
    assert read(instance(study="1.02.003")).study_instance_uid == "1.02.003"


def test_unreadable_optional_values_are_absent():
    header = read(
        instance(
            element(0x00200011, "IS", "seven"),
            element(0x00280030, "DS", "0.5\\x"),
            element(0x00280008, "IS", "9" * 40),
            element(0x00189087, "FD", struct.pack("<d", float("nan"))),
            element(0x00280100, "US", b"\1"),
            element(0x00100040, "SQ", b""),
            element(0x00180015, "XX", "CHEST"),
            number="1.5",
        )
    )
    assert (header.series_number, header.instance_number, header.patient_sex) == (None, None, "")
    assert header.body_part_examined == "CHEST"
    assert not {"PixelSpacing", "NumberOfFrames", "DiffusionBValue"} & set(header.viewer)


def test_long_values_are_absent_and_a_header_stays_small():
    long = "1\\" * 2000 + "1"
    header = read(
        instance(
            *[
                element(tag.tag, "DS" if tag.vr == "DS" else "LO", long)
                for tag in VIEWER
                if tag.vr not in ("SQ", "US or SS")
            ],
            name="x" * 3000,
            syntax=EXPLICIT,
        )
    )
    assert header.patient_name == ""
    assert set(header.viewer) == {"FrameTimeVector"}
    assert reason(instance(study="1." * 3000)) == "bad_uid"


def test_the_last_of_several_equal_elements_counts_as_in_pydicom():
    assert read(instance(element(0x00100020, "LO", "P2"))).patient_id == "P2"


def test_elements_out_of_order_are_found():
    file = instance(pixels=element(0x60000010, "US", b"\1\0") + element(0x00180015, "CS", "HEAD"))
    assert read(file).body_part_examined == "HEAD"


def test_names_of_several_values_keep_their_backslashes():
    assert read(instance(name="A^B=\\C^D")).patient_name == "A^B\\C^D"


def test_sequences_before_what_is_wanted_are_passed_over():
    inner = sequence(0x00081199, element(0x00081150, "UI", "1.2"), b"")
    for extra in (
        sequence(0x00081140, element(0x00081155, "UI", "1.9") + inner, b""),
        sequence(0x00081140, element(0x00081155, "UI", "1.9"), defined=True),
        nested(scan.MAX_DEPTH),
        nested(scan.MAX_DEPTH, defined=True),
        element(0x00091001, "UN", bytes(5000)),
        sequence(0x00081140, *[element(0x00081155, "UI", "1.2")] * 200, defined=True),
        element(0x00091010, "UN", length=UNDEFINED)
        + marker(ITEM, UNDEFINED)
        + element(0x00091011, "LO", "in implicit VR", implicit=True)
        + marker(0xFFFEE00D)
        + marker(0xFFFEE0DD),
    ):
        assert read(instance(extra)).sop_instance_uid == SOP


def test_malformed_items_of_a_wanted_sequence_are_left_out():
    good = element(0x00186012, "US", b"\1\0")
    regions = [{"RegionSpatialFormat": 1}]
    assert read(instance(sequence(0x00186011, good))).viewer["SequenceOfUltrasoundRegions"] == regions
    assert read(instance(sequence(0x00186011, good, defined=True))).viewer["SequenceOfUltrasoundRegions"] == regions
    for body in (b"\xfe\xff", marker(ITEM, 4) + b"\0\0\0\0", good, marker(ITEM, 2**31) + good[:5], nested(70)):
        broken = element(0x00186011, "SQ", body)
        assert read(instance(broken)).sop_instance_uid == SOP


@pytest.mark.parametrize("name", CUT)
def test_every_prefix_is_answered(name):
    file = REAL[name]
    step = max(len(file) // 700, 1)
    for end in [*range(min(len(file), 1500)), *range(0, len(file), step)]:
        anything(file[:end], end)
        anything(file[:end], len(file))


@pytest.mark.parametrize("name", ["MR_small_bigendian.dcm", "MR_small_implicit.dcm", "image_dfl.dcm", "JPEG2000.dcm"])
def test_what_is_cut_inside_the_pixels_is_never_taken_for_whole(name):
    for cut in (50, 1000):
        assert reason(REAL[name][:-cut]) == "truncated"


@given(st.sampled_from(CUT), st.data())
@settings(max_examples=1500, deadline=None)
def test_changed_bytes_are_answered(name, data):
    file = bytearray(REAL[name][:20_000])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(128, len(file) - 5))
        file[at : at + 4] = data.draw(
            st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"SQ\0\0"]) | st.binary(min_size=4, max_size=4)
        )
    size = data.draw(st.sampled_from([len(file), len(file) + 10**6, 10**12]))
    anything(bytes(file), size)


@given(st.binary(max_size=300), st.sampled_from([EXPLICIT, IMPLICIT, BIG_ENDIAN, JPEG, DEFLATED, ""]))
@settings(max_examples=800, deadline=None)
def test_any_dataset_is_answered(dataset, syntax):
    file = part10(dataset, syntax)
    anything(file, len(file))
    anything(file, len(file) + 1000)


def test_a_bomb_inflates_within_bounds():
    squeezer = zlib.compressobj(9, wbits=-15)
    bomb = squeezer.compress(element(0x00091001, "OB", length=2**31)) + squeezer.compress(bytes(2**27))
    file = part10(b"", DEFLATED)[:-2] + bomb + squeezer.flush()
    tracemalloc.start()
    try:
        assert isinstance(anything(file[:FIRST_RANGE], len(file)), (NeedMore, Unreadable))
        assert isinstance(anything(file, len(file)), Unreadable)
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_HEADER
    finally:
        tracemalloc.stop()


def test_100_000_nested_sequences_cost_next_to_nothing():
    """Counted in element headers looked at, not in seconds."""
    for depth in (nested(100_000), nested(100_000, defined=True)):
        file = instance(depth)
        walker = scan.Walker(file, len(file), little=True)
        with suppress(Unreadable):
            walker.scan(file.index(b"\x08\0\x16\0"), implicit=False)
        assert walker.steps_left > scan.MAX_STEPS - 1000
