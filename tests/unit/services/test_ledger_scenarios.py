"""The kinds of exam that the ledger must tell apart, each from its facts to its flag."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.ledger_world import AFTER, BEFORE, DUE, HOUR, MINUTE, NOON, World, notice, study, told


@pytest.fixture
def world():
    return World()


def test_complete_within_twelve_hours_is_on_time_and_raises_nothing(world):
    exam = told(world, notice(declared_instances=3), study((NOON + HOUR, 3)))
    assert (exam.state, exam.standing, exam.completed_at) == ("complete", "on_time", NOON + HOUR)
    assert world.flag() is None
    assert world.topic.messages == []


def test_the_last_second_is_on_time(world):
    exam = told(world, notice(declared_instances=2), study(NOON + HOUR, DUE))
    assert exam.standing == "on_time"


def test_one_second_more_is_late_and_flagged(world):
    exam = told(world, notice(declared_instances=2), study(NOON + HOUR, DUE + timedelta(seconds=1)))
    assert (exam.state, exam.standing) == ("complete", "late")
    assert world.flag().figures == {"late": 1}


def test_a_flag_names_rule_figures_and_exams_and_is_told_once(world):
    told(world, notice())
    flag = world.flag()
    assert (flag.rule, flag.state, flag.figures) == ("missed_deadline", "raised", {"missing": 1})
    assert [(exam.accession, exam.standing, exam.due_at) for exam in flag.behind.exams] == [("A1", "missing", DUE)]
    ((subject, body),) = world.topic.messages
    assert subject == "missed_deadline H1 2026-11-20"
    assert body["figures"] == {"missing": 1}
    assert "A1" not in str(body)


def test_never_uploaded_is_missing_only_once_the_grace_is_over(world):
    assert told(world, notice(), sweep=BEFORE).state == "expected"
    assert world.flag() is None
    world.sweep(AFTER)
    assert world.exam().state == "missing"


def test_part_of_the_declared_images_is_partial_and_flagged_when_due(world):
    exam = told(world, notice(declared_instances=5), study((NOON, 4)), sweep=BEFORE)
    assert (exam.state, exam.standing) == ("partial", "pending")
    world.sweep(AFTER)
    assert (world.exam().state, world.exam().standing) == ("partial", "partial")
    assert world.flag().figures == {"partial": 1}


def test_missing_that_comes_after_all_is_late_and_the_flag_says_so_without_a_second_message(world):
    told(world, notice(declared_instances=1))
    told(world, study(DUE + 5 * HOUR), sweep=DUE + 6 * HOUR)
    assert world.exam().standing == "late"
    assert world.flag().figures == {"late": 1}
    assert len(world.topic.messages) == 1


def test_a_cancelled_order_is_never_missing(world):
    exam = told(world, notice("scheduled"), notice("cancelled", sent_at=NOON + HOUR))
    assert (exam.state, exam.worklist) == ("cancelled", ())
    assert world.flag() is None


def test_an_order_alone_is_scheduled_for_ever(world):
    assert told(world, notice("scheduled"), sweep=NOON + 1000 * HOUR).state == "scheduled"
    assert world.flag() is None


def test_a_cancellation_after_the_flag_takes_the_exam_from_it(world):
    told(world, notice())
    told(world, notice("cancelled", sent_at=AFTER), sweep=AFTER + HOUR)
    assert (world.flag().state, world.flag().figures) == ("withdrawn", {})


def test_images_of_a_cancelled_order_go_to_the_worklist(world):
    exam = told(world, notice(), notice("cancelled", sent_at=NOON + HOUR), study(NOON))
    assert (exam.state, exam.worklist) == ("cancelled", ("images_of_cancelled_order",))


def test_a_cancellation_that_was_revoked_counts_no_more(world):
    again = notice(notice_id="again", sent_at=NOON + 2 * HOUR)
    assert told(world, notice("cancelled", sent_at=NOON + HOUR), again).state == "missing"


def test_an_outage_that_touches_the_twelve_hours_excuses(world):
    world.excuse(DUE - MINUTE, DUE + 9 * HOUR)
    exam = told(world, notice())
    assert (exam.state, exam.standing) == ("excused", "excused")
    assert world.flag() is None


def test_an_outage_before_the_exam_or_after_its_due_excuses_nothing(world):
    world.excuse(NOON - 9 * HOUR, NOON - MINUTE)
    world.excuse(DUE + MINUTE, DUE + 9 * HOUR)
    assert told(world, notice()).state == "missing"


def test_an_outage_of_another_hospital_excuses_nothing(world):
    world.excuse(NOON, DUE, hospital="H2")
    assert told(world, notice()).state == "missing"


def test_an_excuse_after_the_flag_withdraws_it(world):
    told(world, notice())
    world.excuse(NOON, DUE)
    assert world.exam().state == "excused"
    world.sweep(AFTER)
    assert world.flag().state == "withdrawn"
    assert len(world.topic.messages) == 1


def test_on_time_needs_no_excuse(world):
    world.excuse(NOON, DUE)
    assert told(world, notice(), study(NOON + HOUR)).state == "complete"


def test_a_study_without_a_notice_opens_its_own_exam(world):
    exam = told(world, study(NOON + 20 * HOUR, exam_ended_at=NOON, exam_end_source="AcquisitionDateTime"))
    assert (exam.notified, exam.standing, exam.end_source) == (False, "late", "AcquisitionDateTime")
    assert exam.worklist == ()


def test_a_study_that_says_nothing_of_its_time_counts_from_its_arrival(world):
    exam = told(world, study(NOON))
    assert (exam.ended_at, exam.end_source, exam.standing) == (NOON, "received", "on_time")


@pytest.mark.parametrize(
    ("age", "standing"), [(timedelta(days=30), "late"), (timedelta(days=30, seconds=1), "imported")]
)
def test_a_study_without_a_notice_that_was_old_when_it_came_is_imported_and_counted_on_its_arrival(
    world, age, standing
):
    world.tell(study(NOON, exam_ended_at=NOON - age, exam_end_source="AcquisitionDateTime"))
    world.sweep(AFTER)
    (exam,) = world.ledger.standing().values()
    assert (exam.state, exam.standing, exam.ended_at) == ("complete", standing, NOON - age)
    if standing == "imported":
        assert (exam.day, exam.due_at) == ("2026-11-20", None)
        assert (world.flags.held, world.topic.messages) == ({}, [])


def test_the_first_arrival_says_whether_it_was_old_not_the_last(world):
    end = NOON - timedelta(days=20)
    world.tell(study(NOON, NOON + timedelta(days=20), exam_ended_at=end))
    world.sweep(AFTER)
    assert world.exam("2026-10-31").standing == "late"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_with_a_notice_the_deadline_of_an_old_exam_holds(world, order):
    end = NOON - timedelta(days=90)
    facts = notice(at=end, sent_at=NOON), study(NOON, exam_ended_at=end)
    for place in order:
        world.tell(facts[place])
        world.sweep(AFTER)
    (exam,) = world.ledger.standing().values()
    assert (exam.day, exam.standing) == ("2026-08-22", "late")
    assert world.flag("2026-08-22").figures == {"late": 1}
    assert [body["rule"] for _, body in world.topic.messages] == ["missed_deadline", "long_delay"]


def test_a_flag_tells_of_the_completion_as_it_stands_now(world):
    told(world, notice(declared_instances=2), study(NOON, DUE + HOUR))
    told(
        world,
        notice(declared_instances=3, sent_at=AFTER),
        study(NOON, DUE + HOUR, DUE + 2 * HOUR),
        sweep=AFTER + 2 * HOUR,
    )
    assert [exam.completed_at for exam in world.flag().behind.exams] == [DUE + 2 * HOUR]
    assert len(world.topic.messages) == 1
