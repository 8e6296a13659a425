"""Days on which silence means nothing: as announced, and as expected while they are not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chalicelib.domain import holidays
from chalicelib.domain.holidays import is_unusual, unannounced


def days_of(year):
    return [(date(year, 1, 1) + timedelta(days=number)).isoformat() for number in range(365)]


@pytest.mark.parametrize(
    ("day", "unusual"),
    [
        ("2026-01-04", True),  # a Sunday that was worked
        ("2026-02-17", True),
        ("2026-02-24", False),
        ("2026-10-07", True),
        ("2026-10-08", False),
        ("2026-12-31", False),
        ("2027-01-01", True),
        ("2027-01-05", False),
        ("2027-02-05", True),  # the eve of spring festival
        ("2027-02-14", True),
        ("2027-02-22", False),
        ("2027-06-09", True),
        ("2027-09-15", True),
        ("2027-10-01", True),
        ("2028-01-26", True),
        ("2028-02-29", False),
        ("2025-10-01", False),  # before the platform
        ("2041-07-01", True),  # beyond every table
    ],
)
def test_a_day_is_unusual_as_announced_or_as_expected(day, unusual):
    assert is_unusual(day) == unusual


def test_what_is_expected_of_a_year_covers_what_was_announced_of_one(monkeypatch):
    """2026 as if its notice had not come: every day off; not all of the days worked for them, on which more comes."""
    announced = {day for day in days_of(2026) if is_unusual(day)}
    monkeypatch.setattr(holidays, "_ANNOUNCED", {2025: ()})
    monkeypatch.setattr(holidays, "_LUNAR", {2026: ("02-17", "06-19", "09-25")})
    expected = {day for day in days_of(2026) if is_unusual(day)}
    assert announced - expected == {"2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"}
    assert len(expected) < 70


def test_the_years_that_were_not_announced_are_named():
    assert unannounced(["2026-12-31", "2027-01-01", "2027-01-02"]) == (2027,)
    assert unannounced(["2025-12-31", "2026-01-01"]) == ()
