"""What a sweep does when queues are behind, when it is cut short, and when it is not alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.exam import ExamKey
from chalicelib.domain.flag import Behind
from chalicelib.services.derive_exams import LedgerContended
from chalicelib.services.raise_flags import FlagContended
from tests.support.ledger_world import AFTER, BEFORE, DUE, HOUR, MINUTE, NOON, World, notice, study, told


@pytest.fixture
def world():
    return World()


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
    assert world.flag().state == "raised"
    assert len(world.topic.messages) == 2


def test_a_run_that_is_cut_short_says_so_and_the_next_ends_it(world):
    for number in range(19):
        world.tell(notice(accession_number=f"A{number}"))
    answers = iter([True] * 6)
    result = world.sweep(AFTER, keep_going=lambda: next(answers, False))
    assert result.more
    assert result.judged < 19
    rest = world.sweep(AFTER)
    assert not rest.more
    assert result.judged + rest.judged == 19
    assert world.flag().figures == {"missing": 19}
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
    world.flags.put = lambda flag, *step: put(flag, *step) if flag.day == "2026-11-21" else 1 // 0
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
        world.flags.put = lambda flag, step: False
        with pytest.raises(FlagContended):
            world.flagging()("H1", told_day(world), AFTER, AFTER)


def told_day(world):
    world.derive().judge(ExamKey("H1", "A1"), AFTER)
    return "2026-11-20"


def test_a_message_is_marked_as_told_also_where_another_changed_the_flag_meanwhile(world):
    day = (world.tell(notice()), told_day(world))[1]
    publish = world.topic.publish

    def meanwhile(subject, body):
        publish(subject, body)
        held = world.flag()
        world.flags.put(replace(held, behind=Behind()))

    world.topic.publish = meanwhile
    world.flagging()("H1", day, AFTER, AFTER)
    assert (world.flag().published, world.flag().behind) == (1, Behind())
    assert len(world.topic.messages) == 1


def test_a_stale_index_entry_is_not_acted_on(world):
    world.tell(notice())
    world.ledger.due = lambda shard, until: iter([ExamKey("H1", "A1"), ExamKey("H1", "nobody")] if shard == 3 else [])
    assert world.sweep(BEFORE).judged == 0
    assert world.exam().state == "expected"
