"""Every kind of exam that a sweep must tell apart, in one ledger at once: as the fakes keep it and as AWS does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.outage import Outage
from chalicelib.domain.study import Hospital
from chalicelib.store.days import DynamoDays, DynamoWarnings
from chalicelib.store.exams import DynamoExams
from chalicelib.store.flags import DynamoFlags
from chalicelib.store.outages import DynamoExcuses, DynamoOutages
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import GRACE, HOUR, MINUTE, NOON, World, notice, study

DUE = NOON + 12 * HOUR
AFTER = DUE + GRACE
DAY, NEXT, BEFORE = "2026-11-20", "2026-11-21", "2026-11-19"
YEARS = timedelta(days=800)
WEST, OUT = "WEST", "OUT"  # two hours behind; with an outage

FACTS = [
    ("H1", notice(accession_number="on_time", declared_instances=2)),
    ("H1", study((NOON + HOUR, 2), accession_number="on_time", study_instance_uid="1.1")),
    ("H1", notice(accession_number="late", declared_instances=1)),
    ("H1", study(DUE + MINUTE, accession_number="late", study_instance_uid="1.2")),
    ("H1", notice(accession_number="partial", declared_instances=9)),
    ("H1", study((NOON, 8), accession_number="partial", study_instance_uid="1.3")),
    ("H1", notice(accession_number="never")),
    ("H1", notice(accession_number="cancelled")),
    ("H1", notice("cancelled", accession_number="cancelled", sent_at=NOON + HOUR)),
    ("H1", study((NOON, 3), accession_number="study first", study_instance_uid="1.4", exam_ended_at=NOON - HOUR)),
    ("H1", notice(accession_number="study first", declared_instances=3, sent_at=NOON + HOUR)),
    ("H1", notice(at=NOON - YEARS, accession_number="used again", patient_id="P7", declared_instances=1)),
    ("H1", study(NOON - YEARS, accession_number="used again", study_instance_uid="1.5", patient_id="P7")),
    ("H1", notice(accession_number="used again", notice_id="second use")),
    ("H1", study(NOON, accession_number="taken over", study_instance_uid="1.6", exam_ended_at=NOON - YEARS)),
    ("H1", study(NOON + HOUR, accession_number="", study_instance_uid="1.7")),
    ("H1", notice(accession_number="named", study_instance_uid="1.7")),
    ("H1", notice(at=NOON + 12 * HOUR, accession_number="after midnight")),
    ("H1", notice(at=NOON + 12 * HOUR - MINUTE, accession_number="before midnight")),
    (WEST, notice(at=NOON + 12 * HOUR, accession_number="before its midnight")),
    (WEST, notice(at=NOON - 11 * HOUR, accession_number="the day before there")),
    (OUT, notice(accession_number="excused")),
]
STANDINGS = {
    ("H1", DAY): {
        "on_time": "on_time",
        "late": "late",
        "partial": "partial",
        "never": "missing",
        "cancelled": "cancelled",
        "study first": "on_time",
        "used again": "missing",
        "taken over": "imported",
        "named": "on_time",
        "before midnight": "missing",
    },
    ("H1", NEXT): {"after midnight": "missing"},
    ("H1", (NOON - YEARS).date().isoformat()): {"used again": "on_time"},
    (WEST, DAY): {"before its midnight": "missing"},
    (WEST, BEFORE): {"the day before there": "missing"},
    (OUT, DAY): {"excused": "excused"},
}
FLAGS = {
    ("H1", DAY): {"late": 1, "partial": 1, "missing": 3},
    ("H1", NEXT): {"missing": 1},
    (WEST, DAY): {"missing": 1},
    (WEST, BEFORE): {"missing": 1},
}


@pytest.fixture(params=["fakes", "aws"])
def world(request):
    zones = {"H1": 480, WEST: 360, OUT: 480}
    hospitals = FakeHospitals(*(Hospital(name, name, utc_offset_minutes=zone) for name, zone in zones.items()))
    if request.param == "fakes":
        return World(hospitals=hospitals)
    cloud = request.getfixturevalue("cloud")
    client, table = cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"]
    stores = {"ledger": DynamoExams, "excuses": DynamoExcuses, "flags": DynamoFlags}
    stores |= {"days": DynamoDays, "outages": DynamoOutages, "warnings": DynamoWarnings}
    return World(**{name: store(client, table) for name, store in stores.items()}, hospitals=hospitals)


def tell_all(world):
    world.excuse(NOON + HOUR, NOON + 2 * HOUR, hospital=OUT)
    for hospital, fact in FACTS:
        world.tell(fact, hospital)


def rows(world):
    return {place: world.exams(place[1], place[0]) for place in STANDINGS}


def flags(world):
    return {(flag.hospital_id, flag.day): flag for flag in world.flags.open("", 99).items}


def test_a_sweep_flags_exactly_the_right_ones_and_a_second_changes_nothing(world):
    tell_all(world)
    assert flags(world) == {}
    swept = world.sweep(AFTER + 12 * HOUR)
    assert (swept.faults, swept.more, swept.messages) == (0, False, len(FLAGS))
    found = rows(world)
    assert {place: {exam.key.accession: exam.standing for exam in at} for place, at in found.items()} == STANDINGS
    raised = flags(world)
    assert {place: flag.figures for place, flag in raised.items()} == FLAGS
    again = world.sweep(AFTER + 13 * HOUR)
    assert (again.judged, again.messages) == (0, 0)
    assert (rows(world), flags(world)) == (found, raised)
    assert [flag.revision for flag in flags(world).values()] == [flag.revision for flag in raised.values()]
    assert len(world.topic.messages) == len(FLAGS)


def test_what_changes_afterwards_leaves_the_right_flags(world):
    tell_all(world)
    world.sweep(AFTER + 12 * HOUR)
    later = AFTER + 13 * HOUR
    world.tell(study(later, accession_number="never", study_instance_uid="2.1"), "H1")
    world.tell(notice("cancelled", accession_number="after midnight", sent_at=later), "H1")
    world.excuse(NOON + 20 * HOUR, NOON + 21 * HOUR, hospital=WEST)
    assert world.sweep(later + HOUR).messages == 0
    left = FLAGS | {("H1", DAY): {"late": 2, "partial": 1, "missing": 2}}
    del left["H1", NEXT], left[WEST, DAY]
    assert {place: flag.figures for place, flag in flags(world).items()} == left


def many(world):
    """A day of each kind that is judged as a whole: shares at SHARE, silence at SILENT, a region's outage at CUT."""
    for hospital in ("SHARE", "CUT"):
        for number in range(20):
            name = {"accession_number": f"A{number}"}
            world.tell(notice(declared_instances=1, **name), hospital)
            if number < 15:
                world.tell(study(NOON + HOUR, study_instance_uid=f"1.{number}", **name), hospital)
    world.tell(study(DUE + 24 * HOUR, accession_number="A19", study_instance_uid="1.19"), "SHARE")
    world.tell(notice(at=NOON + 36 * HOUR, accession_number="soon"), "SHARE")


