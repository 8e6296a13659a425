"""How much of an object is read: the first range, more only where the header goes on, never for pixels."""

from __future__ import annotations

import pytest

from chalicelib.dicom.header import FIRST_RANGE, MAX_HEADER, NeedMore, Unreadable, read_header
from chalicelib.dicom.scan import OPTIONAL_HEADER
from infra.local import samples
from infra.local.samples import BEIJING
from tests.support.dicom_files import DEFLATED, SOP, element, fragments, instance, read, sequence, shipped

HUGE = 5 * 1024**3


def ranges(file, size=None):
    """The lengths that were asked for, the first included, and the Header."""
    size = size or len(file)
    asked = [min(FIRST_RANGE, size)]
    while isinstance(header := read_header(file[: asked[-1]], size, BEIJING), NeedMore):
        asked.append(header.length)
    return asked, header


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.name)
def test_the_first_range_suffices_for_what_pydicom_ships(path):
    file = path.read_bytes()
    try:
        asked, _ = ranges(file)
    except Unreadable:
        return
    assert len(asked) == 1


def test_pixels_are_never_asked_for():
    head = instance(pixels=b"")
    for pixels in (element(0x7FE00010, "OW", length=2**31), fragments(b"", end=False) + bytes(200_000)):
        asked, header = ranges(head + pixels + bytes(FIRST_RANGE), HUGE)
        assert len(asked) == 1
        assert header.sop_instance_uid == SOP


def test_a_long_private_element_before_the_image_attributes_is_passed_in_one_more_read():
    asked, header = ranges(instance(element(0x00111001, "OB", bytes(150_000))))
    assert len(asked) == 2
    assert header.viewer["Rows"] == 2


def test_long_sequences_of_undefined_length_take_few_reads():
    items = [element(0x00081155, "UI", f"1.2.{n}") for n in range(20_000)]
    asked, header = ranges(instance(sequence(0x00081140, *items)))
    assert len(asked) <= 3
    assert header.sop_instance_uid == SOP


def test_beyond_the_image_group_only_a_little_more_is_read():
    shape = element(0x20500020, "CS", "INVERSE")
    _, near = ranges(instance(element(0x00291010, "OB", bytes(200_000)), shape))
    assert near.viewer["PresentationLUTShape"] == "INVERSE"
    asked, far = ranges(instance(element(0x00291010, "OB", bytes(2 * OPTIONAL_HEADER)), shape))
    assert asked == [FIRST_RANGE]
    assert "PresentationLUTShape" not in far.viewer


def test_a_document_and_a_report_are_not_read():
    pdf = element(0x00420011, "OB", bytes(3 * 1024**2))
    assert ranges(instance(pdf, pixels=b""))[0] == [FIRST_RANGE]
    report = sequence(0x0040A730, *[element(0x0040A160, "UT", bytes(500))] * 1000)
    assert ranges(instance(report, pixels=b""))[0] == [FIRST_RANGE]


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_functional_groups_are_not_walked(modality):
    file = samples.enhanced(modality)
    asked, header = ranges(file)
    assert asked == [FIRST_RANGE]
    assert header.viewer["NumberOfFrames"] == 300


def test_the_answer_does_not_depend_on_how_much_was_given():
    files = [path.read_bytes() for path in shipped()]
    files += [samples.enhanced(), instance(element(0x00291010, "OB", bytes(2 * OPTIONAL_HEADER)), pixels=b"")]
    for file in files:
        try:
            _, header = ranges(file)
        except Unreadable:
            with pytest.raises(Unreadable):
                read_header(file, len(file), BEIJING)
        else:
            assert read_header(file, len(file), BEIJING) == header


def test_a_deflated_dataset_is_read_from_its_beginning():
    file = instance(element(0x00091001, "OB", bytes(range(256)) * 16), syntax=DEFLATED)
    assert read(file).patient_name == "Zhang^San"
    asked, header = ranges(file + bytes(300_000))
    assert (len(asked), header.sop_instance_uid) == (1, SOP)


def test_more_is_never_asked_for_than_the_object_or_the_limit_has():
    with pytest.raises(Unreadable) as caught:
        ranges(instance(element(0x00111001, "OB", bytes(MAX_HEADER + 2))))
    assert caught.value.reason == "header_too_long"
