"""Twelve hours: when an exam ended, when it was complete, and what that makes of it (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.arrivals import Arrivals
from chalicelib.domain.exam import ExamState, Excuse, NoticeFact, NoticeStatus, Standing, StudyFact
from chalicelib.domain.exam_end import OLD

DEADLINE = timedelta(hours=12)
GAP = timedelta(minutes=30)


def status(notices: Sequence[NoticeFact]) -> NoticeStatus | None:
    """What notices in their order say together. An exam that was performed is not scheduled again by a later order
    message; a cancellation, or its revocation, counts."""
    said: NoticeStatus | None = None
    for notice in notices:
        if not (notice.status == "scheduled" and said == "performed"):
            said = notice.status
    return said


def completed(received: Arrivals, declared: int | None) -> datetime | None:
    """`received_at` of the instance that met the declared count; undeclared: the last before the first gap."""
    return received.before_gap(GAP) if declared is None else received.nth(declared)


def ended(
    notices: Sequence[NoticeFact], studies: Sequence[StudyFact], received: Arrivals, completed_at: datetime | None
) -> tuple[datetime | None, str]:
    """(end, where it comes from): the last performed notice, else DICOM, else the first arrival.

    Never after `received_at`: of the notice that tells it, of the image that completed the exam, of the last image
    where DICOM tells it. A clock that runs ahead must not put the deadline off.
    """
    performed = [notice for notice in notices if notice.performed_at]
    told = [study.exam_ended_at for study in studies if study.exam_ended_at]
    limits = [completed_at]
    if performed:
        end, source = performed[-1].performed_at, "notice"
        limits.append(performed[-1].received_at)
    elif told:
        end, source = max(told), next(s.exam_end_source for s in studies if s.exam_ended_at == max(told))
        limits.append(received.runs[-1][0])
    else:
        end, source = received.nth(1), "received"
    return (min(at for at in (end, *limits) if at) if end else None), source


def imported(notices: Sequence[NoticeFact], studies: Sequence[StudyFact], received: Arrivals) -> bool:
    """Whether this is an old exam that was taken over: no notice, and more than 30 days from DICOM's end to the first
    arrival. It has no deadline, and is counted in a column of its own so that nobody hides late exams there unseen.
    A notice makes the deadline hold whatever the age."""
    told = [study.exam_ended_at for study in studies if study.exam_ended_at]
    first = received.nth(1)
    return not notices and bool(told) and first is not None and first - max(told) > OLD


@dataclass(frozen=True, slots=True)
class Case:
    """What an exam is judged by. `said` is the notices' status together, None without a notice."""

    said: NoticeStatus | None
    received: int
    completed_at: datetime | None
    due_at: datetime | None
    judged_until: datetime | None
    excused: bool
    imported: bool = False

    @property
    def overdue(self) -> bool:
        """Only a sweep that has judged the due makes an exam miss it: until then what it lacks may still be on its
        way through our own queues. An image received too late speaks for itself."""
        swept = self.due_at and self.judged_until and self.due_at <= self.judged_until
        return bool(self.completed_at or swept)


def stand(case: Case) -> tuple[ExamState, Standing]:  # noqa: PLR0911 - one line for each state
    """(state, column of the report)."""
    if case.imported:
        return "complete", "imported"
    if case.said == "cancelled":
        return "cancelled", "cancelled"
    if case.due_at is None or (case.said == "scheduled" and not case.received):
        return "scheduled", "scheduled"
    if case.completed_at is not None and case.completed_at <= case.due_at:
        return "complete", "on_time"
    if not case.overdue:
        return "partial" if case.received else "expected", "pending"
    if case.excused:
        return "excused", "excused"
    if case.completed_at is not None:
        return "complete", "late"
    return ("partial", "partial") if case.received else ("missing", "missing")


def overlaps(excuses: Iterable[Excuse], end: datetime | None, due_at: datetime | None) -> bool:
    """Whether an outage touches the twelve hours."""
    if end is None or due_at is None:
        return False
    return any(excuse.from_at <= due_at and excuse.to_at >= end for excuse in excuses)
