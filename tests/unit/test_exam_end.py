"""The end of an exam over all its instances: the cases of FACTS §3, and their neighbours."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicom.times import read_times
from chalicelib.domain.exam_end import ExamEnd, Step, exam_end
from chalicelib.domain.study import Times
from infra.local.samples import BEIJING

CASES = list(csv.DictReader(Path("tests/data/end_time_cases.csv").read_text("utf-8").splitlines()))
NINE = datetime(2025, 3, 10, 1, 5, 12, tzinfo=UTC)
LATER = NINE + timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def acquired(at=NINE, source="AcquisitionDate/Time", **more):
    return Times(at, source, **more)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_case(case):
    times = [read_times(instance, BEIJING) for instance in json.loads(case["instances"])]
    steps = [Step(step["status"]) for step in json.loads(case["steps"])]
    end = exam_end(times, datetime.fromisoformat(case["received_at"]), steps)
    at = datetime.fromisoformat(case["at"]) if case["at"] else None
    assert (end.at, end.source, ",".join(end.flags)) == (at, case["source"], case["flags"])


def test_the_last_acquisition_counts():
    times = [acquired(), acquired(NINE + 3 * MINUTE, "AcquisitionDateTime"), acquired(NINE + MINUTE)]
    assert exam_end(times, LATER) == ExamEnd(NINE + 3 * MINUTE, "AcquisitionDateTime")


def test_a_worse_source_never_passes_a_better_one():
    late = NINE + 30 * MINUTE
    for source in ("ContentDate/Time", "SeriesDate/Time", "StudyDate/Time"):
        assert exam_end([acquired(), acquired(late, source)], LATER) == ExamEnd(NINE, "AcquisitionDate/Time")


def test_starts_are_flagged():
    for source in ("SeriesDate/Time", "StudyDate/Time"):
        assert exam_end([acquired(source=source)], LATER).flags == ("start_only",)
    assert exam_end([acquired(source="ContentDate/Time")], LATER).flags == ()


@pytest.mark.parametrize(
    ("minutes", "believed"), [(-2, True), (-2.1, False), (0, True), (30, True), (120, True), (120.1, False)]
)
def test_a_steps_end_is_believed_near_the_last_acquisition(minutes, believed):
    end = NINE + minutes * MINUTE
    received = NINE + timedelta(hours=3)
    named = "PerformedProcedureStepEndDate/Time"
    flags = () if believed else ("pps_end_implausible",)
    expected = ExamEnd(end, named) if believed else ExamEnd(NINE, "AcquisitionDate/Time", flags)
    assert exam_end([acquired(step_ended_at=end)], received) == expected
    step = [Step("COMPLETED", end)]
    expected = ExamEnd(end, "MPPS") if believed else ExamEnd(NINE, "AcquisitionDate/Time", flags)
    assert exam_end([acquired()], received, step) == expected


def test_the_latest_finished_step_counts_and_goes_before_what_objects_say():
    steps = [
        Step("COMPLETED", NINE + MINUTE),
        Step("DISCONTINUED", NINE + 2 * MINUTE),
        Step("IN PROGRESS", NINE + 3 * MINUTE),
        Step("COMPLETED"),
    ]
    times = [acquired(step_ended_at=NINE + 5 * MINUTE)]
    assert exam_end(times, LATER, steps) == ExamEnd(NINE + 2 * MINUTE, "MPPS")


def test_an_unbelievable_mpps_leaves_the_objects_own_end():
    times = [acquired(step_ended_at=NINE + MINUTE)]
    end = exam_end(times, LATER, [Step("COMPLETED", NINE + timedelta(hours=9))])
    assert end == ExamEnd(NINE + MINUTE, "PerformedProcedureStepEndDate/Time", ("pps_end_implausible",))


def test_a_steps_end_is_all_there_is():
    assert exam_end([Times()], LATER, [Step("COMPLETED", NINE)]) == ExamEnd(NINE, "MPPS")


def test_what_is_no_evidence_does_not_count():
    times = [acquired(), acquired(NINE + 9 * MINUTE, evidence=False, step_ended_at=NINE + 9 * MINUTE)]
    assert exam_end(times, LATER).at == NINE
    assert exam_end(times[1:], LATER) == ExamEnd(None, "none", ("no_time",))


def test_captures_count_only_where_there_is_nothing_else():
    capture = acquired(NINE + 9 * MINUTE, capture=True)
    assert exam_end([acquired(), capture], LATER).at == NINE
    assert exam_end([capture], LATER).at == NINE + 9 * MINUTE
    assert exam_end([Times(), capture], LATER).at == NINE + 9 * MINUTE


def test_nothing_tells():
    assert exam_end([], LATER) == ExamEnd(None, "none", ("no_time",))


def test_a_clock_up_to_ten_minutes_ahead_is_left_alone():
    assert exam_end([acquired()], NINE - 10 * MINUTE).at == NINE
    end = exam_end([acquired()], NINE - 11 * MINUTE)
    assert (end.at, end.source, end.flags) == (NINE - 11 * MINUTE, "received_at", ("future_clock",))


@pytest.mark.parametrize(
    ("hours", "utc"), [(1, False), (6.9, False), (7.5, True), (8, True), (8.6, False), (24, False)]
)
def test_about_eight_hours_ahead_is_a_label_fault(hours, utc):
    end = exam_end([acquired()], NINE - timedelta(hours=hours))
    assert end.flags == (("future_clock", "utc_label") if utc else ("future_clock",))


def test_what_is_older_than_thirty_days_is_an_import():
    assert exam_end([acquired()], NINE + timedelta(days=30)).flags == ()
    end = exam_end([acquired(source="StudyDate/Time")], NINE + timedelta(days=31))
    assert (end.at, end.flags) == (NINE, ("start_only", "import"))


moments = st.integers(-10_000, 15_000).map(lambda minutes: NINE + minutes * MINUTE)


@given(
    st.lists(
        st.builds(
            Times,
            st.none() | moments,
            st.sampled_from(["AcquisitionDate/Time", "ContentDate/Time", "SeriesDate/Time", "StudyDate/Time"]),
            st.none() | moments,
            st.booleans(),
            st.booleans(),
        ),
        max_size=6,
    ),
    st.randoms(),
)
def test_order_does_not_matter_and_the_end_never_passes_the_arrival(times, random):
    shuffled = random.sample(times, len(times))
    end = exam_end(times, LATER)
    assert exam_end(shuffled, LATER) == end
    assert end.at is None or end.at <= LATER + 10 * MINUTE
