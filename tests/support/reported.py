"""A few hospitals with exams, their reports, and what the rows say of them in plain lines."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta

from chalicelib.domain.compliance import COUNTS
from chalicelib.domain.hospital_day import DayMark, over_at
from chalicelib.domain.period import Period
from chalicelib.domain.study import Hospital
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import NOON, World, notice, study

FRIDAY = date(2026, 11, 20)
MADE = NOON + timedelta(days=12)  # 2 December
PERIODS = ("2026-11-20", "2026-W47", "2026-11")
KNOWN = (
    Hospital("H1", "江北医院", "Jiangbei", region="苏南", level="3A"),
    Hospital("H2", "=湖滨医院", region="苏北"),
    Hospital("H3", "山中医院"),
    Hospital("H4", "江南医院", region="苏南"),
)


class Hospitals(FakeHospitals):
    def list(self):
        return tuple(self.known.values())


def world_of(*known):
    return World(hospitals=Hospitals(*known))


def put_exam(world, hospital, number, ended_at, delay):
    """An exam that was complete after so many minutes; None: never."""
    name = f"{hospital}-{number}"
    world.tell(notice(at=ended_at, accession_number=name, declared_instances=1), hospital)
    if delay is not None:
        arrived = ended_at + timedelta(minutes=delay)
        world.tell(study(arrived, accession_number=name, study_instance_uid=f"1.{hospital[1:]}.{number}"), hospital)


def read(world, period, name="province"):
    return json.loads(world.reports.files[f"compliance/{period}/{name}.json"])


def rows_of(world, period, hospitals):
    one = Period.of(period)
    days = one.days(one.last)
    return [exam for hospital in hospitals for day in days for exam in world.exams(day, hospital.hospital_id)]


def told(values):
    return {name: values[name] for name in COUNTS}, [tuple(pair) for pair in values["delays"]]


def plainly(exams):
    """Counts and delays of rows, without the reports' own code."""
    stand = Counter(exam.standing for exam in exams)
    counts = {name: stand[name] for name in COUNTS if name != "due"}
    delays = Counter(
        int((exam.completed_at - exam.ended_at).total_seconds() // 60)
        for exam in exams
        if exam.standing in ("on_time", "late")
    )
    due = sum(stand[name] for name in ("on_time", "late", "partial", "missing"))
    return counts | {"due": due}, sorted(delays.items())


def opened():
    world = world_of(*KNOWN)
    for hospital in KNOWN:
        world.days.put(DayMark(hospital.hospital_id, "2026-11-20", over_at("2026-11-20", NOON.tzinfo), watched=True))
    for number, delay in enumerate((10, 20, 30, 40, 13 * 60, None)):
        put_exam(world, "H1", number, NOON, delay)
    put_exam(world, "H4", 9, NOON, 5)
    put_exam(world, "H2", 9, NOON, None)
    return world
