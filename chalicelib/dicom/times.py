"""What one instance says of when its exam ended (FACTS §3): the candidates in order of trust, each a small function.

Values come as `Header.viewer` has them (text, numbers, lists), by DICOM keyword. Times carry an offset of their own, or
(0008,0201)'s, or the hospital's. A date that is there but cannot be true makes its time unusable.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Any

from chalicelib.domain.study import Times

Attributes = Mapping[str, Any]

KEYWORDS = frozenset({
    "AcquisitionDate", "AcquisitionDateTime", "AcquisitionDuration", "AcquisitionTime", "ActualFrameDuration",
    "ContentDate", "ContentTime", "EffectiveDuration", "EndAcquisitionDateTime", "FrameTime", "FrameTimeVector",
    "ImageType", "Modality", "NumberOfFrames", "PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime",
    "SOPClassUID", "SeriesDate", "SeriesTime", "StudyDate", "StudyTime", "TimezoneOffsetFromUTC",
})  # fmt: skip
"""All that is looked at here."""

NEVER_EVIDENCE = frozenset({"SR", "KO", "PR", "SEG", "REG", "DOC"})
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_NEVER_EVIDENCE_CLASSES = tuple(f"{_STORAGE}{number}" for number in ("88.", "104.", "11.", "66", "481."))
_CAPTURE = re.compile(re.escape(_STORAGE) + r"7(\.|$)")

LONGEST = timedelta(hours=2)
"""A longer acquisition is a duration written in milliseconds."""

_NO_TIME = timedelta(0)

NEXT_DAY = timedelta(hours=6)
"""A time without date that lies further before its series' is after midnight."""

EARLIEST = date(1990, 1, 1)
LATEST = date(2199, 12, 31)
UNSET = date(2000, 1, 1)  # what a device with a flat battery says

_DATE = re.compile(r"(\d{4})([.\-/]?)(\d{2})\2(\d{2})")
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d*))?)?)?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_DATETIME = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d*)?)?)?)([+-]\d{4})?")


def read_times(attributes: Attributes, zone: timezone) -> Times:
    """`zone` is the hospital's. Never fails: what cannot be read is passed over."""
    zone = _offset(_text(attributes, "TimezoneOffsetFromUTC")) or zone
    modality = _text(attributes, "Modality")
    sop_class = _text(attributes, "SOPClassUID")
    step_ended_at = _dated(attributes, "PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime", zone)
    source, acquired_at = "none", None
    for candidate in _CANDIDATES:
        found = candidate(attributes, zone)
        if found is not None:
            source, acquired_at = found
            break
    return Times(
        acquired_at=_utc(acquired_at),
        source=source,
        step_ended_at=_utc(step_ended_at),
        evidence=not (
            modality in NEVER_EVIDENCE or modality.startswith("RT") or sop_class.startswith(_NEVER_EVIDENCE_CLASSES)
        ),
        capture=_CAPTURE.match(sop_class) is not None,
    )


Candidate = Callable[[Attributes, timezone], tuple[str, datetime] | None]


def _end_stated(attributes: Attributes, zone: timezone) -> tuple[str, datetime] | None:
    end = _datetime(_text(attributes, "EndAcquisitionDateTime"), zone)
    return ("EndAcquisitionDateTime", end) if end else None


def _frames(attributes: Attributes, zone: timezone) -> tuple[str, datetime] | None:
    """Only for callers that hold the functional groups: they are not read from objects."""
    if "PerFrameFunctionalGroupsSequence" not in attributes and "FrameAcquisitionDateTime" not in attributes:
        return None
    contents = [
        content
        for group in _items(attributes, "PerFrameFunctionalGroupsSequence")
        for content in _items(group, "FrameContentSequence")
    ] or [attributes]
    ends = [
        start + _duration(_number(content, "FrameAcquisitionDuration") / 1000)
        for content in contents
        if (start := _datetime(_text(content, "FrameAcquisitionDateTime"), zone))
    ]
    return ("FrameAcquisitionDateTime", max(ends)) if ends else None


def _acquisition_datetime(attributes: Attributes, zone: timezone) -> tuple[str, datetime] | None:
    start = _datetime(_text(attributes, "AcquisitionDateTime"), zone)
    if start is None:
        return None
    if _text(attributes, "AcquisitionDuration"):
        return "AcquisitionDateTime+Duration", start + _duration(_number(attributes, "AcquisitionDuration"))
    return "AcquisitionDateTime", start + _frame_time(attributes)


def _acquisition(attributes: Attributes, zone: timezone) -> tuple[str, datetime] | None:
    start = _dated(attributes, "AcquisitionDate", "AcquisitionTime", zone)
    return ("AcquisitionDate/Time", start + _frame_time(attributes)) if start else None


