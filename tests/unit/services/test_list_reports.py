"""Which periods there are reports of: the latest first, part by part, by what was written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.page import opaque
from chalicelib.domain.period import CONTAINING
from chalicelib.services.list_reports import ListReports
from tests.support.fakes_ledger import FakeReports

NOW = datetime(2026, 11, 24, tzinfo=UTC)
days = st.integers(0, 1200).map(lambda ago: date(2026, 11, 23) - timedelta(days=ago))


def wrote(periods, file="province"):
    reports = FakeReports()
    for name in periods:
        reports.put(f"compliance/{name}/{file}.json", b"{}", "application/json")
    return reports


def walk(reports, file="province", kind=None, limit=3):
    token, found, pages = "", [], 0
    while pages < 2000:
        page = ListReports(reports)(file, kind, token, limit, NOW)
        found += [one.period for one in page.items]
        token, pages = page.next_token, pages + 1
        if not token:
            return found
    raise AssertionError("no end")


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(days, st.sampled_from(["day", "week", "month"])), max_size=40), st.integers(1, 9))
def test_every_period_is_listed_once_the_latest_first(given_days, limit):
    periods = {CONTAINING[kind](day) for day, kind in given_days}
    found = walk(wrote(one.name for one in periods), limit=limit)
    assert len(found) == len(periods)
    assert set(found) == periods
    for kind in ("day", "week", "month"):
        firsts = [one.first for one in found if one.kind == kind]
        assert firsts == sorted(firsts, reverse=True)
        alone = walk(wrote(one.name for one in periods), kind=kind, limit=limit)
        assert alone == [one for one in found if one.kind == kind]


def test_a_week_that_is_named_after_the_next_year_is_listed():
    assert [one.name for one in walk(wrote(["2026-W53", "2027-W01", "2026-12"]))] == ["2027-W01", "2026-W53", "2026-12"]


def test_a_hospital_that_joined_late_has_no_reports_before_and_a_part_may_be_empty():
    reports = wrote(["2026-11", "2026-10", "2026-09"])
    reports.put("compliance/2026-09/H9.json", b"{}", "application/json")
    first = ListReports(reports)("H9", None, "", 2, NOW)
    assert (first.items, bool(first.next_token)) == ((), True)
    assert [one.name for one in walk(reports, "H9", limit=2)] == ["2026-09"]


def test_where_nothing_was_ever_written_the_list_is_empty():
    assert walk(FakeReports()) == []


@pytest.mark.parametrize("token", ["x", opaque("2026-13"), opaque("province"), opaque("2026-11-20-")])
def test_a_token_of_no_answer_is_refused(token):
    with pytest.raises(ValueError, match=r"token|period|month"):
        ListReports(wrote(["2026-11"]))("province", None, token, 3, NOW)
