"""The days, weeks and months that reports are of. A name says which: 2026-11-20, 2026-W47 (ISO 8601, from Monday),
2026-11."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Kind = Literal["day", "week", "month"]
YEARS = range(1901, 2200)  # beyond them a step to the next or the last leaves the calendar
DAY = timedelta(days=1)
BEFORE: Mapping[Kind, int] = {"day": 14, "week": 12, "month": 12}  # periods of a trend
_NAME = re.compile(r"(?P<year>\d{4})-(?:W(?P<week>\d{2})|(?P<month>\d{2})(?:-(?P<day>\d{2}))?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """Both ends included."""

    name: str
    kind: Kind
    first: date
    last: date

    @classmethod
    def of(cls, name: str) -> Period:
        """Raises ValueError for what is no name of a period."""
        match = _NAME.fullmatch(name)
        if not match or int(match["year"]) not in YEARS:
            raise ValueError("no period")
        year = int(match["year"])
        if match["week"]:
            return week_of(date.fromisocalendar(year, int(match["week"]), 1))
        if match["day"]:
            return day_of(date(year, int(match["month"]), int(match["day"])))
        return month_of(date(year, int(match["month"]), 1))

    def before(self) -> tuple[Period, ...]:
        """Those of its trend, oldest first."""
        found: list[Period] = []
        for _ in range(BEFORE[self.kind]):
            found.append(CONTAINING[self.kind]((found[-1] if found else self).first - DAY))
        return tuple(reversed(found))

    def days(self, until: date) -> tuple[str, ...]:
        """Its days up to that one."""
        count = (min(self.last, until) - self.first).days + 1
        return tuple((self.first + DAY * number).isoformat() for number in range(count))


def day_of(day: date) -> Period:
    return Period(day.isoformat(), "day", day, day)


def week_of(day: date) -> Period:
    year, week, weekday = day.isocalendar()
    first = day - DAY * (weekday - 1)
    return Period(f"{year}-W{week:02d}", "week", first, first + DAY * 6)


def month_of(day: date) -> Period:
    first = day.replace(day=1)
    return Period(f"{day:%Y-%m}", "month", first, (first + DAY * 31).replace(day=1) - DAY)


CONTAINING: Mapping[Kind, Callable[[date], Period]] = {"day": day_of, "week": week_of, "month": month_of}
