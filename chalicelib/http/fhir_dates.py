"""A search's dates as spans of instants (FHIR R4, search: date): what is given to the day is a whole day."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import reduce
from typing import TYPE_CHECKING, Final

from chalicelib.domain.span import ALWAYS, FIRST, LAST, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

PROVINCE: Final = timezone(timedelta(hours=8))  # of dates and times without a zone
_FORM: Final = re.compile(
    r"(eq|gt|ge|lt|le|sa|eb)?(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?"
    r"(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_DAY: Final = timedelta(days=1)


def span_of(given: Iterable[str]) -> Span:
    """All of them at once. Raises ValueError for what is no date, and for `ne` and `ap`: they are no span."""
    return reduce(Span.within, map(_one, given), ALWAYS)


def _one(given: str) -> Span:
    found = _FORM.fullmatch(given)
    if found is None:
        raise ValueError("no date")
    how, first = found[1] or "eq", _start(found)
    # Whoever names the year 9999, or one before all events, gets the end of what there is.
    start, end = (min(max(one, FIRST), LAST) for one in (first, _end(found, first)))
    return {
        "eq": Span(start, end),
        "ge": Span(start),
        "gt": Span(end),
        "sa": Span(end),
        "lt": Span(FIRST, start),
        "eb": Span(FIRST, start),
        "le": Span(FIRST, end),
    }[how]


def _start(found: re.Match[str]) -> datetime:
    day = date(int(found[2]), int(found[3] or 1), int(found[4] or 1))
    at = time(int(found[5] or 0), int(found[6] or 0), int(found[7] or 0), int((found[8] or "0").ljust(3, "0")) * 1000)
    return datetime.combine(day, at, _zone(found[9]))


def _zone(given: str | None) -> timezone:
    if given in (None, "Z"):
        return UTC if given else PROVINCE
    minutes = int(given[1:3]) * 60 + int(given[4:])
    return timezone(timedelta(minutes=-minutes if given[0] == "-" else minutes))


def _end(found: re.Match[str], first: datetime) -> datetime:
    """As long after as it was told exactly."""
    if found[3] is None:
        length = _DAY * (date(first.year, 12, 31) - date(first.year, 1, 1)).days + _DAY
    elif found[4] is None:
        length = _DAY * monthrange(first.year, first.month)[1]
    elif found[5] is None:
        length = _DAY
    elif found[7] is None:
        length = timedelta(minutes=1)
    elif found[8] is None:
        length = timedelta(seconds=1)
    else:
        length = timedelta(milliseconds=10 ** (3 - len(found[8])))
    return LAST if first >= LAST - length else first + length
