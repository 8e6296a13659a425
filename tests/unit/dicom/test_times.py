"""One instance's candidate for the exam's end, by hand-made attributes and out of files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicom.times import KEYWORDS, read_times
from chalicelib.domain.study import Times
from infra.local.samples import BEIJING
from tests.support.dicom_files import element, instance, read

DAY = {"StudyDate": "20250310", "StudyTime": "090000", "SeriesDate": "20250310", "SeriesTime": "090100"}


def at(hour, minute=0, second=0, *, day=10, micro=0, zone=BEIJING):  # noqa: PLR0913 - as many as a moment has
    return datetime(2025, 3, day, hour, minute, second, micro, tzinfo=zone).astimezone(UTC)


def acquired(**attributes):
    times = read_times({"Modality": "CT", **DAY, **attributes}, BEIJING)
    return times.acquired_at, times.source


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        ("20250310", "0905", at(9, 5)),
        ("20250310", "09", at(9)),
        ("20250310", "09:05:07", at(9, 5, 7)),
        ("2025.03.10", "090507.25", at(9, 5, 7, micro=250_000)),
        ("2025-03-10", "090507.1234567", at(9, 5, 7, micro=123_456)),
        ("2025/03/10", "235960", at(23, 59, 59)),
        (" 20250310 ", "090507.", at(9, 5, 7)),
        ("20250310\\20250311", "090507\\101010", at(9, 5, 7)),
        (["20250310"], ["090507"], at(9, 5, 7)),
    ],
)
def test_dates_and_times_as_devices_write_them(date, time, expected):
    assert acquired(AcquisitionDate=date, AcquisitionTime=time) == (expected, "AcquisitionDate/Time")


@pytest.mark.parametrize(
    "date", ["00000000", "19000101", "19891231", "20000101", "22000101", "20250231", "2025031", "2025-0310", "x"]
)
def test_a_date_that_cannot_be_true_makes_its_time_unusable(date):
    assert acquired(AcquisitionDate=date, AcquisitionTime="090512") == (at(9, 1), "SeriesDate/Time")


@pytest.mark.parametrize("time", ["240000", "096100", "090561", "9", "", "09051", "noon", "0905-0910"])
def test_a_time_that_cannot_be_true_is_passed_over(time):
    assert acquired(AcquisitionDate="20250310", AcquisitionTime=time) == (at(9, 1), "SeriesDate/Time")


@pytest.mark.parametrize(
    ("offset", "zone"),
    [
        ("+0000", UTC),
        ("-0330", timezone(-timedelta(hours=3, minutes=30))),
        ("+0545", timezone(timedelta(hours=5, minutes=45))),
        ("+08:00", BEIJING),
        ("+1500", BEIJING),
        ("Z", BEIJING),
        ("", BEIJING),
    ],
)
def test_an_objects_offset_goes_before_the_hospitals(offset, zone):
    found, _ = acquired(AcquisitionDate="20250310", AcquisitionTime="090512", TimezoneOffsetFromUTC=offset)
    assert found == at(9, 5, 12, zone=zone)


def test_an_offset_inside_a_dt_goes_before_both():
    assert acquired(AcquisitionDateTime="20250310010512+0000", TimezoneOffsetFromUTC="-0500")[0] == at(9, 5, 12)
    assert acquired(AcquisitionDateTime="20250310090512", TimezoneOffsetFromUTC="+0900")[0] == at(8, 5, 12)


@pytest.mark.parametrize("text", ["20250310", "2025", "202503100905+9", "20251310090512", "20250310256190", ""])
def test_a_dt_without_a_readable_hour_is_passed_over(text):
    found = acquired(AcquisitionDateTime=text, AcquisitionDate="20250310", AcquisitionTime="090512")
    assert found == (at(9, 5, 12), "AcquisitionDate/Time")


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ({"FrameTime": "50", "NumberOfFrames": 61}, 3),
        ({"FrameTimeVector": ["0", "66", "66", "68"]}, 0.2),
        ({"FrameTimeVector": "0\\66\\66\\68"}, 0.2),
        ({"EffectiveDuration": "12.5"}, 12.5),
        ({"Modality": "NM", "ActualFrameDuration": 20_000, "NumberOfFrames": 30}, 600),
        ({"Modality": "PT", "ActualFrameDuration": "120000"}, 120),
        ({"ActualFrameDuration": "120000"}, 0),
        ({"FrameTime": "50"}, 0),
        ({"FrameTime": "x", "NumberOfFrames": "many"}, 0),
        ({"FrameTime": "60000", "NumberOfFrames": 200}, 0),
        ({"EffectiveDuration": "-5"}, 0),
    ],
)
def test_frames_take_time(attributes, seconds):
    end = at(9, 10) + timedelta(seconds=seconds)
    assert acquired(AcquisitionDateTime="20250310091000", **attributes) == (end, "AcquisitionDateTime")
    assert acquired(AcquisitionDate="20250310", AcquisitionTime="091000", **attributes)[0] == end


@pytest.mark.parametrize(
    ("duration", "seconds"), [(90.5, 90.5), ("30", 30), (7200, 7200), (7201, 0), (-1, 0), ("x", 0)]
)
def test_a_stated_duration_is_added_unless_it_is_absurd(duration, seconds):
    found = acquired(AcquisitionDateTime="20250310091000", AcquisitionDuration=duration)
    assert found == (at(9, 10) + timedelta(seconds=seconds), "AcquisitionDateTime+Duration")


def test_a_stated_end_goes_before_everything():
    found = acquired(EndAcquisitionDateTime="20250310091015.2", AcquisitionDateTime="20250310093000")
    assert found == (at(9, 10, 15, micro=200_000), "EndAcquisitionDateTime")


def test_the_last_frame_counts_where_functional_groups_are_known():
    frames = [
        {"FrameContentSequence": [{"FrameAcquisitionDateTime": f"2025031009{m}00", "FrameAcquisitionDuration": 1500}]}
        for m in ("12", "14", "13")
    ]
    expected = (at(9, 14, 1, micro=500_000), "FrameAcquisitionDateTime")
    assert acquired(PerFrameFunctionalGroupsSequence=frames, AcquisitionDateTime="20250310093000") == expected


def test_an_undated_time_stands_on_its_series_or_studys_day():
    assert acquired(AcquisitionTime="090512") == (at(9, 5, 12), "AcquisitionTime on SeriesDate")
    assert acquired(AcquisitionTime="090512", SeriesDate="") == (at(9, 5, 12), "AcquisitionTime on StudyDate")
    assert acquired(AcquisitionTime="000730", SeriesTime="235000")[0] == at(0, 7, 30, day=11)
    assert acquired(AcquisitionTime="055900", SeriesTime="120000")[0] == at(5, 59, day=11)
    assert acquired(AcquisitionTime="060100", SeriesTime="120000")[0] == at(6, 1)
    assert acquired(AcquisitionTime="090512", SeriesDate="", StudyDate="") == (None, "none")


def test_content_counts_only_for_originals():
    content = {"ContentDate": "20250310", "ContentTime": "091500"}
    assert acquired(ImageType=["ORIGINAL", "PRIMARY"], **content) == (at(9, 15), "ContentDate/Time")
    assert acquired(ImageType="ORIGINAL\\PRIMARY", **content) == (at(9, 15), "ContentDate/Time")
    assert acquired(ImageType=["DERIVED", "SECONDARY"], **content) == (at(9, 1), "SeriesDate/Time")
    assert acquired(**content) == (at(9, 1), "SeriesDate/Time")


def test_the_start_is_the_last_resort():
    assert acquired() == (at(9, 1), "SeriesDate/Time")
    assert acquired(SeriesTime="") == (at(9), "StudyDate/Time")
    assert acquired(SeriesTime="", StudyTime="") == (None, "none")


@pytest.mark.parametrize("modality", ["SR", "KO", "PR", "SEG", "REG", "RTSTRUCT", "RTDOSE", "RTPLAN", "DOC"])
def test_what_is_made_after_the_exam_is_no_evidence(modality):
    assert not read_times({"Modality": modality}, BEIJING).evidence


@pytest.mark.parametrize(
    ("sop_class", "evidence", "capture"),
    [
        ("2", True, False),
        ("1.1", True, False),
        ("7", True, True),
        ("7.4", True, True),
        ("77.1.1", True, False),
        ("88.33", False, False),
        ("104.1", False, False),
        ("11.1", False, False),
        ("66", False, False),
        ("66.4", False, False),
        ("481.3", False, False),
        ("12.1", True, False),
        ("128", True, False),
    ],
)
def test_classes_of_evidence(sop_class, evidence, capture):
    times = read_times({"Modality": "CT", "SOPClassUID": f"1.2.840.10008.5.1.4.1.1.{sop_class}"}, BEIJING)
    assert (times.evidence, times.capture) == (evidence, capture)


def test_out_of_a_file():
    header = read(
        instance(
            element(0x00080022, "DA", "20250310"),
            element(0x00080032, "TM", "090512"),
            element(0x00080201, "SH", "+0800"),
            element(0x00400250, "DA", "20250310"),
            element(0x00400251, "TM", "090700"),
        ),
        zone=UTC,
    )
    assert header.times == Times(at(9, 5, 12), "AcquisitionDate/Time", at(9, 7))


@given(
    st.dictionaries(
        st.sampled_from(sorted(KEYWORDS)), st.text(max_size=12) | st.lists(st.text(max_size=6)) | st.floats()
    )
)
def test_no_attributes_make_it_fail(attributes):
    times = read_times(attributes, BEIJING)
    assert (times.acquired_at is None) is (times.source == "none")
