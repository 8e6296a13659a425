"""A hospital's day as a whole: when it is over, and how many exams are usual on one (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from itertools import takewhile
from statistics import median_low

from chalicelib.domain.deadline import DEADLINE
from chalicelib.domain.holidays import is_unusual
from chalicelib.domain.study import Hospital

DEFAULT_ZONE = timezone(timedelta(hours=8))
WEEK = timedelta(days=7)
LEARNT_FROM = 8  # so many of the same weekday before, at most …
LEARNT_LEAST = 4  # … and at least; with fewer, what was told at registration holds


def zone_of(hospital: Hospital | None) -> tzinfo:
    return timezone(timedelta(minutes=hospital.utc_offset_minutes)) if hospital else DEFAULT_ZONE


def over_at(day: str, zone: tzinfo) -> datetime:
    """From then on every exam that ended on this local day is due."""
    return starts_at(day, zone) + timedelta(days=1) + DEADLINE


def starts_at(day: str, zone: tzinfo) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class DayMark:
    """What the ledger keeps of a hospital's day beside its exams.

    `due_at`: the day must be looked at then; None: it need not. `watched`: the hospital took part that day, so silence
    counts. `closed`: it was found to be over, so whoever changes a row from now on sets `due_at` again. `exams` were
    performed as it was last looked at, `usual` as it was first; `excused`: an accepted outage touches it. `revision`
    orders the writes and is no part of equality.
    """

    hospital_id: str
    day: str
    due_at: datetime | None = None
    watched: bool = False
    closed: bool = False
    excused: bool = False
    exams: int | None = None
    usual: int | None = None
    revision: int = field(default=0, compare=False)

    @property
    def teaches(self) -> bool:
        """Whether what is usual may be learnt from it."""
        return self.watched and self.exams is not None and not self.excused and not is_unusual(self.day)

    @property
    def expected(self) -> int | None:
        """How many exams silence is measured against; None where it is not judged."""
        return None if not self.watched or self.excused or is_unusual(self.day) else self.usual


def weekdays_before(day: str) -> tuple[str, ...]:
    """The same weekday of the weeks before, latest first."""
    return tuple((date.fromisoformat(day) - WEEK * number).isoformat() for number in range(1, LEARNT_FROM + 1))


def usual(day: str, marks: Iterable[DayMark], registered: int) -> int:
    """The median (the lower of two) of the last weekdays, or the registered figure while there are too few. One on
    which the hospital took no part ends them: who opens again, perhaps another under its id, begins anew. `marks` may
    be of any days."""
    watched = {mark.day: mark for mark in marks if mark.watched}
    since = takewhile(watched.__contains__, weekdays_before(day))
    counts = [mark.exams for one in since if (mark := watched[one]).teaches and mark.exams is not None]
    return median_low(counts) if len(counts) >= LEARNT_LEAST else registered
