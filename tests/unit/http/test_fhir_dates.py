"""A search's dates: to the year, the day, the minute, the millisecond, each with every prefix."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.span import FIRST, LAST, Span
from chalicelib.http.fhir_dates import PROVINCE, span_of


def at(*parts, zone=PROVINCE):
    return datetime(*parts, tzinfo=zone)


@pytest.mark.parametrize(
    ("told", "since", "before"),
    [
        ("2026", at(2026, 1, 1), at(2027, 1, 1)),
        ("2028-02", at(2028, 2, 1), at(2028, 3, 1)),
        ("2026-11-24", at(2026, 11, 24), at(2026, 11, 25)),
        ("eq2026-11-24T08:30", at(2026, 11, 24, 8, 30), at(2026, 11, 24, 8, 31)),
        ("2026-11-24T08:30:05Z", at(2026, 11, 24, 8, 30, 5, zone=UTC), at(2026, 11, 24, 8, 30, 6, zone=UTC)),
        ("2026-11-24T08:30:05.12+08:00", at(2026, 11, 24, 8, 30, 5, 120_000), at(2026, 11, 24, 8, 30, 5, 130_000)),
        ("ge2026-11-24", at(2026, 11, 24), LAST),
        ("gt2026-11-24", at(2026, 11, 25), LAST),
        ("sa2026-11-24", at(2026, 11, 25), LAST),
        ("lt2026-11-24", FIRST, at(2026, 11, 24)),
        ("eb2026-11-24", FIRST, at(2026, 11, 24)),
        ("le2026-11-24", FIRST, at(2026, 11, 25)),
        ("ge0001", FIRST, LAST),
        ("lt0001-01-01T00:00-12:00", FIRST, FIRST),
        ("gt9999-12-31T23:59:59.999-14:00", LAST, LAST),
    ],
)
def test_a_date_is_as_long_as_it_is_told(told, since, before):
    assert span_of([told]) == Span(since, before)


@pytest.mark.parametrize(
    "told",
    [
        *("", "today", "ne2026", "ap2026", "2026-13", "2026-02-30", "0000", "2026-1-1", "2026-11-24T08"),
        *("2026-11-24T25:00", "2026-11-24T08:30+99:99", "２０２６", "2026-11-24 08:30Z"),
    ],
)
def test_what_is_no_date_or_no_span_is_refused(told):
    with pytest.raises(ValueError, match=r".*"):
        span_of([told])


INSTANTS = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zoned there


@given(INSTANTS, INSTANTS, INSTANTS)
def test_several_hold_at_once_and_each_instant_is_before_within_or_after(first, second, asked):
    first, second, asked = (one.replace(microsecond=0) for one in (first, second, asked))
    text = f"{asked:%Y-%m-%dT%H:%M:%SZ}"
    before, within, after = (span_of([f"{how}{text}"]) for how in ("lt", "eq", "gt"))
    for one in (first, second, asked, asked + timedelta(microseconds=999_999)):
        assert before.holds(one) + within.holds(one) + after.holds(one) == 1
        assert span_of([f"ge{text}"]).holds(one) == (one >= asked)
    both = span_of([f"ge{first:%Y-%m-%dT%H:%M:%SZ}", f"lt{second:%Y-%m-%dT%H:%M:%SZ}"])
    assert both.holds(asked) == (first <= asked < second)
    assert both.is_empty == (first >= second)
