"""A study that bears no accession number meets the notice that names it, and a notice moves to another number."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.exam import Report
from chalicelib.domain.study import StudyRef
from chalicelib.services.find_reports import FindReports
from tests.support.fakes_ingest import Crash
from tests.support.interleave import Gate, Turns
from tests.support.ledger_world import AFTER, HOUR, NOON, World, notice, study

UID = "1.2.3"
END = NOON + timedelta(days=60)
DAY = "2026-11-20"


def exams(world, sweep=AFTER):
    world.sweep(sweep)
    return {exam.key.accession: exam for exam in world.ledger.standing().values()}


def in_every_order(*facts, sweeps=(False, True)):
    """A world for each order, with and without a sweep that judges between the facts."""
    for order, sweep in itertools.product(itertools.permutations(facts), sweeps):
        world = World()
        for fact in order:
            world.tell(fact)
            if sweep:
                world.sweep(AFTER)
        yield world


@pytest.mark.parametrize("placeholder", ["", "0000", "无"])
def test_a_study_without_an_accession_number_meets_the_notice_that_names_it(placeholder):
    named = notice(study_instance_uid=UID, declared_instances=3)
    for world in in_every_order(named, study((NOON + HOUR, 3), accession_number=placeholder)):
        found = exams(world)
        assert list(found) == ["A1"]
        assert (found["A1"].standing, found["A1"].notified, found["A1"].study_instance_uids) == (
            "on_time",
            True,
            (UID,),
        )
        assert world.flag() is None or world.flag().state == "withdrawn"
        assert all(docket.due_at is None for docket in world.ledger.dockets.values())


def test_a_study_that_no_notice_names_stays_an_exam_of_its_own():
    for world in in_every_order(notice(study_instance_uid="1.9"), study(NOON, accession_number="")):
        assert {name: exam.standing for name, exam in exams(world).items()} == {"A1": "missing", UID: "on_time"}


def test_a_study_with_an_accession_number_of_its_own_is_not_taken_elsewhere():
    for world in in_every_order(notice(study_instance_uid=UID), study(NOON, accession_number="A2")):
        assert {name: exam.standing for name, exam in exams(world).items()} == {"A1": "missing", "A2": "on_time"}


def test_an_accession_number_that_comes_with_later_images_withdraws_what_was_told_without():
    early, gone = (
        study((NOON, 1), accession_number=""),
        study((NOON, 1), accession_number="", withdrawn=True, entry_count=2),
    )
    bears = study((NOON, 2), entry_count=2)
    for world in in_every_order(notice(study_instance_uid=UID), early, gone, bears, sweeps=(False,)):
        assert [(name, exam.received) for name, exam in exams(world).items()] == [("A1", 2)]


def test_blanks_around_an_accession_number_make_no_second_study():
    for world in in_every_order(study((NOON, 2)), study(accession_number=" A1", withdrawn=True, entry_count=2)):
        assert [(name, exam.received) for name, exam in exams(world).items()] == [("A1", 2)]


def test_one_study_that_answers_two_orders_completes_both():
    orders = [notice(accession_number=name, study_instance_uid=UID) for name in ("A1", "A2")]
    for world in in_every_order(*orders, study(NOON, accession_number="")):
        assert {name: exam.standing for name, exam in exams(world).items()} == {"A1": "on_time", "A2": "on_time"}


def test_a_named_study_of_another_patient_goes_to_the_worklist():
    told = notice(study_instance_uid=UID), study(NOON, accession_number="", patient_id="P9")
    for world in in_every_order(*told):
        world.sweep(AFTER)
        found = [(exam.patient_id, exam.standing, exam.worklist) for exam in world.exams()]
        assert found == [("P1", "missing", ()), ("P9", "on_time", ("patient_differs",))]


def test_a_notice_without_an_accession_number_follows_the_one_that_has_it():
    bare = notice(accession_number="", study_instance_uid=UID, declared_instances=4, notice_id="bare")
    for world in in_every_order(bare, notice(study_instance_uid=UID), study((NOON, 4), accession_number="")):
        found = exams(world)
        assert [(name, exam.declared, exam.standing) for name, exam in found.items()] == [("A1", 4, "on_time")]


def test_a_notice_that_names_only_the_study_meets_it_under_its_accession_number():
    bare = notice(accession_number="", study_instance_uid=UID, declared_instances=4)
    for world in in_every_order(bare, study((NOON, 4))):
        found = exams(world)
        assert [(name, exam.declared, exam.standing) for name, exam in found.items()] == [("A1", 4, "on_time")]


def test_a_notice_follows_its_study_to_another_accession_number():
    bare = notice(accession_number="", study_instance_uid=UID)
    left = study(withdrawn=True, entry_count=2)
    for world in in_every_order(bare, study(NOON), left, study(NOON, accession_number="A2", entry_count=2)):
        assert {name: exam.notified for name, exam in exams(world).items()} == {"A2": True}


def test_a_notice_whose_study_is_withdrawn_waits_again():
    bare = notice(accession_number="", study_instance_uid=UID)
    for world in in_every_order(bare, study(NOON), study(withdrawn=True, entry_count=2)):
        assert {name: exam.standing for name, exam in exams(world).items()} == {UID: "missing"}


def test_a_report_is_found_from_a_study_that_bears_no_accession_number():
    world, report = World(), Report("d", "application/pdf", "reports/H1/A1/d.pdf", "v1", 5)
    world.tell(notice(study_instance_uid=UID, report=report))
    assert FindReports(world.ledger)(StudyRef("H1", UID), "") == []
    world.tell(study(NOON, accession_number=""))
    (found,) = FindReports(world.ledger)(StudyRef("H1", UID), "")
    assert found.place.key == report.key


def moving(**changes):
    """A notice under A1, and the same corrected to A2."""
    first = notice(notice_id="N", **changes)
    return first, replace(first, accession_number="A2", sent_at=NOON + HOUR)


def test_a_notice_corrected_to_another_accession_number_waits_there_only():
    for world in in_every_order(*moving()):
        found = exams(world)
        assert {name: exam.standing for name, exam in found.items()} == {"A1": "cancelled", "A2": "missing"}
        assert (found["A1"].day, found["A1"].worklist) == (DAY, ("notice_moved",))
        assert world.flag().figures == {"missing": 1}
        assert [exam.accession for exam in world.flag().behind.exams] == ["A2"]


def test_a_notice_that_moves_back_stands_where_it_was():
    first, second = moving()
    back = replace(first, sent_at=NOON + 2 * HOUR)
    for world in in_every_order(first, second, back):
        assert {name: exam.standing for name, exam in exams(world).items()} == {"A1": "missing", "A2": "cancelled"}


def test_a_notice_that_moves_takes_its_study_along():
    first, second = moving(study_instance_uid=UID)
    for corrected in (second, replace(second, study_instance_uid="")):
        for world in in_every_order(first, corrected, study(NOON, accession_number="")):
            found = exams(world)
            assert {name: exam.standing for name, exam in found.items()} == {"A1": "cancelled", "A2": "on_time"}


def test_images_make_an_accession_number_stand_whatever_a_notice_says():
    for world in in_every_order(*moving(), study(NOON)):
        assert {name: exam.standing for name, exam in exams(world).items()} == {"A1": "on_time", "A2": "missing"}


@pytest.mark.parametrize(
    "changes", [{"patient_id": "P2"}, {"notice_id": "other"}, {"performed_at": NOON - timedelta(days=8)}]
)
def test_another_patient_id_or_week_is_another_exam(changes):
    first, second = moving()
    for world in in_every_order(first, replace(second, **changes)):
        assert sorted(exam.standing for exam in exams(world).values()) == ["missing", "missing"]


def test_another_notice_under_the_same_accession_number_stays():
    first, second = moving()
    for world in in_every_order(first, second, notice(notice_id="stays", declared_instances=7)):
        found = exams(world)["A1"]
        assert (found.standing, found.declared, found.worklist) == ("missing", 7, ())


def test_notices_that_point_at_each_other_end():
    one = notice(accession_number="2", study_instance_uid="1", notice_id="one")
    other = notice(accession_number="1", study_instance_uid="2", notice_id="other")
    for world in in_every_order(one, other):
        assert sorted(exam.standing for exam in exams(world).values()) == ["missing", "missing"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("bare_first", [False, True])
def test_dying_at_each_call_in_turn_leaves_nothing_that_only_a_sweep_would_mend(after, bare_first):
    """An order alone is never due, so no sweep comes to set right what a crash left."""
    first, second = moving(study_instance_uid=UID)
    facts = [replace(fact, status="scheduled", scheduled_at=NOON, performed_at=None) for fact in (first, second)]
    facts.insert(0 if bare_first else 2, study(NOON, accession_number=""))
    straight, calls, number = World(), [], 0
    for fact in facts:
        straight.tell(fact, gate=Gate(before=lambda: calls.append(1)))
    while (number := number + 1) <= len(calls):
        world, left = World(), iter(range(number))
        gate = Gate(**{"after" if after else "before": lambda left=left, at=number: dies(left, at)})
        for fact in facts:
            try:
                world.tell(fact, gate=gate)
            except Crash:
                world.tell(fact)
        assert world.ledger.standing() == straight.ledger.standing()
        assert world.ledger.dockets == straight.ledger.dockets


def dies(left, number):
    if next(left, None) == number - 1:
        raise Crash


instants = st.sampled_from([NOON + timedelta(hours=hours) for hours in (0, 1, 13, 170, 400)])
accessions = st.sampled_from(["", "A1", "A1", "A2"])
uids = st.sampled_from(["1.1", "1.2"])


@st.composite
def notices(draw):
    accession = draw(accessions)
    return notice(
        draw(st.sampled_from(["scheduled", "performed", "performed", "cancelled"])),
        at=draw(instants),
        notice_id=draw(st.sampled_from("ab")),
        accession_number=accession,
        study_instance_uid=draw(uids if not accession else uids | st.just("")),
        patient_id=draw(st.sampled_from(["P1", "P1", "P2"])),
        sent_at=draw(instants),
        declared_instances=draw(st.sampled_from([None, 1, 2])),
    )


@st.composite
def studies(draw):
    return study(
        *draw(st.lists(instants, max_size=2)),
        study_instance_uid=draw(uids),
        accession_number=draw(st.sampled_from(["", "", "0", "A1"])),
        patient_id=draw(st.sampled_from(["P1", "P1", "P2"])),
        entry_count=draw(st.integers(1, 3)),
        withdrawn=draw(st.sampled_from([False, False, False, True])),
    )


told = st.lists(notices() | studies(), min_size=2, max_size=6)


def judged(world):
    """Rows, open flags and what is still due once everything is judged."""
    world.sweep(END)
    flags = {place: flag.behind for place, flag in world.flags.held.items() if flag.is_open}
    dues = {key: (docket.due_at, docket.swept) for key, docket in world.ledger.dockets.items()}
    return world.ledger.standing(), flags, dues


def straight(facts):
    world = World()
    for fact in facts:
        world.tell(fact)
    return judged(world)


@settings(max_examples=1200, deadline=None)
@given(told, st.data())
def test_any_order_and_repetition_ends_in_the_same_facts_rows_and_dockets(facts, data):
    first, second = World(), World()
    again = data.draw(st.permutations(facts + data.draw(st.lists(st.sampled_from(facts), max_size=3))))
    for world, order in ((first, facts), (second, again)):
        for fact in order:
            world.tell(fact)
    assert first.ledger.facts == second.ledger.facts
    assert first.ledger.standing() == second.ledger.standing()
    assert first.ledger.dockets == second.ledger.dockets
    assert judged(first) == judged(second)


@settings(max_examples=600, deadline=None)
@given(told, st.data())
def test_sweeps_between_the_facts_change_nothing_in_the_end(facts, data):
    world = World()
    for fact in data.draw(st.permutations(facts)):
        world.tell(fact)
        if data.draw(st.booleans()):
            world.sweep(data.draw(instants))
    assert judged(world) == straight(facts)


@settings(max_examples=1200, deadline=None)
@given(told, st.integers(1, 60), st.booleans())
def test_a_crash_at_any_port_call_and_delivery_again_end_the_same(facts, number, after):
    left, world = iter(range(number)), World()
    gate = Gate(**{"after" if after else "before": lambda: dies(left, number)})
    for fact in facts:
        try:
            world.tell(fact, gate=gate)
        except Crash:
            world.tell(fact)
    assert judged(world) == straight(facts)


@settings(max_examples=600, deadline=None)
@given(told, st.lists(st.integers(0, 7), min_size=60, max_size=60))
def test_what_interleaves_ends_the_same(facts, choices):
    world, turns = World(), iter(choices)
    turned = Turns(lambda waiting: next(turns, 0) % waiting)
    world.ledger.pause = turned._wait  # noqa: SLF001 - the fake's own waiting point, between docket and facts
    died = turned.run([lambda gate, fact=fact: world.tell(fact, gate=gate) for fact in facts[:4]])
    world.ledger.pause = lambda: None
    assert died == []
    for fact in facts[4:]:
        world.tell(fact)
    assert judged(world) == straight(facts)


@settings(max_examples=600, deadline=None)
@given(told)
def test_no_study_that_is_served_is_lost(facts):
    """Nothing hides images: each study that stands in any fact stands in a row."""
    world = World()
    for fact in facts:
        world.tell(fact)
    shown = {uid for exam in world.ledger.standing().values() for uid in exam.study_instance_uids}
    last = {}
    for fact in sorted((f for f in facts if hasattr(f, "entry_count")), key=lambda f: f.rank):
        last[fact.study_instance_uid, fact.accession_number] = fact
    assert shown == {uid for (uid, _), fact in last.items() if fact.received.runs and not fact.withdrawn}
