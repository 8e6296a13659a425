"""Two hours left: who is told, of what, and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.exam import ExamKey
from chalicelib.domain.warning import LISTED
from tests.support.interleave import Crash, crash_at
from tests.support.ledger_world import DUE, HOUR, MINUTE, NOON, World, notice, study

SOON = DUE - 2 * HOUR


@pytest.fixture
def world():
    return World()


def named(world):
    """(hospital, accession numbers) of each message."""
    return [(body["hospital_id"], [exam["accession"] for exam in body["exams"]]) for _, body in world.warned.messages]


def test_a_hospital_is_told_once_of_what_is_due_within_two_hours(world):
    world.tell(notice(declared_instances=3))
    world.tell(study((NOON, 2)))
    world.sweep(SOON - MINUTE)
    assert named(world) == []
    assert world.sweep(SOON).warned == 1
    (_, body) = world.warned.messages[0]
    told = {"accession": "A1", "due_at": DUE.isoformat(), "received": 2, "declared": 3}
    assert (body["event"], body["hospital_id"], body["count"], body["exams"]) == ("due_soon", "H1", 1, [told])
    assert set(body["message"]) == {"zh", "en"}
    for minute in range(5, 125, 5):
        world.sweep(SOON + minute * MINUTE)
    assert len(world.warned.messages) == 1


@pytest.mark.parametrize("judged", [True, False])
def test_each_exam_of_a_number_used_twice_is_told_at_its_own_time(world, judged):
    """While the first is told and unjudged, and where its due passes between two sweeps."""
    world.tell(notice(notice_id="N1"))
    world.tell(notice(notice_id="N2", at=NOON + HOUR, patient_id="P2"))
    dues = {exam.due_at for exam in world.ledger.standing().values()}
    assert dues == {DUE, DUE + HOUR}
    for at in [SOON, SOON + HOUR, DUE + 10 * MINUTE] if judged else [DUE + 10 * MINUTE]:
        world.sweep(at)
    told = [exam["due_at"] for _, body in world.warned.messages for exam in body["exams"]]
    assert told == [due.isoformat() for due in sorted(dues)][0 if judged else 1 :]


def test_one_message_for_each_hospital_and_run_with_all_that_is_new(world):
    for hospital in ("H1", "H2"):
        for number in range(3):
            world.tell(notice(at=NOON + number * 10 * MINUTE, accession_number=f"A{number}"), hospital)
    world.sweep(SOON + 10 * MINUTE)
    assert sorted(named(world)) == [("H1", ["A0", "A1"]), ("H2", ["A0", "A1"])]
    world.sweep(SOON + 20 * MINUTE)
    assert sorted(named(world))[-1:] == [("H2", ["A2"])]
    assert len(named(world)) == 4


def test_what_becomes_known_with_less_time_left_is_told_at_once(world):
    world.tell(notice(sent_at=SOON + HOUR))
    world.sweep(SOON + HOUR)
    assert named(world) == [("H1", ["A1"])]


@pytest.mark.parametrize("what", ["complete", "cancelled", "excused", "imported", "scheduled"])
def test_nobody_is_warned_of_what_cannot_be_missed(world, what):
    if what == "imported":
        world.tell(study(SOON - 11 * HOUR, exam_ended_at=NOON - timedelta(days=99)))
    elif what == "scheduled":
        world.tell(notice("scheduled"))
    else:
        world.tell(notice(declared_instances=1))
    if what == "complete":
        world.tell(study(NOON + HOUR))
    if what == "cancelled":
        world.tell(notice("cancelled", sent_at=NOON + HOUR))
    if what == "excused":
        world.excuse(NOON + HOUR, NOON + 2 * HOUR)
    for minute in range(0, 120, 30):
        world.sweep(SOON + minute * MINUTE)
    assert named(world) == []


def test_an_index_that_is_behind_warns_of_nothing_that_is_complete(world):
    world.tell(notice(declared_instances=1))
    behind = list(world.ledger.due_between(0, NOON, DUE, NOON)) or [(ExamKey("H1", "A1"), DUE)]
    world.tell(study(NOON + HOUR))
    world.ledger.due_between = lambda shard, after, until, since: iter(behind if shard == 0 else [])
    world.sweep(SOON)
    assert named(world) == []


def test_while_our_queues_are_behind_nobody_is_warned_of_what_may_be_here(world):
    world.tell(notice())
    world.backlog.oldest = 31 * MINUTE
    assert world.sweep(SOON).warnings_held
    world.backlog.oldest = None
    assert world.sweep(SOON + MINUTE).warnings_held
    assert named(world) == []
    world.backlog.oldest = 30 * MINUTE
    world.sweep(SOON + 2 * MINUTE)
    assert named(world) == [("H1", ["A1"])]


def test_a_message_names_the_first_and_says_how_many_there_are(world):
    for number in range(LISTED + 5):
        world.tell(notice(accession_number=f"A{number:03d}"))
    world.sweep(SOON)
    (_, body) = world.warned.messages[0]
    assert (body["count"], body["listed"], len(body["exams"])) == (LISTED + 5, LISTED, LISTED)
    world.sweep(SOON + 5 * MINUTE)
    assert len(world.warned.messages) == 1


def test_no_patient_stands_in_a_warning(world):
    world.tell(notice(patient_id="PATIENT-7", procedure="胸部CT平扫"))
    world.sweep(SOON)
    assert "PATIENT-7" not in str(world.warned.messages)
    assert "胸部" not in str(world.warned.messages)


def test_a_hospital_that_cannot_be_told_does_not_keep_the_others_from_it(world):
    for hospital in ("H1", "H2", "H3"):
        world.tell(notice(), hospital)
    publish = world.warned.publish
    world.warned.publish = lambda subject, body: 1 // 0 if body["hospital_id"] == "H1" else publish(subject, body)
    assert world.sweep(SOON).faults == 1
    assert sorted(hospital for hospital, _ in named(world)) == ["H2", "H3"]
    world.warned.publish = publish
    world.sweep(SOON + 5 * MINUTE)
    assert sorted(hospital for hospital, _ in named(world)) == ["H1", "H2", "H3"]


def test_what_was_told_is_forgotten_when_it_was_due(world):
    world.tell(notice())
    world.tell(notice(at=NOON + 3 * HOUR, accession_number="A2"))
    world.sweep(SOON)
    world.sweep(SOON + 3 * HOUR)
    assert {due_at for due_at, _ in world.warnings.get("H1").told} == {DUE + 3 * HOUR}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 120), st.booleans(), st.lists(st.integers(0, 110), max_size=4))
def test_whatever_crashes_and_however_often_it_runs_nobody_is_forgotten_and_few_told_twice(number, after, minutes):
    world = World()
    for hospital in ("H1", "H2"):
        world.tell(notice(), hospital)
        world.tell(notice(accession_number="A2"), hospital)
    gate = crash_at(number, after=after)
    crashes = 0
    for minute in sorted([0, *minutes, 115]):
        try:
            world.sweep(SOON + minute * MINUTE, gate)
        except Crash:
            crashes += 1
    told = named(world)
    assert {hospital for hospital, _ in told} == {"H1", "H2"}
    assert len(told) <= 2 + crashes
    assert all(exams == ["A1", "A2"] for _, exams in told)