def test_days_shares_silence_outages_and_warnings_end_as_they_must(world):
    known = {"SHARE": "north", "CUT": "south", "SILENT": "north"}
    for name, region in known.items():
        world.hospitals.put(Hospital(name, name, region=region, weekday_volume=(0, 0, 0, 0, 30, 0, 0)))
    world.sweep(NOON - 8 * HOUR)
    many(world)
    over = NOON + 24 * HOUR + GRACE
    world.sweep(over)
    figures = {"due": 20, "on_time": 15, "percent": 75}
    missed = {"missed_deadline": {"late": 1, "missing": 4}, "low_rate": figures}
    late = {"late": 1, "longest_minutes_after_due": 24 * 60}
    assert told_of(world, "SHARE") == missed | {"long_delay": late}
    assert told_of(world, "CUT") == {"missed_deadline": {"missing": 5}, "low_rate": figures}
    assert told_of(world, "SILENT") == {"silent": {"exams": 0, "usual": 30}}
    world.accept(Outage("region", "south", NOON, NOON + HOUR, "停电", "r", over))
    world.sweep(over + HOUR)
    assert told_of(world, "CUT") == {}
    assert world.warned.messages == []
    world.sweep(NOON + 46 * HOUR)
    assert [body["hospital_id"] for _, body in world.warned.messages] == ["SHARE"]
    again = world.sweep(NOON + 46 * HOUR + MINUTE)
    assert (again.judged, again.days, again.excuses, again.warned, again.faults) == (0, 0, 0, 0, 0)


def told_of(world, hospital):
    found = world.flags.of_hospital(hospital, DAY, DAY)
    return {flag.rule: flag.figures for flag in found if flag.is_open}
