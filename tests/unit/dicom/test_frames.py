"""Frames, native and encapsulated, and whole headers: against pydicom's own writer, cut short, and hostile."""

import contextlib
import io
import json

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from chalicelib.dicom.frames import NATIVE, NoSuchFrame, encapsulated, little_endian, native_spans, transfer_syntax
from chalicelib.dicom.scan import GoesOn, Unreadable
from chalicelib.dicom.whole_header import frames_of, metadata, read_whole

PIXELS = bytes(range(24))  # 3 frames of 2 × 2 words


def file_of(syntax=ExplicitVRLittleEndian, pixels=PIXELS, **changed):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.SpecificCharacterSet = "GB18030"
    dataset.PatientName = "Zhang^San=张^三"
    dataset.Rows = dataset.Columns = 2
    dataset.SamplesPerPixel, dataset.BitsAllocated, dataset.NumberOfFrames = 1, 16, 3
    dataset.PhotometricInterpretation = "MONOCHROME2"
    for name, value in changed.items():
        setattr(dataset, name, value)
    if pixels is not None:
        dataset.PixelData = pixels
        dataset["PixelData"].VR = "OB" if syntax.is_encapsulated else "OW"
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def header_of(file):
    return read_whole(file, len(file))


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_native_frames_lie_one_after_another_and_are_given_in_little_endian(syntax):
    words = b"".join(PIXELS[at : at + 2][::-1] for at in range(0, 24, 2)) if syntax == ExplicitVRBigEndian else PIXELS
    file = file_of(syntax, words)
    header = header_of(file)
    assert transfer_syntax(header) == NATIVE
    spans = native_spans(header, [1, 3])
    got = [little_endian(header, header.data[one.start : one.start + one.length]) for one in spans]
    assert got == [PIXELS[:8], PIXELS[16:]]
    for numbers in ([0], [4], [1, 4]):
        with pytest.raises(NoSuchFrame):
            native_spans(header, numbers)


FRAMES = [b"\xff\xd8one\xff\xd9", b"\xff\xd8" + bytes(50) + b"\xff\xd9", b"\xff\xd8three"]


def pixels_of(header, file):
    return file[header.pixels.start :]


@pytest.mark.parametrize("has_bot", [True, False])
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless, RLELossless])
def test_encapsulated_frames_are_found_with_and_without_an_offset_table(syntax, has_bot):
    file = file_of(syntax, encapsulate(FRAMES, has_bot=has_bot))
    header = header_of(file)
    assert native_spans(header, [1]) is None
    assert transfer_syntax(header) == syntax
    got = encapsulated(header, pixels_of(header, file), [3, 1, 2])
    assert [one.rstrip(b"\0") for one in got] == [one.rstrip(b"\0") for one in (FRAMES[2], FRAMES[0], FRAMES[1])]


def test_frames_of_several_fragments_are_joined():
    one = file_of(JPEGBaseline8Bit, encapsulate([bytes(range(64))], fragments_per_frame=4), NumberOfFrames=1)
    assert encapsulated(header_of(one), pixels_of(header_of(one), one), [1]) == [bytes(range(64))]
    three = file_of(JPEGBaseline8Bit, encapsulate([bytes([n]) * 64 for n in range(3)], fragments_per_frame=2))
    assert encapsulated(header_of(three), pixels_of(header_of(three), three), [2]) == [b"\1" * 64]
    untold = file_of(
        JPEGBaseline8Bit, encapsulate([bytes([n]) * 64 for n in range(3)], fragments_per_frame=2, has_bot=False)
    )
    with pytest.raises(NoSuchFrame):
        encapsulated(header_of(untold), pixels_of(header_of(untold), untold), [2])


def test_an_extended_offset_table_is_used():
    frames = [bytes([n]) * 64 for n in range(3)]
    pixels, offsets, lengths = encapsulate_extended(frames)
    file = file_of(JPEGBaseline8Bit, pixels, ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths)
    assert encapsulated(header_of(file), pixels_of(header_of(file), file), [2]) == [frames[1]]


def test_what_has_no_pixels_has_no_frames():
    with pytest.raises(NoSuchFrame):
        transfer_syntax(header_of(file_of(pixels=None)))
    without_rows = file_of(Rows=0)
    with pytest.raises(NoSuchFrame):
        native_spans(header_of(without_rows), [1])


@given(st.integers(0, 10_000))
def test_a_file_cut_anywhere_asks_for_more_or_shows_its_header(cut):
    file = file_of()
    start = header_of(file).pixels.start
    if cut >= start:
        assert read_whole(file[:cut], len(file)).pixels.start == start
    else:
        with pytest.raises(GoesOn) as more:
            read_whole(file[:cut], len(file))
        assert cut < more.value.length <= len(file)


@given(st.binary(max_size=400))
def test_hostile_fragments_raise_nothing_else(pixels):
    header = header_of(file_of(JPEGBaseline8Bit, encapsulate(FRAMES)))
    with contextlib.suppress(NoSuchFrame):
        encapsulated(header, pixels, [1, 2, 3])


@given(st.integers(132, 600), st.integers(0, 255))
def test_a_changed_byte_of_the_header_breaks_nothing(at, byte):
    file = bytearray(file_of())
    if at < len(file):
        file[at] = byte
    try:
        told = metadata(read_whole(bytes(file), len(file)), "https://x")
    except (GoesOn, Unreadable):
        return
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_metadata_is_the_header_in_utf_8_with_the_frames_where_they_are():
    told = metadata(header_of(file_of()), "https://x/instances/1.2.3")
    assert told["00100010"]["Value"] == [{"Alphabetic": "Zhang^San", "Ideographic": "张^三"}]
    assert told["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
    assert told["7FE00010"] == {"vr": "OW", "BulkDataURI": "https://x/instances/1.2.3/frames/1,2,3"}
    assert told["00083002"]["Value"] == [str(ExplicitVRLittleEndian)]
    assert not [tag for tag in told if tag.startswith("0002")]
    back = pydicom.Dataset.from_json({tag: one for tag, one in told.items() if tag != "7FE00010"})
    assert frames_of(back) == 3


def test_text_that_is_not_in_the_set_it_claims_is_read_as_what_it_is():
    file = file_of(SpecificCharacterSet="GB18030", StudyDescription="胸部CT平扫检查")
    lying = file.replace(b"GB18030 ", b"ISO_IR 6")
    assert metadata(header_of(lying), "x")["00081030"]["Value"] == ["胸部CT平扫检查"]


def test_a_value_that_is_no_number_costs_only_itself():
    file = file_of().replace(b"\x28\x00\x08\x00IS\x02\x003 ", b"\x28\x00\x08\x00IS\x02\x00x ")
    told = metadata(header_of(file), "x")
    assert told["00280008"]["vr"] == "IS"
    assert told["00280010"]["Value"] == [2]
