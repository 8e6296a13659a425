from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.compliance import figures, percentile, total
from chalicelib.domain.exam import Excuse
from chalicelib.domain.outage import BadExcuse
from chalicelib.domain.study import Hospital
from chalicelib.services.list_exams import ListWorklist
from chalicelib.services.read_compliance import ReadCompliance, TooManyDays, csv_bytes
from chalicelib.services.report_compliance import ReportCompliance
from tests.support.fakes_ledger import FakeReports
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import AFTER, HOUR, MINUTE, NOON, World, notice, study

DAY = date(2026, 11, 20)


class Hospitals(FakeHospitals):
    def list(self):
        return tuple(self.known.values())


@pytest.fixture
def world():
    world = World(hospitals=Hospitals(Hospital("H2", "=湖滨医院"), Hospital("H1", "江北医院")))
    for number, minutes in enumerate((10, 20, 30, 40), start=1):
        name = {"accession_number": f"ok{number}"}
        world.tell(notice(declared_instances=1, **name))
        world.tell(study(NOON + minutes * MINUTE, study_instance_uid=f"1.{number}", **name))
    world.tell(notice(accession_number="late", declared_instances=1))
    world.tell(study(NOON + 13 * HOUR, accession_number="late", study_instance_uid="2.1"))
    world.tell(notice(accession_number="missing"))
    world.tell(notice(accession_number="part", declared_instances=9))
    world.tell(study(NOON, accession_number="part", study_instance_uid="2.2"))
    world.tell(notice("cancelled", accession_number="cancelled"))
    world.tell(notice("scheduled", accession_number="ordered"))
    world.tell(study(NOON, accession_number="old", study_instance_uid="2.3", exam_ended_at=NOON - timedelta(days=99)))
    world.sweep(AFTER)
    world.tell(notice(at=NOON + 11 * HOUR, accession_number="fresh"))
    world.tell(notice(at=NOON + HOUR, accession_number="H2-1"), hospital="H2")
    world.excuse(NOON + HOUR, NOON + 2 * HOUR, hospital="H2")
    world.sweep(AFTER + HOUR)
    return world


def read(world):
    return ReadCompliance(world.ledger, world.flags, world.hospitals)


def report(world, workers=1):
    reports = FakeReports()
    assert ReportCompliance(read(world), world.hospitals, reports, workers)(DAY, AFTER, lambda: True)
    return reports.files


def test_a_hospitals_day_in_figures_and_flags(world):
    (day,) = read(world)("H1", DAY, DAY)
    row = day.row()
    counts = {"due": 7, "on_time": 4, "late": 1, "partial": 1, "missing": 1}
    beside = {"excused": 0, "cancelled": 1, "scheduled": 1, "pending": 1, "imported": 1}
    delays = {"delay_p50_minutes": 30, "delay_p90_minutes": 780, "delay_p99_minutes": 780}
    assert (
        row
        == {"hospital_id": "H1", "name": "江北医院", "day": "2026-11-20", "rate": "0.5714"} | counts | beside | delays
    )
    (flag,) = day.answer()["flags"]
    assert flag["figures"] == {"late": 1, "missing": 1, "partial": 1}
    assert [exam["accession"] for exam in flag["exams"]] == ["late", "missing", "part"]


def test_an_excused_hospital_has_nothing_due(world):
    (day,) = read(world)("H2", DAY, DAY)
    assert (day.figures.excused, day.figures.due, day.row()["rate"], day.row()["delay_p50_minutes"]) == (1, 0, "", "")
    assert day.flags == ()


def test_days_without_exams_are_answered_too_and_too_many_are_refused(world):
    days = read(world)("H1", DAY - timedelta(days=1), DAY + timedelta(days=1))
    assert [(day.day, day.figures.due) for day in days] == [("2026-11-19", 0), ("2026-11-20", 7), ("2026-11-21", 0)]
    for first, last in ((DAY, DAY - timedelta(days=1)), (DAY, DAY + timedelta(days=400))):
        with pytest.raises(TooManyDays):
            read(world)("H1", first, last)
        with pytest.raises(TooManyDays):
            ListWorklist(world.ledger)("H1", first, last, "", 9)


def test_the_reports_of_a_day_are_the_same_bytes_each_time_and_sum_to_the_ledger(world):
    files = report(world)
    assert files == report(world)
    assert sorted(files) == [
        f"compliance/2026-11-20/{name}.{kind}" for name in ("H1", "H2", "province") for kind in ("csv", "json")
    ]
    province = json.loads(files["compliance/2026-11-20/province.json"])
    rows = [exam for hospital in ("H1", "H2") for exam in world.exams(hospital=hospital)]
    counted = figures(rows)
    assert (province["due"], province["late"], province["excused"]) == (counted.due, counted.late, counted.excused)
    assert province["delay_p90_minutes"] == counted.delay(90)
    own = json.loads(files["compliance/2026-11-20/H1.json"])
    flags = [{name: flag[name] for name in flag if name != "exams"} for flag in own["flags"]]
    assert province["hospitals"][0] == own | {"flags": flags}
    assert sum(hospital["due"] for hospital in province["hospitals"]) == province["due"]


