"""Art. 29 of the 2013 rules on medical records, day by day, and what must hold whatever is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.retention import (
    PersonFacts,
    StudyFacts,
    Visit,
    local_day,
    period,
    years_after,
)
from chalicelib.domain.study import StudyRef

DAY = date(2010, 5, 6)


def study(*classes, day=DAY, hospital="H1", uid="1.2.3"):
    return StudyFacts(StudyRef(hospital, uid), frozenset(classes), day)


def visit(day, patient_class="outpatient", status="open", hospital="H1", encounter="E1"):
    return Visit(hospital, encounter, patient_class, status, datetime(day.year, day.month, day.day, 4, tzinfo=UTC))


def person(*visits, exams=()):
    return PersonFacts(frozenset(visits), frozenset(exams))


def stay(begun, ended, hospital="H1", encounter="S1"):
    named = {"patient_class": "inpatient", "hospital": hospital, "encounter": encounter}
    return visit(begun, **named), visit(ended, status="closed", **named)


def test_fifteen_years_from_the_last_visit_wherever_it_was():
    assert period(study("outpatient"), person()).keep_through == date(2025, 5, 6)
    elsewhere = visit(date(2012, 1, 2), hospital="H2", encounter="X")
    assert period(study("outpatient"), person(elsewhere)).keep_through == date(2027, 1, 2)


def test_an_exam_is_a_visit_too():
    later = study("outpatient", day=date(2013, 7, 8), hospital="H2", uid="9")
    assert period(study("outpatient"), person(exams=[later])).keep_through == date(2028, 7, 8)


def test_thirty_years_from_the_last_discharge():
    found = period(study("inpatient"), person(*stay(date(2010, 5, 1), date(2010, 5, 20))))
    assert (found.keep_through, found.rule, found.waits) == (date(2040, 5, 20), "inpatient", "")


def test_a_former_inpatient_who_comes_back_late_is_kept_by_the_longer_of_both():
    back = visit(date(2035, 1, 1), encounter="E9")
    found = period(study("inpatient"), person(*stay(date(2010, 5, 1), date(2010, 5, 20)), back))
    assert found.keep_through == date(2050, 1, 1)


def test_an_inpatients_period_has_not_begun_before_a_discharge_is_known():
    admitted, left = stay(date(2010, 5, 1), date(2010, 5, 20))
    for known, waits in (
        (person(), "discharge_unknown"),
        (person(admitted), "stay_open"),
        (person(admitted, left), ""),
    ):
        found = period(study("inpatient"), known)
        assert found.waits == waits
        assert found.is_over(datetime(2200, 1, 1, tzinfo=UTC)) == (not waits)


def test_a_discharge_before_the_exam_is_not_the_one_it_counts_from():
    assert period(study("inpatient"), person(*stay(date(2009, 1, 1), date(2009, 1, 9)))).waits == "discharge_unknown"


def test_what_nobody_classed_is_kept_for_the_longer_period():
    found = period(study(), person())
    assert (found.keep_through, found.rule) == (date(2040, 5, 6), "unknown")


def test_of_two_notices_the_longer_counts():
    assert period(study("outpatient", "inpatient"), person()).rule == "inpatient"


@pytest.mark.parametrize(
    ("begun", "ended", "hospital", "rule"),
    [
        (date(2010, 5, 6), date(2010, 5, 9), "H1", "inpatient"),  # admitted from the emergency room
        (date(2010, 5, 9), date(2010, 5, 12), "H1", "inpatient"),  # three days later
        (date(2010, 5, 10), date(2010, 5, 12), "H1", "outpatient"),  # four: another matter
        (date(2010, 5, 1), date(2010, 5, 6), "H1", "inpatient"),  # on the day of leaving
        (date(2010, 5, 1), date(2010, 5, 5), "H1", "outpatient"),  # had left
        (date(2010, 5, 6), date(2010, 5, 9), "H2", "outpatient"),  # elsewhere
    ],
)
def test_an_emergency_is_an_outpatients_unless_admitted(begun, ended, hospital, rule):
    assert period(study("emergency"), person(*stay(begun, ended, hospital))).rule == rule


def test_an_emergency_waits_while_a_stay_is_open_that_it_may_belong_to():
    admitted, _ = stay(date(2010, 5, 1), date(2010, 5, 20))
    assert period(study("emergency"), person(admitted)).waits == "stay_open"
    assert period(study("outpatient"), person(admitted)).waits == ""


def test_an_emergency_encounter_that_became_a_stay_is_one():
    seen = visit(date(2010, 5, 6), "emergency", encounter="S1")
    left = visit(date(2010, 5, 9), "inpatient", "closed", encounter="S1")
    found = period(study("emergency"), person(seen, left))
    assert (found.rule, found.keep_through) == ("inpatient", date(2040, 5, 9))


@pytest.mark.parametrize(
    ("start", "years", "last"),
    [
        (date(2012, 2, 29), 15, date(2027, 2, 28)),  # Civil Code Art. 202: the month's last day
        (date(2012, 2, 29), 16, date(2028, 2, 29)),
        (date(2011, 2, 28), 15, date(2026, 2, 28)),
        (date(1996, 2, 29), 30, date(2026, 2, 28)),
        (date(2010, 12, 31), 15, date(2025, 12, 31)),
    ],
)
def test_the_last_day_of_a_period_is_the_same_date_or_the_months_last(start, years, last):
    assert years_after(start, years) == last


def test_the_last_day_is_over_at_midnight_in_the_province():
    found = period(study("outpatient"), person())
    midnight = datetime(2025, 5, 6, 16, tzinfo=UTC)
    assert not found.is_over(midnight - timedelta(microseconds=1))
    assert found.is_over(midnight)


def test_a_visit_late_in_the_evening_is_of_that_day_in_the_province():
    assert local_day(datetime(2010, 5, 6, 15, 59, 59, tzinfo=UTC)) == date(2010, 5, 6)
    assert local_day(datetime(2010, 5, 6, 16, tzinfo=UTC)) == date(2010, 5, 7)


# Properties

days = st.dates(date(2000, 1, 1), date(2030, 12, 31))
classes = st.sampled_from(["outpatient", "emergency", "inpatient"])
visits = st.builds(
    visit, days, classes, st.sampled_from(["open", "closed"]), st.sampled_from(["H1", "H2"]), st.sampled_from("ABC")
)
exams = st.builds(lambda day, found: study(*found, day=day), days, st.frozensets(classes, max_size=3))
persons = st.builds(PersonFacts, st.frozensets(visits, max_size=6), st.frozensets(exams, max_size=4))


@given(exams, persons, visits)
def test_another_visit_never_shortens(one, known, more):
    before, after = period(one, known), period(one, replace(known, visits=known.visits | {more}))
    assert after.keep_through >= before.keep_through


@given(exams, persons, exams)
def test_another_exam_never_shortens(one, known, exam):
    before = period(one, known).keep_through
    assert period(one, replace(known, exams=known.exams | {exam})).keep_through >= before


@given(exams, persons, classes)
def test_another_notice_never_shortens_below_what_is_certain(one, known, more):
    """Only the first notice may: until then the class was unknown and the longer period stood in for it."""
    if one.classes:
        longer = replace(one, classes=one.classes | {more})
        assert period(longer, known).keep_through >= period(one, known).keep_through


@given(exams, persons)
def test_nothing_is_kept_shorter_than_the_floor_of_its_rule(one, known):
    found = period(one, known)
    assert found.keep_through >= years_after(one.exam_day, 15 if found.rule == "outpatient" else 30)


@given(exams, persons, st.lists(visits, max_size=5), st.randoms())
def test_the_order_in_which_visits_are_told_does_not_matter(one, known, told, shuffler):
    shuffled = list(told)
    shuffler.shuffle(shuffled)
    assert period(one, replace(known, visits=frozenset(told))) == period(
        one, replace(known, visits=frozenset(shuffled))
    )
