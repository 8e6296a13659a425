"""Lists of exams, part by part."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.rule import BY_NAME
from chalicelib.services.list_exams import ListFlagged, ListWorklist
from tests.support.ledger_world import AFTER, HOUR, MINUTE, NOON, World, notice, study

DAY = date(2026, 11, 20)


@pytest.fixture
def world():
    world = World()
    world.tell(notice(accession_number="late", declared_instances=1))
    world.tell(study(NOON + 13 * HOUR, accession_number="late", study_instance_uid="2.1"))
    world.tell(notice(accession_number="missing"))
    world.tell(notice(accession_number="part", declared_instances=9))
    world.tell(study(NOON, accession_number="part", study_instance_uid="2.2"))
    world.tell(notice("cancelled", accession_number="cancelled"))
    world.sweep(AFTER)
    return world


def test_the_worklist_names_what_a_person_should_look_at(world):
    world.tell(study(NOON, accession_number="cancelled", study_instance_uid="9.9"))
    (exam,) = ListWorklist(world.ledger)("H1", DAY, DAY, "", 9).items
    assert (exam.key.accession, exam.worklist) == ("cancelled", ("images_of_cancelled_order",))


BARE = {"accession_number": "", "study_instance_uid": "7.7", "patient_id": "P7", "exam_ended_at": NOON}
WAITING = {"accession_number": "W1", "patient_id": "P7", "modality": "CT", "at": NOON + 2 * HOUR}


@pytest.mark.parametrize(
    ("hints", "images", "notices"),
    [
        (1, {}, [{}]),
        (1, {}, [{"at": NOON - 2 * HOUR}]),
        (0, {}, []),
        (0, {}, [{"at": NOON + 2 * HOUR + MINUTE}]),
        (0, {}, [{"modality": "MR"}]),
        (0, {}, [{"patient_id": "P8"}]),
        (0, {}, [{}, {"accession_number": "W2"}]),
        (1, {}, [{}, {"accession_number": "HAS"}]),
        (0, {"patient_id": ""}, [{"patient_id": ""}]),
        (0, {"accession_number": "own"}, [{}]),
    ],
)
def test_images_that_fit_just_one_waiting_notice_are_hinted_at_and_not_matched(world, hints, images, notices):
    world.tell(study(NOON + MINUTE, **BARE | images))
    world.tell(study(NOON, accession_number="HAS", study_instance_uid="7.8", patient_id="P7"))
    for given_notice in notices:
        world.tell(notice(**WAITING | given_notice))
    found = ListWorklist(world.ledger)("H1", DAY, DAY, "", 9).items
    assert [(exam.key.accession, exam.worklist) for exam in found] == [("7.7", ("notice_may_fit",))] * hints
    assert not any(exam.worklist for exam in world.exams())


def listed(world, first, last, limit=2):
    found, token = [], ""
    while True:
        page = ListWorklist(world.ledger)("H1", first, last, token, limit)
        assert len(page.items) <= limit
        found += [(exam.day, exam.key.accession) for exam in page.items]
        if not (token := page.next_token):
            return found


def test_the_worklist_comes_part_by_part_and_none_is_lost():
    world = World()
    for day in range(3):
        for number in range(5):
            name = {"accession_number": f"检查 {number}", "patient_id": f"P{day}"}
            at = NOON + timedelta(days=10 * day)
            world.tell(notice("cancelled", at=at, notice_id=f"{day}-{number}", **name))
            world.tell(study(at, study_instance_uid=f"1.{day}.{number}", **name))
    whole = listed(world, DAY, DAY + timedelta(days=30), 99)
    assert len(whole) == 15
    assert listed(world, DAY, DAY + timedelta(days=30)) == whole


@given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=8, unique=True))
def test_whatever_the_size_of_its_parts_the_worklist_is_the_same(limit, places):
    world = World()
    for day, number in places:
        at = NOON + timedelta(days=day)
        name = {"accession_number": f"A{day}{number}", "patient_id": f"P{number}"}
        world.tell(notice("cancelled", at=at, notice_id=f"{day}-{number}", **name))
        world.tell(study(at, study_instance_uid=f"1.{day}.{number}", **name))
    expected = sorted(((DAY + timedelta(days=day)).isoformat(), f"A{day}{number}") for day, number in places)
    assert listed(world, DAY, DAY + timedelta(days=2), limit) == expected


def test_a_hint_across_midnight_is_found_in_whatever_part(world):
    world.tell(study(NOON + 12 * HOUR + MINUTE, **BARE | {"exam_ended_at": NOON + 12 * HOUR}))
    world.tell(notice(**WAITING | {"at": NOON + 11 * HOUR}))
    tomorrow = DAY + timedelta(days=1)
    assert listed(world, tomorrow, tomorrow) == [("2026-11-21", "7.7")]


def test_a_part_of_the_worklist_ends_when_it_has_read_enough(world):
    world.tell(study(NOON, accession_number="cancelled", study_instance_uid="9.9"))
    first = ListWorklist(world.ledger, most=1)("H1", DAY - timedelta(days=2), DAY, "", 9)
    assert (first.items, bool(first.next_token)) == ((), True)
    rest = ListWorklist(world.ledger)("H1", DAY - timedelta(days=2), DAY, first.next_token, 9)
    assert [exam.key.accession for exam in rest.items] == ["cancelled"]


def test_all_exams_behind_a_flag_are_listed(world):
    found, token = [], ""
    while True:
        page = ListFlagged(world.ledger)("H1", "2026-11-20", BY_NAME["missed_deadline"], token, 2)
        found += page.items
        if not (token := page.next_token):
            break
    assert tuple(found) == world.flag().behind.exams
    assert ListFlagged(world.ledger)("H1", "2026-11-20", BY_NAME["long_delay"], "", 99).items == ()
