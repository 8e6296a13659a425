"""Which facts the ledger takes for one exam, of which day and whose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.fakes_ledger import OneZone
from tests.support.ledger_world import AFTER, DUE, GRACE, HOUR, MINUTE, NOON, World, notice, study, told


@pytest.fixture
def world():
    return World()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_notice_before_or_after_study_is_one_exam(world, order):
    facts = notice(declared_instances=2), study((NOON + HOUR, 2), exam_ended_at=NOON - 2 * HOUR)
    exam = told(world, *(facts[place] for place in order))
    assert (exam.ended_at, exam.end_source, exam.standing, exam.notified) == (NOON, "notice", "on_time", True)
    assert exam.study_instance_uids == ("1.2.3",)


def test_a_notice_cannot_put_the_deadline_off_beyond_the_images_or_itself(world):
    exam = told(world, notice(at=NOON + 5 * HOUR, sent_at=NOON + HOUR), study(NOON))
    assert exam.ended_at == NOON
    other = World()
    other.tell(notice(at=NOON + 5 * HOUR, sent_at=NOON, received_at=NOON))
    assert other.exam().due_at == DUE


def test_undeclared_is_complete_before_the_first_gap_and_later_images_only_amend(world):
    exam = told(world, notice(), study((NOON, 5), (NOON + 29 * MINUTE, 5), (NOON + 15 * HOUR, 1)))
    assert (exam.completed_at, exam.standing, exam.amended) == (NOON + 29 * MINUTE, "on_time", True)


def test_thirty_minutes_are_the_gap(world):
    assert told(world, study(NOON, NOON + 30 * MINUTE)).completed_at == NOON


def test_more_than_declared_amends(world):
    exam = told(world, notice(declared_instances=2), study((NOON, 2), (NOON + 20 * HOUR, 1)))
    assert (exam.completed_at, exam.standing, exam.amended) == (NOON, "on_time", True)


def test_several_studies_of_one_accession_are_one_exam(world):
    other = study((NOON + 2 * HOUR, 2), study_instance_uid="1.2.4")
    exam = told(world, notice(declared_instances=5), study((NOON, 3)), other)
    assert (exam.received, exam.completed_at) == (5, NOON + 2 * HOUR)
    assert exam.study_instance_uids == ("1.2.3", "1.2.4")


def test_a_withdrawn_study_counts_as_absent(world):
    fact = study((NOON, 3))
    assert told(world, notice(), fact, replace(fact, withdrawn=True, entry_count=4)).state == "missing"


def test_the_fact_that_saw_most_counts_whatever_comes_last(world):
    full = study((NOON, 3))
    assert told(world, notice(declared_instances=3), full, study((NOON, 1))).received == 3


@pytest.mark.parametrize(
    ("end", "zone", "day"),
    [
        (datetime(2026, 11, 20, 15, 59, tzinfo=UTC), 480, "2026-11-20"),
        (datetime(2026, 11, 20, 16, 0, tzinfo=UTC), 480, "2026-11-21"),
        (datetime(2026, 11, 20, 17, 59, tzinfo=UTC), 360, "2026-11-20"),
        (datetime(2026, 11, 20, 18, 0, tzinfo=UTC), 360, "2026-11-21"),
        (datetime(2026, 11, 20, 1, 0, tzinfo=UTC), -300, "2026-11-19"),
    ],
)
def test_an_exam_belongs_to_the_local_day_of_its_end(end, zone, day):
    world = World(hospitals=OneZone(zone))
    world.tell(notice(at=end))
    world.sweep(end + 12 * HOUR + GRACE)
    assert world.exam(day).state == "missing"
    assert world.flag(day).figures == {"missing": 1}


def test_an_exam_that_moves_across_midnight_leaves_its_old_day_and_that_days_flag(world):
    told(world, notice(declared_instances=1))
    later = notice(at=NOON + 12 * HOUR, sent_at=AFTER, declared_instances=1)  # corrected: it ended at 00:00
    world.tell(later)
    assert world.exams("2026-11-20") == []
    assert world.exam("2026-11-21").state == "expected"
    world.sweep(AFTER + MINUTE)
    assert world.flag("2026-11-20").state == "withdrawn"
    world.sweep(later.performed_at + 12 * HOUR + GRACE)
    assert world.flag("2026-11-21").figures == {"missing": 1}


def test_an_accession_used_again_for_another_patient_is_another_exam(world):
    years = timedelta(days=800)
    world.tell(notice(declared_instances=1))
    world.tell(study(NOON))
    world.tell(notice(at=NOON + years, patient_id="P2", notice_id="other"))
    world.sweep(AFTER + years)
    assert (world.exam().use, world.exam().standing) == (1, "on_time")
    day = (NOON + years).date().isoformat()
    assert (world.exam(day).use, world.exam(day).state, world.exam(day).patient_id) == (2, "missing", "P2")
    assert world.flag() is None
    assert world.flag(day).figures == {"missing": 1}


def test_an_accession_used_again_by_one_patient_after_a_week_is_another_exam(world):
    later = NOON + timedelta(days=7, seconds=1)
    told(world, notice(), study(NOON), study(later, study_instance_uid="1.2.9", exam_ended_at=later))
    assert world.exam().study_instance_uids == ("1.2.3",)
    assert world.exam("2026-11-27").study_instance_uids == ("1.2.9",)


def test_images_of_another_patient_leave_the_notice_open_and_go_to_the_worklist(world):
    world.tell(notice())
    world.tell(study(NOON + MINUTE, patient_id="P9"))
    world.sweep(AFTER)
    first, second = world.exams()
    assert (first.patient_id, first.state, first.worklist) == ("P1", "missing", ())
    assert (second.patient_id, second.state, second.worklist) == ("P9", "complete", ("patient_differs",))


def test_images_of_another_week_go_to_the_worklist(world):
    world.tell(notice())
    world.tell(study(NOON + timedelta(days=9), exam_ended_at=NOON + timedelta(days=9)))
    assert world.exam("2026-11-29").worklist == ("dates_differ",)


def test_a_rescheduled_order_is_listed_once(world):
    world.tell(notice("scheduled"))
    world.tell(notice("scheduled", at=NOON + timedelta(days=30), sent_at=NOON + HOUR))
    assert world.exams() == []
    assert world.exam("2026-12-20").state == "scheduled"


def test_a_placeholder_accession_does_not_gather_strangers(world):
    world.tell(study(NOON, accession_number="0000"))
    world.tell(study(NOON, accession_number="0000", study_instance_uid="1.2.4"))
    assert [exam.key.accession for exam in world.exams()] == ["1.2.3", "1.2.4"]
