"""What the client writes into an index is what the cloud would read in the file; whatever it doubts goes by itself."""

from __future__ import annotations

import csv
import json
import struct
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.dicom import tags
from chalicelib.dicom.header import Unreadable
from chalicelib.dicom.pack import read_index
from infra.hospital.imaging_hospital import header, header_tags
from infra.local import samples
from infra.local.samples import BEIJING
from tests.support.dicom_files import EXPLICIT, IMPLICIT, JPEG, element, fragments, instance, read, shipped

VECTORS = Path(__file__).parents[2] / "data" / "charsets.csv"
HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("one") / "image"


def described(place, file):
    """What the client reads; where it dares to describe the file, checked against the cloud's own reading."""
    place.write_bytes(file)
    found = header.read(place)
    if found.header is not None:
        item = {"sop_uid": found.sop, "offset": 0, "length": 1, "sha256": "0" * 64, "header": found.header}
        index = json.dumps({"instances": [item]}, allow_nan=False).encode()
        ours, theirs = asdict(read_index(index, BEIJING).items[0].header), asdict(read(file))
        del ours["repaired"], theirs["repaired"]  # an index has nothing to repair
        assert ours == theirs
        assert (found.study, found.series) == (theirs["study_instance_uid"], theirs["series_instance_uid"])
    return found


def outcome(place, file):
    try:
        return "described" if described(place, file).header else "doubtful"
    except header.NotDicomError as no:
        return no.reason


def test_the_table_of_attributes_is_the_clouds():
    assert header_tags.WANTED == tags.WANTED
    assert header_tags.SEQUENCES == tags.SEQUENCES


def test_every_shipped_file_is_described_as_the_cloud_reads_it_or_not_at_all(place):
    counts = Counter(outcome(place, path.read_bytes()) for path in shipped())
    assert counts["described"] >= 75
    assert counts["doubtful"] + counts["described"] + counts["not_dicom"] + counts["dicomdir"] == len(shipped())


def test_what_the_cloud_does_not_take_is_never_described(place):
    refused = 0
    for path in shipped():
        try:
            read(path.read_bytes())
        except Unreadable:
            refused += 1
            assert outcome(place, path.read_bytes()) != "described", path.name
    assert refused > 20


@pytest.mark.parametrize("modality", ["MR", "DX", "US"])
def test_what_devices_send_is_described(place, modality):
    assert described(place, samples.single(modality)).header


def test_slices_and_enhanced_objects_are_described(place):
    assert all(described(place, file).header for file in samples.chest_ct(slices=3))
    assert described(place, samples.enhanced(frames=4)).header


def test_every_vector_of_character_sets_is_read_the_same_or_left_to_the_cloud(place):
    with VECTORS.open(encoding="utf-8", newline="") as rows:
        found = [
            outcome(place, instance(name=bytes.fromhex(row["hex"]), charset=row["declared"]))
            for row in csv.DictReader(rows)
        ]
    assert Counter(found)["described"] >= 15


LABELS = st.sampled_from(["GB18030", "GBK", "ISO_IR 192", "ISO_IR 100", "ISO 2022 IR 58", "ISO_IR 149", "", "nonsense"])


@given(HAN, HAN, st.sampled_from(["gb18030", "utf-8", "big5"]), LABELS)
@settings(max_examples=250, deadline=None)
def test_names_in_any_charset_under_any_label_are_read_the_same_or_left_to_the_cloud(
    place, first, second, codec, label
):
    name, identity = (text.encode(codec, "ignore") or b"P" for text in (f"{first}^{second}", second))
    described(place, instance(name=name, patient_id=identity, charset=label))


@given(st.binary(max_size=12), st.sampled_from([EXPLICIT, IMPLICIT]), LABELS)
@settings(max_examples=250, deadline=None)
def test_bytes_that_are_no_text_are_read_the_same_or_left_to_the_cloud(place, raw, syntax, label):
    implicit = syntax == IMPLICIT
    described(place, instance(name=raw, number=raw[:6], charset=label, syntax=syntax))
    described(place, instance(element(0x00181050, "DS", raw, implicit=implicit), syntax=syntax))
    described(place, instance(element(0x00280106, "SS", struct.pack("<h", -2), implicit=implicit), syntax=syntax))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_cut_off_anywhere_is_never_described(place, data):
    whole = data.draw(st.sampled_from([instance(), instance(syntax=JPEG, pixels=fragments(b"12", b"3456"))]))
    cut = data.draw(st.integers(0, len(whole) - 1))
    try:
        read(whole[:cut])
    except Unreadable:
        assert outcome(place, whole[:cut]) != "described"
    else:
        described(place, whole[:cut])


def test_a_label_that_common_devices_get_right_is_no_reason_to_doubt(place):
    for codec, label in (("gb18030", "GB18030"), ("gb18030", "GBK"), ("utf-8", "ISO_IR 192"), ("gb18030", "")):
        file = instance(name="欧阳^小明".encode(codec), charset=label)
        assert described(place, file).header["00100010"]["Value"] == [{"Alphabetic": "欧阳^小明"}]
