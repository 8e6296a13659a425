"""The edges of the ledger's rules."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.arrivals import Arrivals
from chalicelib.domain.deadline import DEADLINE, GAP, overlaps, status
from chalicelib.domain.exam import ExamKey, Excuse, Facts
from chalicelib.domain.ledger import derive
from chalicelib.domain.uses import NEAR, uses
from tests.support.ledger_world import HOUR, MINUTE, NOON, notice, study

SECOND = timedelta(seconds=1)
DUE = NOON + DEADLINE


@pytest.mark.parametrize(
    ("first", "last", "excused"),
    [
        (NOON - HOUR, NOON - SECOND, False),
        (NOON - HOUR, NOON, True),
        (NOON + HOUR, NOON + 2 * HOUR, True),
        (DUE, DUE + HOUR, True),
        (DUE + SECOND, DUE + HOUR, False),
    ],
)
def test_an_outage_excuses_when_it_touches_the_twelve_hours(first, last, excused):
    assert overlaps([Excuse("H1", first, last, "r", "by", last)], NOON, DUE) is excused
    assert not overlaps([], NOON, DUE)
    assert not overlaps([Excuse("H1", first, last, "r", "by", last)], None, None)


@pytest.mark.parametrize(("apart", "number"), [(NEAR, 1), (NEAR + SECOND, 2)])
def test_seven_days_apart_is_one_use_and_a_second_more_is_another(apart, number):
    facts = Facts((notice(),), (study(NOON + apart, exam_ended_at=NOON + apart),))
    assert len(uses(facts)) == number


def test_what_notices_say_together():
    said = [("scheduled", 0), ("performed", 1), ("scheduled", 2)]
    assert status([notice(word, sent_at=NOON + hour * HOUR) for word, hour in said]) == "performed"
    assert status([notice("cancelled"), notice("scheduled")]) == "scheduled"
    assert status([]) is None


def test_a_cancellation_without_a_time_cancels_what_was_told_last_before_it():
    weeks = timedelta(days=30)
    facts = [
        notice(notice_id="one"),
        notice(at=NOON + weeks, notice_id="two"),
        notice("cancelled", sent_at=NOON + weeks + HOUR, notice_id="three"),
    ]
    first, second = derive(ExamKey("H1", "A1"), Facts(tuple(facts), count=3), (), NOON.tzinfo)
    assert (first.state, second.state) == ("expected", "cancelled")


def test_a_cancellation_older_than_all_else_cancels_what_is_nearest():
    facts = (notice("cancelled", sent_at=NOON - HOUR), notice(sent_at=NOON))
    (exam,) = derive(ExamKey("H1", "A1"), Facts(facts, count=2), (), NOON.tzinfo)
    assert exam.state == "expected"  # performed was said later
    (alone,) = derive(ExamKey("H1", "A1"), Facts(facts[:1], count=1), (), NOON.tzinfo)
    assert (alone.state, alone.day) == ("cancelled", "2026-11-20")


def test_of_two_notices_in_one_second_the_performed_one_counts():
    assert status(sorted([notice("performed"), notice("scheduled")], key=lambda n: n.rank)) == "performed"


def test_a_later_notice_that_leaves_the_count_out_does_not_take_it_back():
    facts = (notice("scheduled", declared_instances=4), notice(sent_at=NOON + HOUR))
    (exam,) = derive(ExamKey("H1", "A1"), Facts(facts, (study((NOON, 3)),), count=3), (), NOON.tzinfo)
    assert (exam.declared, exam.state) == (4, "partial")


@pytest.mark.parametrize("accession", ["", " ", "0", "0000", "-", "N/A", "none", "无", "UNKNOWN"])
def test_placeholders_are_no_accession_numbers(accession):
    assert ExamKey.of("H1", accession, "1.2").accession == "1.2"


def test_a_real_accession_number_is_kept():
    assert ExamKey.of("H1", " CT2026-0 ", "1.2").accession == "CT2026-0"


@pytest.mark.parametrize("source", ["AcquisitionDateTime", "MPPS", "StudyDate/Time", "EndAcquisitionDateTime"])
@pytest.mark.parametrize("ahead", [SECOND, 10 * MINUTE])
def test_no_source_ends_an_exam_after_it_was_received(source, ahead):
    last = NOON + 20 * MINUTE  # within what `exam_end` tolerates of a clock that runs ahead
    images = study(NOON, last, exam_ended_at=last + ahead, exam_end_source=source)
    (exam,) = derive(ExamKey("H1", "A1"), Facts((), (images,), count=1), (), NOON.tzinfo)
    assert (exam.ended_at, exam.end_source, exam.due_at) == (last, source, last + DEADLINE)
    declared = notice("scheduled", declared_instances=1)  # complete with the first image: it had ended by then
    (exam,) = derive(ExamKey("H1", "A1"), Facts((declared,), (images,), count=2), (), NOON.tzinfo)
    assert exam.ended_at == exam.completed_at == NOON
    waiting = notice("scheduled", declared_instances=9)
    (exam,) = derive(ExamKey("H1", "A1"), Facts((waiting,), (images,), count=2), (), NOON.tzinfo)
    assert (exam.ended_at, exam.completed_at) == (last, None)


@pytest.mark.parametrize("facts", [(study(NOON),), (study(NOON), study(NOON + HOUR, study_instance_uid="1.9"))])
def test_a_notice_or_an_arrival_ends_an_exam_no_later_than_it_was_received(facts):
    told = notice(at=NOON + 5 * HOUR, sent_at=NOON + 2 * HOUR)
    (exam,) = derive(ExamKey("H1", "A1"), Facts((told,), facts, count=3), (), NOON.tzinfo)
    assert exam.ended_at == exam.completed_at
    (alone,) = derive(ExamKey("H1", "A1"), Facts((told,), (), count=1), (), NOON.tzinfo)
    assert alone.ended_at == NOON + 2 * HOUR
    (silent,) = derive(ExamKey("H1", "A1"), Facts((), facts, count=1), (), NOON.tzinfo)
    assert (silent.ended_at, silent.end_source) == (NOON, "received")


instants = st.lists(st.integers(0, 5000).map(lambda second: NOON + second * SECOND * 7), max_size=40)


@given(instants, instants, st.integers(1, 50))
def test_arrivals_answer_as_the_plain_list_does(one, other, number):
    plain = sorted(one + other)
    arrivals = Arrivals.of(one) + Arrivals.of(other)
    assert arrivals == Arrivals.of(plain)
    assert arrivals == Arrivals.from_json(arrivals.to_json())
    assert arrivals.total == len(plain)
    assert arrivals.nth(number) == (plain[number - 1] if number <= len(plain) else None)
    last = plain[0] if plain else None
    for at in plain:
        if at - last >= GAP:
            break
        last = at
    assert arrivals.before_gap(GAP) == last
    assert arrivals.until(NOON + 60 * MINUTE) == sum(at <= NOON + 60 * MINUTE for at in plain)
