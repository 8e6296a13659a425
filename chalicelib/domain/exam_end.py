"""When an exam ended, from what its instances say (FACTS §3). Each instance brings its best time (`Times`); here they
are reduced over the study and checked against the procedure step's own end and the moment of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.study import Times

BEFORE_LAST_ACQUISITION = timedelta(minutes=2)
AFTER_LAST_ACQUISITION = timedelta(hours=2)
"""A step's end is believed from 2 minutes before the last acquisition to 2 hours after it."""

CLOCK_TOLERANCE = timedelta(minutes=10)
"""Unsynchronised clocks are off 5 to 10 minutes (PS3.17 R.6.3); further ahead is a fault of the device."""

UTC_LABEL = (timedelta(hours=7), timedelta(hours=8, minutes=30))
"""A device whose local time is written as if it were UTC is 8 hours ahead, less the time until arrival."""

OLD = timedelta(days=30)

# What a hospital is told of how its devices tell the time.
FLAGS = ("start_only", "pps_end_implausible", "future_clock", "utc_label", "import", "no_time")

ENDED_STEPS = frozenset({"COMPLETED", "DISCONTINUED"})

_START_OF = ("SeriesDate/Time", "StudyDate/Time")
_TRUST = {"ContentDate/Time": 1, "SeriesDate/Time": 2, "StudyDate/Time": 3, "none": 4}
"""The rest, all of the acquisition itself, come first and compete by time alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """A Modality Performed Procedure Step: its status (0040,0252) and end (0040,0250/0251)."""

    status: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExamEnd:
    """`at` is None when nothing tells. `source` is the attribute's name, "MPPS", "received_at" or "none". `flags` are
    of FLAGS."""

    at: datetime | None
    source: str
    flags: tuple[str, ...] = ()


def exam_end(times: Sequence[Times], received_at: datetime, steps: Sequence[Step] = ()) -> ExamEnd:
    """The order of `times` does not matter. `received_at` is when the last instance that counts arrived."""
    evidence = [one for one in times if one.evidence]
    own = [one for one in evidence if not one.capture]
    best = _latest(own) or _latest(evidence)
    step_ends = [one.step_ended_at for one in own or evidence if one.step_ended_at is not None]
    steps_done = [step.ended_at for step in steps if step.status in ENDED_STEPS and step.ended_at is not None]
    flags = []
    at, source = (None, "none") if best is None else (best.acquired_at, best.source)
    for name, ends in (("MPPS", steps_done), ("PerformedProcedureStepEndDate/Time", step_ends)):
        believed = [end for end in ends if _is_plausible(end, None if best is None else best.acquired_at)]
        if believed:
            at, source = max(believed), name
            break
        if ends and "pps_end_implausible" not in flags:
            flags.append("pps_end_implausible")
    if source in _START_OF:
        flags.append("start_only")
    return _against_arrival(at, source, flags, received_at)


def _latest(times: Iterable[Times]) -> Times | None:
    """The last time of the most trusted kind that any instance has."""
    timed = [one for one in times if one.acquired_at is not None]
    return max(timed, key=lambda one: (-_TRUST.get(one.source, 0), one.acquired_at, one.source), default=None)


def _is_plausible(end: datetime, acquired_at: datetime | None) -> bool:
    return acquired_at is None or -BEFORE_LAST_ACQUISITION <= end - acquired_at <= AFTER_LAST_ACQUISITION


def _against_arrival(at: datetime | None, source: str, flags: list[str], received_at: datetime) -> ExamEnd:
    if at is None:
        return ExamEnd(None, "none", (*flags, "no_time"))
    ahead = at - received_at
    if ahead > CLOCK_TOLERANCE:
        label = ("utc_label",) if UTC_LABEL[0] <= ahead <= UTC_LABEL[1] else ()
        return ExamEnd(received_at, "received_at", (*flags, "future_clock", *label))
    return ExamEnd(at, source, (*flags, "import") if -ahead > OLD else tuple(flags))
