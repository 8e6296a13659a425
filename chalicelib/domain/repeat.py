"""Whether what a reminder warned of was made again, when it is seven days old."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from chalicelib.domain.alert import Alert
from chalicelib.domain.body_region import Part
from chalicelib.domain.similarity import Exam, covers, group_of
from chalicelib.domain.study import Hospital, Summary

WITHIN: Final = timedelta(days=7)  # [A] who has done without it for so long has done without it
UPLOADED: Final = timedelta(days=1)  # twelve hours to upload (DESIGN §7), and as long again for whoever is late
JUDGED_AFTER: Final = WITHIN + UPLOADED
_DIGITS: Final = re.compile(r"[^0-9]")


def outcome(alert: Alert, arrived: Iterable[Summary], own: Hospital, *, opened: bool) -> str:
    """`repeated`: the hospital made what was ordered; `unclear`: a part of it. Else `avoided` where the earlier exam
    was looked at or recognised in that visit (`opened`), and `untouched` where it was not: nothing says why."""
    made = {_covered(one, alert) for one in arrived if is_after(one, alert, own)}
    if "all" in made:
        return "repeated"
    if "some" in made:
        return "unclear"
    return "avoided" if opened else "untouched"


def is_after(summary: Summary, alert: Alert, own: Hospital) -> bool:
    """Made by that hospital in the seven days; by the day where no time is known: the reminder's own counts."""
    if summary.ref.hospital_id != alert.hospital_id or summary.ref in {prior.study for prior in alert.priors}:
        return False
    end = alert.shown_at + WITHIN
    if summary.exam_ended_at is not None:
        return alert.shown_at < summary.exam_ended_at <= end
    zone = timezone(timedelta(minutes=own.utc_offset_minutes))
    day = _day(summary)
    return day is not None and alert.shown_at.astimezone(zone).date() <= day <= end.astimezone(zone).date()


def newest_place(alert: Alert) -> str:
    """Before which place of a timeline (`domain.timeline.order`) all of the seven days stand, in any zone."""
    return f"{(alert.shown_at.astimezone(UTC) + WITHIN + timedelta(days=2)):%Y%m%d}##"


def judged_at(shown_at: datetime) -> datetime:
    return shown_at + JUDGED_AFTER


def _covered(summary: Summary, alert: Alert) -> str:
    """How much of what was ordered it shows; nothing where another kind of machine made it, or its images went."""
    exam = Exam(group_of(summary.modalities), tuple(map(Part.of, summary.regions)), summary.contrast)
    if summary.state != "served" or summary.rejected or exam.group != alert.exam.group:
        return "none"
    return covers(exam, alert.exam)


def _day(summary: Summary) -> date | None:
    digits = _DIGITS.sub("", summary.study_date)[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
