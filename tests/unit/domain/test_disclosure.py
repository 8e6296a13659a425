"""No figure of fewer than ten is told, nor follows from those that are by adding and subtracting."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.disclosure import LEAST, PROVINCE, Disclosure
from chalicelib.domain.gains import MEASURES, OUTCOMES, REFUSALS
from chalicelib.domain.period import day_of, month_of, week_of
from tests.support.subtraction import Published

DAY, OTHER = "2026-11-24", "2026-11-25"
ON = day_of(date(2026, 11, 24))
WEEK = week_of(date(2026, 11, 24))
MONTH = month_of(date(2026, 11, 24))
REGIONS = {"H1": "南京", "H2": "南京", "H3": "无锡", "H4": "无锡", "H5": "苏州"}
H1 = ("hospital", "H1")


def of(_day=DAY, _measure="viewed", **counts):
    """By receiving hospital; all made where nobody looks."""
    return Disclosure(
        {"receiving": {(name, _day): Counter({_measure: count}) for name, count in counts.items()}}, REGIONS
    )


def one(**figures):
    """Of H1 on a day."""
    return Disclosure({"receiving": {("H1", DAY): Counter(figures)}}, REGIONS)


def is_open(told, scope, period=MONTH, measure="viewed", side="receiving"):
    return told.is_open(side, scope, period, measure)


def test_a_figure_under_ten_is_closed_and_zero_and_ten_are_open():
    told = of(H1=9, H2=10, H3=0)
    assert [is_open(told, ("hospital", name)) for name in ("H1", "H2", "H3", "H5")] == [False, True, True, True]


def test_a_region_closes_where_it_would_give_its_one_closed_hospital():
    assert not is_open(of(H1=9, H2=50), ("region", "南京"))
    assert is_open(of(H1=9, H2=8), ("region", "南京"))
    assert not is_open(of(H1=4, H2=5), ("region", "南京"))


def test_another_region_closes_so_that_the_province_may_stay_open():
    told = of(H1=9, H2=50, H3=30, H4=20, H5=60)
    assert is_open(told, PROVINCE)
    assert [is_open(told, ("region", name)) for name in ("南京", "无锡", "苏州")] == [False, False, True]
    assert [is_open(told, ("hospital", name)) for name in ("H3", "H4")] == [True, False], "or the region would follow"


def test_the_province_closes_where_there_is_no_other_region():
    assert not is_open(of(H1=9, H2=50), PROVINCE)


def test_what_closes_the_province_on_one_side_closes_something_on_the_other():
    cells = {"receiving": {("H1", DAY): Counter(viewed=9), ("H2", DAY): Counter(viewed=50)}}
    told = Disclosure(cells | {"source": {("H5", DAY): Counter(viewed=59)}}, REGIONS)
    assert not is_open(told, PROVINCE)
    assert not is_open(told, ("region", "苏州"), side="source")
    assert not is_open(told, ("hospital", "H5"), side="source")


def test_all_days_close_where_one_is_small_and_the_month_stays_open():
    cells = {("H1", DAY): Counter(viewed=9), ("H1", OTHER): Counter(viewed=30)}
    told = Disclosure({"receiving": cells}, REGIONS)
    assert is_open(told, H1)
    assert [is_open(told, H1, period) for period in (ON, day_of(date(2026, 11, 25)), WEEK)] == [False] * 3


def test_a_week_of_two_months_is_open_where_the_days_of_both_are():
    cells = {("H1", "2026-11-30"): Counter(viewed=30), ("H1", "2026-12-01"): Counter(viewed=9)}
    told = Disclosure({"receiving": cells}, REGIONS)
    assert is_open(told, H1, day_of(date(2026, 11, 30)))
    assert not is_open(told, H1, week_of(date(2026, 11, 30)))


def test_parts_close_together_and_their_sum_stays_open():
    told = one(refused=62, refused_1=2, overridden_2=20, refused_3=40)
    assert is_open(told, H1, measure="refused")
    assert not [name for name in REFUSALS if is_open(told, H1, measure=name)]


def test_parts_are_told_of_months_only_and_where_exams_were_made_likewise():
    cells = {("H1", DAY): Counter(refused=40, refused_1=20, overridden_2=20)}
    told = Disclosure({"receiving": cells, "source": cells}, REGIONS)
    assert is_open(told, H1, MONTH, "refused_1")
    assert is_open(told, H1, MONTH, "refused_1", "source")
    assert is_open(told, H1, ON, "refused")
    assert not is_open(told, H1, ON, "refused_1")
    assert not is_open(told, H1, ON, "refused", "source")


def test_reminders_that_nobody_has_judged_yet_are_a_part_too():
    assert is_open(one(alerts=60, avoided=40, untouched=20), H1, measure="avoided")
    assert not is_open(one(alerts=65, avoided=40, untouched=20), H1, measure="avoided")
    assert is_open(one(alerts=75, avoided=40, untouched=20), H1, measure="avoided")


def test_money_and_dose_are_open_as_the_repeats_are():
    few = one(alerts=9, avoided=9, film_fen=57_600, dose_known=9, dose_usv=63_000)
    assert not [name for name in ("film_fen", "fee_fen", "dose_usv", "dose_known") if is_open(few, H1, measure=name)]
    assert is_open(one(alerts=20, avoided=20, dose_known=10), H1, measure="dose_usv")
    assert not is_open(one(alerts=20, avoided=20, dose_known=18), H1, measure="dose_usv"), "two whose dose is not known"


# Whoever adds and subtracts

HOSPITALS = tuple(REGIONS)
DATES = (date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 30), date(2026, 12, 1))
PERIODS = {period.name: period for when in DATES for period in (day_of(when), week_of(when), month_of(when))}.values()
SCOPES = (PROVINCE, *(("region", name) for name in set(REGIONS.values())), *(("hospital", name) for name in HOSPITALS))
COUNTS = st.sampled_from([1, 3, 9, 10, 10, 12, 20, 30])
FAMILIES = {"viewed": (), "refused": REFUSALS[:3], "alerts": OUTCOMES[:3]}
REST = "rest"  # reminders that nobody has judged yet


def places(side, scope, period):
    """(receiving, source, day) whose facts a figure counts."""
    for received, made, when in product(HOSPITALS, HOSPITALS, DATES):
        name = received if side == "receiving" else made
        inside = scope == PROVINCE or scope[1] in (name, REGIONS[name])
        if inside and period.first <= when <= period.last:
            yield received, made, when.isoformat()


@st.composite
def provinces(draw):
    """A figure with its parts, and what happened: (receiving, source, day, part) → how often."""
    whole = draw(st.sampled_from(sorted(FAMILIES)))
    parts = (*FAMILIES[whole], *([REST] if whole == "alerts" else [])) or (whole,)
    place = st.tuples(st.sampled_from(HOSPITALS), st.sampled_from(HOSPITALS), st.sampled_from(DATES))
    keys = st.tuples(place, st.sampled_from(parts)).map(lambda one: (*one[0][:2], one[0][2].isoformat(), one[1]))
    return whole, parts, draw(st.dictionaries(keys, COUNTS, min_size=1, max_size=40))


def told_of(whole, facts):
    cells = {"receiving": {}, "source": {}}
    for (received, made, when, part), count in facts.items():
        for side, name in (("receiving", received), ("source", made)):
            figures = cells[side].setdefault((name, when), Counter())
            figures.update({whole: count} if part in (whole, REST) else {whole: count, part: count})
    return Disclosure(cells, REGIONS)


def named(whole, parts, measure):
    return parts if measure == whole else (measure,)


def publish(told, whole, parts):
    """All that the commission can ask for. A sum that is none has no place in it that is not none."""
    published = Published()
    for side, scope, period in product(("receiving", "source"), SCOPES, PERIODS):
        for measure in {whole, *parts} - {REST}:
            if not told.is_open(side, scope, period, measure):
                continue
            value = told.sums(side, scope, period)[measure]
            assert value == 0 or value >= LEAST
            counted = [(*place, part) for place in places(side, scope, period) for part in named(whole, parts, measure)]
            published.tell(counted)
            if not value:
                own = 0 if side == "receiving" else 1
                for key in {(one[own], *one[2:]) for one in counted}:
                    published.tell([one for one in counted if (one[own], *one[2:]) == key])
    return published


@settings(max_examples=60, deadline=None)
@given(provinces())
def test_no_small_figure_follows_from_all_that_is_published(province):
    whole, parts, facts = province
    told = told_of(whole, facts)
    published = publish(told, whole, parts)
    for side, scope, period in product(("receiving", "source"), SCOPES, PERIODS):
        for measure in {whole, *parts}:
            counted = [(*place, part) for place in places(side, scope, period) for part in named(whole, parts, measure)]
            value = sum(facts.get(one, 0) for one in counted)
            if 0 < value < LEAST:
                assert not published.follows(counted), (side, scope, period.name, measure)


def test_the_solver_finds_what_follows():
    published = Published()
    published.tell("abc")
    published.tell("ab")
    published.tell("de")
    assert [published.follows(word) for word in ("c", "a", "abde", "d")] == [True, False, True, False]


def test_every_figure_is_open_or_closed():
    told = one(alerts=20)
    assert {told.is_open("receiving", H1, MONTH, name) for name in MEASURES} <= {True, False}
