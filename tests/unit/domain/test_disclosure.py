"""No figure of fewer than ten is told, nor follows from what is."""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.disclosure import LEAST, PROVINCE, Disclosure
from chalicelib.domain.gains import OUTCOMES, REASONS
from chalicelib.domain.period import day_of, month_of, week_of

DAY, OTHER = "2026-11-24", "2026-11-25"
ON = day_of(date(2026, 11, 24))
WEEK = week_of(date(2026, 11, 24))
REGIONS = {"H1": "南京", "H2": "南京", "H3": "无锡", "H4": "无锡", "H5": "苏州"}


def of(**counts):
    """Views by hospital on the day."""
    return Disclosure({(name, DAY): Counter(viewed=count) for name, count in counts.items()}, REGIONS)


def test_a_figure_under_ten_is_closed_and_zero_and_ten_are_open():
    told = of(H1=9, H2=10, H3=0)
    seen = [told.is_open(("hospital", name), ON, "viewed") for name in ("H1", "H2", "H3")]
    assert seen == [False, True, True]


def test_a_sum_from_which_one_closed_part_follows_is_closed():
    assert not of(H1=9, H2=50).is_open(("region", "南京"), ON, "viewed")
    assert of(H1=9, H2=8).is_open(("region", "南京"), ON, "viewed")
    assert not of(H1=4, H2=5).is_open(("region", "南京"), ON, "viewed")


def test_the_province_closes_where_it_would_give_a_closed_region():
    alone = of(H1=9, H2=50, H3=20, H4=20)
    assert not alone.is_open(PROVINCE, ON, "viewed")
    assert of(H1=9, H2=50, H3=9, H4=50).is_open(PROVINCE, ON, "viewed")


def test_a_week_closes_where_it_would_give_a_closed_day():
    cells = {("H1", DAY): Counter(viewed=9), ("H1", OTHER): Counter(viewed=30)}
    assert not Disclosure(cells, REGIONS).is_open(("hospital", "H1"), WEEK, "viewed")
    assert not Disclosure(cells, REGIONS).is_open(("hospital", "H1"), month_of(date(2026, 11, 1)), "viewed")


def test_of_reasons_the_next_smallest_closes_so_that_their_sum_stays_open():
    cells = {("H1", DAY): Counter(refused=62, refused_1=2, refused_2=20, refused_3=40)}
    told = Disclosure(cells, REGIONS)
    open_ones = {name for name in ("refused", *REASONS) if told.is_open(("hospital", "H1"), ON, name)}
    assert open_ones == {"refused", "refused_3", "refused_4", "refused_5", "refused_6"}


def test_money_and_dose_are_open_as_the_repeats_are():
    cells = {("H1", DAY): Counter(avoided=9, film_fen=57_600, dose_known=9, dose_usv=63_000)}
    told = Disclosure(cells, REGIONS)
    assert not [name for name in ("film_fen", "dose_usv", "dose_known") if told.is_open(("hospital", "H1"), ON, name)]


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(sorted(REGIONS)), st.sampled_from([DAY, OTHER])), st.integers(0, 25), min_size=1
    )
)
def test_whoever_subtracts_open_figures_finds_no_small_one(counts):
    told = Disclosure({place: Counter(viewed=count) for place, count in counts.items()}, REGIONS)
    days = [ON, day_of(date(2026, 11, 25))]
    for scope in (PROVINCE, *told.scopes(PROVINCE)):
        ways = [(scope, ON, [(part, ON) for part in told.scopes(scope)])]
        ways += [(scope, WEEK, [(part, WEEK) for part in told.scopes(scope)])]
        ways += [(scope, WEEK, [(scope, day) for day in days])]
        for whole, period, places in ways:
            closed = [told.sums(*place)["viewed"] for place in places if not told.is_open(*place, "viewed")]
            if told.is_open(whole, period, "viewed") and closed:
                assert len(closed) > 1
                assert sum(closed) >= LEAST


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(OUTCOMES), st.integers(0, 25)))
def test_no_single_outcome_follows_from_the_reminders(counts):
    cells = {("H1", DAY): Counter(counts) + Counter(alerts=sum(counts.values()))}
    told, here = Disclosure(cells, REGIONS), ("hospital", "H1")
    closed = [counts.get(name, 0) for name in OUTCOMES if not told.is_open(here, ON, name)]
    if told.is_open(here, ON, "alerts") and closed:
        assert len(closed) > 1
        assert sum(closed) >= LEAST
