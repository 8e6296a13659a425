"""The periods of reports, by their names."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.period import CONTAINING, Period


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-11-20", "2026-11-20", "2026-11-20"),
        ("2026-W47", "2026-11-16", "2026-11-22"),
        ("2026-W53", "2026-12-28", "2027-01-03"),
        ("2027-W01", "2027-01-04", "2027-01-10"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2026-12", "2026-12-01", "2026-12-31"),
    ],
)
def test_a_period_says_by_its_name_what_it_is(name, first, last):
    period = Period.of(name)
    assert (period.first.isoformat(), period.last.isoformat(), period.name) == (first, last, name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "2026",
        "2026-13",
        "2026-W54",
        "2027-W53",
        "2026-02-29",
        "0001-01",
        "２０２６-11",
        "2026-11-20/..",
        "2026-W00",
    ],
)
def test_what_names_no_period_is_refused(name):
    with pytest.raises(ValueError, match=r"."):
        Period.of(name)


@given(st.dates(date(1960, 1, 1), date(2150, 1, 1)), st.sampled_from(["day", "week", "month"]))
def test_periods_follow_each_other_without_gap_or_overlap(day, kind):
    period = CONTAINING[kind](day)
    assert period.first <= day <= period.last
    chain = [*period.before(), period]
    assert all(one.last + timedelta(days=1) == other.first for one, other in pairwise(chain))
    assert all(Period.of(one.name) == one for one in chain)