def _acquisition_undated(attributes: Attributes, zone: timezone) -> tuple[str, datetime] | None:
    if _text(attributes, "AcquisitionDate"):
        return None
    for level in ("Series", "Study"):
        day = _text(attributes, f"{level}Date")
        if not day:
            continue
        start = _at(day, _text(attributes, "AcquisitionTime"), zone)
        if start is None:
            return None
        began = _at(day, _text(attributes, f"{level}Time"), zone)
        if began is not None and began - start > NEXT_DAY:
            start += timedelta(days=1)
        return f"AcquisitionTime on {level}Date", start + _frame_time(attributes)
    return None


def _content(attributes: Attributes, zone: timezone) -> tuple[str, datetime] | None:
    """Not for derived images: a reconstruction made the next day has the next day's ContentTime."""
    if _text(attributes, "ImageType") != "ORIGINAL":
        return None
    start = _dated(attributes, "ContentDate", "ContentTime", zone)
    return ("ContentDate/Time", start) if start else None


def _series(attributes: Attributes, zone: timezone) -> tuple[str, datetime] | None:
    start = _dated(attributes, "SeriesDate", "SeriesTime", zone)
    return ("SeriesDate/Time", start) if start else None


def _study(attributes: Attributes, zone: timezone) -> tuple[str, datetime] | None:
    start = _dated(attributes, "StudyDate", "StudyTime", zone)
    return ("StudyDate/Time", start) if start else None


_CANDIDATES: tuple[Candidate, ...] = (
    _end_stated,
    _frames,
    _acquisition_datetime,
    _acquisition,
    _acquisition_undated,
    _content,
    _series,
    _study,
)


_FRAME_TIMES = frozenset({"FrameTime", "FrameTimeVector", "EffectiveDuration", "ActualFrameDuration"})


def _frame_time(attributes: Attributes) -> timedelta:
    """How long the frames took after the first one began: ms between frames, else s, else (PT, NM) ms a frame."""
    if _FRAME_TIMES.isdisjoint(attributes):
        return _NO_TIME
    frames = max(int(_number(attributes, "NumberOfFrames")), 1)
    vector = attributes.get("FrameTimeVector") or ()
    parts: Iterable[Any] = vector.split("\\") if isinstance(vector, str) else vector if isinstance(vector, list) else ()
    seconds = sum(map(_finite, parts)) / 1000
    if not seconds:
        seconds = _number(attributes, "FrameTime") * (frames - 1) / 1000
    if not seconds:
        seconds = _number(attributes, "EffectiveDuration")
    if not seconds and _text(attributes, "Modality") in ("PT", "NM"):
        seconds = _number(attributes, "ActualFrameDuration") * frames / 1000
    return _duration(seconds)


def _duration(seconds: float) -> timedelta:
    return timedelta(seconds=seconds) if 0 < seconds <= LONGEST.total_seconds() else _NO_TIME


def _text(attributes: Attributes, keyword: str) -> str:
    """The first value as text without padding."""
    value = attributes.get(keyword)
    if value is None:
        return ""
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value).split("\\", 1)[0].strip(" \0")


def _number(attributes: Attributes, keyword: str) -> float:
    return _finite(_text(attributes, keyword) or 0)


def _finite(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def _items(attributes: Attributes, keyword: str) -> list[Attributes]:
    value = attributes.get(keyword)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _dated(attributes: Attributes, day: str, clock: str, zone: timezone) -> datetime | None:
    return _at(_text(attributes, day), _text(attributes, clock), zone)


def _at(day: str, clock: str, zone: timezone) -> datetime | None:
    on, at = _day(day), _clock(clock)
    return None if on is None or at is None else datetime.combine(on, at, zone)


def _datetime(text: str, zone: timezone) -> datetime | None:
    """DT with at least an hour; its own offset goes before any other."""
    match = _DATETIME.fullmatch(text)
    if match is None:
        return None
    return _at(match[1], match[2], _offset(match[3] or "") or zone)


@lru_cache(maxsize=64)
def _day(text: str) -> date | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        day = date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST and day != UNSET else None


def _clock(text: str) -> time | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3))
    try:  # a leap second is legal in TM, not in Python
        return time(hour, minute, min(second, 59) if second == 60 else second, int((match[4] or "")[:6].ljust(6, "0")))
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _offset(text: str) -> timezone | None:
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if match[1] == "-":
        offset = -offset
    return timezone(offset) if timedelta(hours=-12) <= offset <= timedelta(hours=14) else None


def _utc(at: datetime | None) -> datetime | None:
    return at and at.astimezone(UTC)
