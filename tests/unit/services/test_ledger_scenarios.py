"""The kinds of exam that the ledger must tell apart, each from its facts to its flag."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.exam import ExamKey
from chalicelib.services.derive_exams import LedgerContended
from chalicelib.services.raise_flags import FlagContended, RaiseFlags
from tests.support.fakes_ledger import OneZone
from tests.support.ledger_world import GRACE, HOUR, MINUTE, NOON, World, notice, study

DUE = NOON + 12 * HOUR
AFTER = DUE + GRACE
BEFORE = DUE + GRACE - MINUTE


@pytest.fixture
def world():
    return World()


def told(world, *facts, sweep=AFTER):
    for fact in facts:
        world.tell(fact)
    world.sweep(sweep)
    return world.exam()


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
    assert (flag.rule, flag.state, flag.figures) == ("missed_deadline", "open", {"missing": 1})
    assert [(exam.accession, exam.standing, exam.due_at) for exam in flag.exams] == [("A1", "missing", DUE)]
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
    assert len(world.topic.messages) == 1


def test_a_flag_tells_of_the_completion_as_it_stands_now(world):
    told(world, notice(declared_instances=2), study(NOON, DUE + HOUR))
    told(
        world,
        notice(declared_instances=3, sent_at=AFTER),
        study(NOON, DUE + HOUR, DUE + 2 * HOUR),
        sweep=AFTER + 2 * HOUR,
    )
    assert [exam.completed_at for exam in world.flag().exams] == [DUE + 2 * HOUR]
    assert len(world.topic.messages) == 1


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


def test_our_own_backlog_is_never_held_against_a_hospital(world):
    world.tell(notice())
    world.backlog.oldest = 2 * HOUR
    assert world.sweep(AFTER).judged == 0
    assert world.exam().state == "expected"
    world.tell(study(DUE - MINUTE))  # was in the queue all along
    world.backlog.oldest = 0 * HOUR
    world.sweep(AFTER + HOUR)
    assert world.exam().standing == "on_time"
    assert world.flag() is None


def test_a_backlog_holds_judgement_for_six_hours_at_most(world):
    world.tell(notice())
    world.backlog.oldest = 40 * HOUR
    world.sweep(DUE + 6 * HOUR - MINUTE)
    assert world.exam().state == "expected"
    world.sweep(DUE + 6 * HOUR)
    assert world.exam().state == "missing"


def test_a_sweep_that_cannot_measure_our_queues_holds_and_says_so(world):
    world.tell(notice())
    world.backlog.oldest = None
    result = world.sweep(AFTER + 100 * HOUR)
    assert result.held
    assert world.exam().state == "expected"


def test_a_second_run_changes_nothing(world):
    world.tell(notice())
    world.tell(notice(accession_number="A2", declared_instances=9))
    world.tell(study((NOON, 4), accession_number="A2", study_instance_uid="1.2.7"))
    world.sweep(AFTER)
    rows, flags, dockets = world.ledger.standing(), dict(world.flags.held), dict(world.ledger.dockets)
    result = world.sweep(AFTER + HOUR)
    assert (result.judged, result.messages) == (0, 0)
    assert (world.ledger.standing(), world.flags.held, world.ledger.dockets) == (rows, flags, dockets)
    assert [flag.revision for flag in world.flags.held.values()] == [flag.revision for flag in flags.values()]


def test_a_flag_raised_again_is_told_again(world):
    told(world, notice())
    told(world, notice("cancelled", sent_at=AFTER), sweep=AFTER + HOUR)
    told(world, notice(notice_id="again", sent_at=AFTER + HOUR), sweep=AFTER + 2 * HOUR)
    assert world.flag().state == "open"
    assert len(world.topic.messages) == 2


def test_a_run_that_is_cut_short_says_so_and_the_next_ends_it(world):
    for number in range(20):
        world.tell(notice(accession_number=f"A{number}"))
    answers = iter([True] * 6)
    result = world.sweep(AFTER, keep_going=lambda: next(answers, False))
    assert result.more
    assert result.judged < 20
    rest = world.sweep(AFTER)
    assert not rest.more
    assert result.judged + rest.judged == 20
    assert world.flag().figures == {"missing": 20}
    assert len(world.topic.messages) == 1


def test_one_broken_accession_number_does_not_keep_the_others_from_being_judged(world):
    world.tell(notice())
    world.tell(notice(accession_number="A2"))
    read = world.ledger.read
    world.ledger.read = lambda key: read(key) if key.accession == "A2" else 1 // 0
    result = world.sweep(AFTER)
    assert (result.judged, result.faults) == (1, 1)
    assert world.flag().figures == {"missing": 1}


def test_reads_of_a_sweep_do_not_grow_with_the_archive():
    spent = []
    for years in (1, 10):
        world = World()
        for day in range(years * 12):
            at = NOON - timedelta(days=30 * (day + 1))
            for number in range(5):
                world.tell(notice(at=at, accession_number=f"old{day}-{number}", declared_instances=1))
                world.tell(study(at, accession_number=f"old{day}-{number}", study_instance_uid=f"1.{day}.{number}"))
        for number in range(7):
            world.tell(notice(accession_number=f"new{number}"))
        world.ledger.reads.clear()
        assert world.sweep(AFTER).judged == 7
        spent.append(dict(world.ledger.reads))
    assert spent[0] == spent[1]


def test_an_excuse_that_comes_while_an_exam_is_judged_is_not_overlooked(world):
    world.tell(notice())
    overlapping, asked = world.excuses.overlapping, []

    def outrun(*span):
        found = overlapping(*span)
        if not asked:  # told between our look at the excuses and our writing of the rows: no row is there to derive
            asked.append(span)
            world.excuse(NOON, DUE)
        return found

    world.excuses.overlapping = outrun
    world.sweep(AFTER)
    assert world.exam().state == "excused"
    assert world.flag() is None


def test_a_flag_that_could_not_be_written_is_raised_by_the_next_run(world):
    world.tell(notice())
    world.tell(notice(at=NOON + 13 * HOUR, accession_number="A2"))
    put = world.flags.put
    world.flags.put = lambda flag: put(flag) if flag.day == "2026-11-21" else 1 // 0
    result = world.sweep(AFTER + 13 * HOUR)
    assert (result.judged, result.faults) == (1, 1)
    assert (world.flag(), world.flag("2026-11-21").figures) == (None, {"missing": 1})
    world.flags.put = put
    assert world.sweep(AFTER + 13 * HOUR).judged == 1
    assert world.flag().figures == {"missing": 1}


def test_more_rows_than_a_transaction_holds_move_as_well(world):
    for number in range(60):
        world.tell(notice(at=NOON + number * MINUTE, patient_id=f"P{number}", notice_id=str(number)))
    first = notice(at=NOON - 13 * HOUR, patient_id="earliest", notice_id="first")
    world.tell(replace(first, patient_id="second", notice_id="second"))
    world.tell(first)
    assert [exam.use for exam in world.exams()] == list(range(3, 63))
    assert [exam.patient_id for exam in world.exams("2026-11-19")] == ["earliest", "second"]
    world.tell(notice("cancelled", at=NOON, sent_at=NOON + HOUR, patient_id="P0", notice_id="0"))
    assert [exam.use for exam in world.exams()] == list(range(3, 63))


@pytest.mark.parametrize("lost", ["ledger", "flags"])
def test_whoever_loses_every_race_gives_up_and_is_called_again(world, lost):
    if lost == "ledger":
        world.ledger.put_docket = lambda key, docket: False
        with pytest.raises(LedgerContended):
            world.tell(notice())
    else:
        world.tell(notice())
        world.flags.put = lambda flag: False
        with pytest.raises(FlagContended):
            RaiseFlags(world.ledger, world.flags, world.topic)("H1", told_day(world), AFTER)


def told_day(world):
    world.derive().judge(ExamKey("H1", "A1"), AFTER)
    return "2026-11-20"


def test_a_message_is_marked_as_told_also_where_another_changed_the_flag_meanwhile(world):
    day = (world.tell(notice()), told_day(world))[1]
    publish = world.topic.publish

    def meanwhile(subject, body):
        publish(subject, body)
        held = world.flag()
        world.flags.put(replace(held, exams=()))

    world.topic.publish = meanwhile
    RaiseFlags(world.ledger, world.flags, world.topic)("H1", day, AFTER)
    assert (world.flag().published, world.flag().exams) == (1, ())
    assert len(world.topic.messages) == 1


def test_a_stale_index_entry_is_not_acted_on(world):
    world.tell(notice())
    world.ledger.due = lambda shard, until: iter([ExamKey("H1", "A1"), ExamKey("H1", "nobody")] if shard == 3 else [])
    assert world.sweep(BEFORE).judged == 0
    assert world.exam().state == "expected"