def test_the_csv_opens_in_a_spreadsheet_with_chinese_and_runs_no_formula(world):
    body = report(world)["compliance/2026-11-20/province.csv"]
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == ["江北医院", "'=湖滨医院", "全省 Province"]
    assert rows[0]["missing"] == "1"
    assert csv_bytes([]).count(b"\r\n") == 1


def test_a_report_that_runs_out_of_time_says_so(world):
    reports = FakeReports()
    assert not ReportCompliance(read(world), world.hospitals, reports)(DAY, AFTER, lambda: False)
    assert not any("province" in name for name in reports.files)


def many(number):
    known = [Hospital(f"H{place:04d}", f"医院{place}") for place in range(number)]
    world = World(hospitals=Hospitals(*known))
    for place in range(0, number, 7):
        world.tell(notice(accession_number=f"A{place}"), hospital=known[place].hospital_id)
    world.sweep(AFTER)
    return world


def cut_short(world, reports, *, after, now=AFTER):
    """A run that has time for so many batches."""
    looks = iter([True] * after)
    return ReportCompliance(read(world), world.hospitals, reports, workers=1)(DAY, now, lambda: next(looks, False))


def test_a_report_that_ran_out_of_time_is_gone_on_with_and_ends_in_the_same_files():
    world, reports = many(300), FakeReports()
    whole = report(world)
    assert whole == report(world, workers=8)
    assert not cut_short(world, reports, after=2)
    assert not cut_short(world, reports, after=1)
    world.ledger.reads.clear()
    assert cut_short(world, reports, after=99)
    assert world.ledger.reads["of_day"] == 300 - 3 * 64  # what was done is not read again
    assert {name: body for name, body in reports.files.items() if "unfinished" not in name} == whole
    world.ledger.reads.clear()
    assert cut_short(world, reports, after=99)
    assert world.ledger.reads["of_day"] == 300  # and what was finished is not taken for unfinished


@pytest.mark.parametrize("later", [timedelta(hours=1, seconds=1), timedelta(hours=-1)])
def test_old_figures_are_not_put_together_with_new_ones(later):
    world, reports = many(100), FakeReports()
    assert not cut_short(world, reports, after=1)
    world.ledger.reads.clear()
    assert cut_short(world, reports, after=99, now=AFTER + later)
    assert world.ledger.reads["of_day"] == 100


def test_reports_of_all_hospitals_of_the_province_cost_two_reads_and_two_writes_each():
    world = many(1578)
    world.hospitals.get = lambda hospital_id: 1 // 0  # the list has told the names
    asked = []
    of_hospital = world.flags.of_hospital
    world.flags.of_hospital = lambda *span: asked.append(span) or of_hospital(*span)
    world.ledger.reads.clear()
    files = report(world)
    assert (len(files), len(asked), world.ledger.reads["of_day"]) == (2 * 1579, 1578, 1578)
    assert json.loads(files["compliance/2026-11-20/province.json"])["missing"] == 226


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("to", {"to_at": NOON}),
        ("to", {"to_at": NOON + timedelta(days=32)}),
        ("from", {"made_at": NOON - HOUR}),
        ("reason", {"reason": " "}),
        ("reason", {"reason": "x" * 501}),
    ],
)
def test_an_excuse_that_says_nothing_sensible_is_refused(field, changes):
    given = {"from_at": NOON, "to_at": NOON + HOUR, "reason": "停电", "made_by": "r", "made_at": NOON} | changes
    with pytest.raises(BadExcuse) as bad:
        World().tell(Excuse("H1", **given))
    assert bad.value.field == field


@given(st.lists(st.integers(0, 10_000), min_size=1), st.sampled_from([50, 90, 99]))
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(values, percent):
    values.sort()
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_the_provinces_report_fits_an_answer_on_the_worst_of_days():
    """A function's answer holds 6 MB: 2,100 hospitals that miss everything must still be told of."""
    world = many(20)
    for number in range(400):
        world.tell(notice(accession_number=f"accession-number-{number}"), hospital="H0001")
    world.sweep(AFTER)
    files = report(world)
    assert len(files["compliance/2026-11-20/H0001.json"]) > 50_000
    assert len(files["compliance/2026-11-20/province.json"]) < 20 * 4_000_000 / 2100


def test_totals_take_percentiles_of_all_exams(world):
    one, other = figures(world.exams()), figures(world.exams(hospital="H2"))
    assert total([one, other]).delays == one.delays + other.delays
    assert percentile((), 50) is None
