"""China's public holidays: days on which an exam less means nothing.

The General Office of the State Council says each November which days of the next year are off, and which working days
are moved for them. Before it has, only what the law and the calendar say is known: `expected`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

Span = tuple[str, str]

# Holidays and the working days moved for them. A new notice is a new row.
_ANNOUNCED: Mapping[int, tuple[Span, ...]] = {
    2026: (  # notice of 4 November 2025 (国务院办公厅关于2026年部分节假日安排的通知)
        ("01-01", "01-04"),
        ("02-14", "02-23"),
        ("02-28", "02-28"),
        ("04-04", "04-06"),
        ("05-01", "05-05"),
        ("05-09", "05-09"),
        ("06-19", "06-21"),
        ("09-20", "09-20"),
        ("09-25", "09-27"),
        ("10-01", "10-07"),
        ("10-10", "10-10"),
    ),
}
# Until then: the holidays of the regulation on public holidays (全国年节及纪念日放假办法, Art. 2, of 2024) and the days
# beside them that were off or moved in the years before.
_FIXED: tuple[Span, ...] = (
    ("01-01", "01-04"),
    ("04-03", "04-07"),
    ("04-28", "05-06"),
    ("09-28", "10-09"),
    ("12-29", "12-31"),
)
_BESIDE = (timedelta(days=3), timedelta(days=3))  # before and after 端午 and 中秋
_BESIDE_SPRING = (timedelta(days=4), timedelta(days=9))  # and 春节
# 春节, 端午, 中秋: the first of the first, the fifth of the fifth, the fifteenth of the eighth month (GB/T 33661-2017).
_LUNAR: Mapping[int, tuple[str, str, str]] = {
    2027: ("02-06", "06-09", "09-15"),
    2028: ("01-26", "05-28", "10-03"),
    2029: ("02-13", "06-16", "09-22"),
    2030: ("02-03", "06-05", "09-12"),
    2031: ("01-23", "06-24", "10-01"),
    2032: ("02-11", "06-12", "09-19"),
    2033: ("01-31", "06-01", "09-08"),
    2034: ("02-19", "06-20", "09-27"),
    2035: ("02-08", "06-10", "09-16"),
    2036: ("01-28", "05-30", "10-04"),
    2037: ("02-15", "06-18", "09-24"),
    2038: ("02-04", "06-07", "09-13"),
    2039: ("01-24", "05-27", "10-02"),
    2040: ("02-12", "06-14", "09-20"),
}


def is_unusual(day: str) -> bool:
    """Whether silence is neither judged on this day nor anything learnt from it. In a year that was not announced these
    are more days than will be off; beyond the calendar's own table all of them are."""
    year = int(day[:4])
    if year in _ANNOUNCED:
        return any(first <= day[5:] <= last for first, last in _ANNOUNCED[year])
    if year < min(_ANNOUNCED):
        return False
    return year not in _LUNAR or any(first <= day <= last for first, last in _expected(year))


def unannounced(days: Iterable[str]) -> tuple[int, ...]:
    """The years of these days whose holidays are only expected."""
    years = {int(day[:4]) for day in days}
    return tuple(sorted(year for year in years if year > min(_ANNOUNCED) and year not in _ANNOUNCED))


def _expected(year: int) -> Iterator[Span]:
    yield from ((f"{year}-{first}", f"{year}-{last}") for first, last in _FIXED)
    for feast, (before, after) in zip(_LUNAR[year], (_BESIDE_SPRING, _BESIDE, _BESIDE), strict=True):
        at = date.fromisoformat(f"{year}-{feast}")
        yield (at - before).isoformat(), (at + after).isoformat()
