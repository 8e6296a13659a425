"""Reports of days, weeks and months: what they say is what the ledger's rows say, however they come about."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.compliance import COUNTS, figures
from chalicelib.domain.compliance_report import MEASURES, region_file
from chalicelib.domain.period import Period
from chalicelib.domain.study import Hospital
from tests.support.ledger_world import HOUR, NOON, study
from tests.support.reported import (
    FRIDAY,
    KNOWN,
    MADE,
    PERIODS,
    opened,
    plainly,
    put_exam,
    read,
    rows_of,
    told,
    world_of,
)

moments = st.integers(0, 16 * 24 * 60).map(lambda minutes: NOON - timedelta(days=6) + timedelta(minutes=minutes))
delays = st.none() | st.integers(0, 12 * 60 + 30) | st.integers(0, 4000)
ledgers = st.lists(st.tuples(st.sampled_from(KNOWN), moments, delays), max_size=14)


@settings(max_examples=40, deadline=None)
@given(ledgers, st.data())
def test_the_sums_of_hospitals_regions_and_days_are_what_the_rows_say(ledger, data):
    """Whenever the sweeps and reports ran between, and however late images came."""
    world = world_of(*KNOWN)
    for number, (hospital, ended_at, delay) in enumerate(ledger):
        put_exam(world, hospital.hospital_id, number, ended_at, delay)
        if data.draw(st.integers(0, 3)) == 0:
            world.sweep(data.draw(moments))
        if data.draw(st.integers(0, 5)) == 0:
            at = data.draw(moments)
            world.report((at - timedelta(days=1)).date(), at)
    world.sweep(MADE)
    for day in (FRIDAY, date(2026, 11, 22), date(2026, 11, 29), date(2026, 11, 30)):
        assert world.report(day, MADE)
    for period in (*PERIODS, "2026-W48"):
        whole = read(world, period)
        assert told(whole) == plainly(rows_of(world, period, KNOWN))
        for row in whole["hospitals"]:
            own = read(world, period, row["hospital_id"])
            assert told(own) == plainly(rows_of(world, period, [Hospital(row["hospital_id"], "")]))
            assert {name: own[name] for name in row} == row
        for row in whole["regions"]:
            own = read(world, period, region_file(row["region"]))
            inside = [one for one in KNOWN if (one.region or "-") == row["region"]]
            assert told(own) == plainly(rows_of(world, period, inside))
            assert own["hospitals"] == [one for one in whole["hospitals"] if one["region"] == row["region"]]
        for name in COUNTS:
            assert whole[name] == sum(row[name] for row in whole["hospitals"])
            assert whole[name] == sum(row[name] for row in whole["regions"])
            assert whole[name] == sum(row[name] for row in whole["days"])


@pytest.fixture
def world():
    world = opened()
    world.sweep(NOON + 36 * HOUR)
    return world


def test_a_run_makes_the_day_its_week_and_its_month_of_everyone(world):
    assert world.report(FRIDAY, NOON + 26 * HOUR) == ("2026-11-20", "2026-W47", "2026-11")
    names = ("H1", "H2", "H3", "H4"), ("province", *map(region_file, ("苏南", "苏北", "-")))
    kinds = ("csv", "json"), ("csv", "html", "json")
    files = [f"{name}.{kind}" for some, of in zip(names, kinds, strict=True) for name in some for kind in of]
    assert sorted(world.reports.files) == sorted(f"compliance/{period}/{file}" for period in PERIODS for file in files)
    assert world.owed.owed() == []
    month = read(world, "2026-11")
    assert (month["first_day"], month["last_day"], month["kind"]) == ("2026-11-01", "2026-11-20", "month")
    assert [day["due"] for day in month["days"]] == [0] * 19 + [8]


def test_figures_come_from_what_was_kept_and_no_exam_is_read(world):
    world.ledger.reads.clear()
    world.making()(Period.of("2026-11-20"), NOON + 26 * HOUR)
    assert world.ledger.reads["of_day"] == 0
    assert read(world, "2026-11-20")["due"] == 8


def test_days_that_nobody_looked_at_are_read_once_and_kept_from_then_on():
    world = opened()
    world.report(FRIDAY, MADE)
    assert world.figures.between("H1", "2026-11-20", "2026-11-20")
    world.ledger.reads.clear()
    world.report(FRIDAY, MADE)
    assert world.ledger.reads["of_day"] == 0


def test_a_day_that_a_sweep_may_yet_judge_is_read_but_not_kept():
    world = opened()
    world.report(FRIDAY, NOON + 26 * HOUR)
    assert not world.figures.between("H1", "2026-11-20", "2026-11-20")
    assert not world.days.get("H1", "2026-11-20").closed


def test_late_images_make_a_days_reports_owed_again_with_its_week_and_month(world):
    world.report(FRIDAY, NOON + 26 * HOUR)
    world.tell(study(NOON + 72 * HOUR, accession_number="H2-9", study_instance_uid="1.2.9"), "H2")
    world.sweep(NOON + 73 * HOUR)
    assert "2026-11-20" in dict(world.owed.owed())
    made = world.report(FRIDAY + timedelta(days=3), NOON + 98 * HOUR)
    assert made == ("2026-11-23", "2026-11-22", "2026-11-20", "2026-W48", "2026-W47", "2026-11")
    for period in PERIODS:
        assert (read(world, period)["late"], read(world, period)["missing"]) == (2, 1)


def test_figures_seen_earlier_do_not_replace_later_ones(world):
    later, (_, seen) = figures(world.exams(hospital="H2")), world.figures.held["H1"]["2026-11-20"]
    world.figures.put("H1", "2026-11-20", later, seen - 1)
    assert world.figures.between("H1", "2026-11-20", "2026-11-20")["2026-11-20"] == figures(world.exams())


def test_a_run_out_of_time_says_so_and_the_next_one_goes_on(world):
    looks = iter([True])
    assert world.report(FRIDAY, MADE, keep_going=lambda: next(looks, False)) is None
    assert [period for period, _ in world.owed.owed()] == ["2026-11", "2026-W47"]
    again = world.report(FRIDAY + timedelta(days=1), MADE)
    assert set(again) == {"2026-11-21", "2026-W47", "2026-11"}


def test_a_period_that_cannot_be_made_keeps_no_other_from_it_and_stays_owed(world):
    from chalicelib.services.report_compliance import ReportCompliance

    making = world.making()

    def faulty(period, now):
        return making(period, now) if period.name != "2026-11-19" else 1 // 0

    world.owed.owe("2026-11-19", "late")
    with pytest.raises(ZeroDivisionError):
        ReportCompliance(world.owed, faulty)(FRIDAY, MADE, lambda: True)
    assert [period for period, _ in world.owed.owed()] == ["2026-11-19"]
    for period in PERIODS:
        assert read(world, period)["due"] == 8
    assert world.report(FRIDAY, MADE) == (*PERIODS[:1], "2026-11-19", *PERIODS[1:])


def test_the_best_share_on_time_ranks_first_and_equal_shares_alike(world):
    world.report(FRIDAY, MADE)
    whole = read(world, "2026-11-20")
    ranks = {row["hospital_id"]: (row["rank"], row["ranked"]) for row in whole["hospitals"]}
    assert ranks == {"H4": (1, 3), "H1": (2, 3), "H2": (3, 3), "H3": ("", 3)}
    assert {row["region"]: row["rank"] for row in whole["regions"]} == {"苏南": 1, "苏北": 2, "-": ""}
    assert read(world, "2026-11-20", "H1")["rank"] == 2


def test_the_trend_is_what_the_periods_before_were_reported_as(world):
    for day in (FRIDAY - timedelta(days=2), FRIDAY - timedelta(days=1), FRIDAY):
        put_exam(world, "H1", day.isoformat().replace("-", ""), NOON - (FRIDAY - day), 15)
    world.sweep(MADE)
    for day in (FRIDAY - timedelta(days=2), FRIDAY - timedelta(days=1), FRIDAY):
        world.report(day, MADE)
    for name in ("H1", "province", region_file("苏南")):
        trend = read(world, "2026-11-20", name)["trend"]
        before = [read(world, one, name) for one in ("2026-11-18", "2026-11-19")]
        assert trend == [{field: one[field] for field in ("period", *MEASURES)} for one in before]
        assert [one["due"] for one in trend] == [1, 1]


def test_a_report_from_before_there_were_regions_is_left_out_of_a_trend(world):
    old = {"day": "2026-11-19", "due": 1, "hospitals": [{"hospital_id": "H1", "due": 1}]}
    world.reports.put("compliance/2026-11-19/province.json", json.dumps(old).encode(), "application/json")
    world.report(FRIDAY, MADE)
    assert read(world, "2026-11-20")["trend"] == []


def test_a_hospital_is_told_its_flags_and_its_regions_and_provinces_figures_and_no_other_hospitals(world):
    world.report(FRIDAY, MADE)
    own = read(world, "2026-11-20", "H1")
    assert [flag["rule"] for flag in own["flags"]] == ["missed_deadline"]
    assert [exam["accession"] for exam in own["flags"][0]["exams"]] == ["H1-4", "H1-5"]
    assert own["open_by_rule"] == {"missed_deadline": 1}
    assert (own["peers"]["province"]["due"], own["peers"]["region"]["due"]) == (8, 7)
    assert "H4" not in json.dumps(own)
    (of_month,) = read(world, "2026-11", "H1")["flags"]
    assert (of_month["exams"], of_month["exams_total"]) == ([], 2)
    whole = read(world, "2026-11-20")
    assert (whole["open_flags"], whole["open_by_rule"]) == (2, {"missed_deadline": 2})


def test_the_csv_opens_in_a_spreadsheet_with_chinese_and_runs_no_formula(world):
    world.report(FRIDAY, MADE)
    body = world.reports.files["compliance/2026-W47/province.csv"]
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == [
        "江北医院",
        "'=湖滨医院",
        "山中医院",
        "江南医院",
        "'-",
        "苏北",
        "苏南",
        "全省",
    ]
    assert [row["scope"] for row in rows] == ["hospital"] * 4 + ["region"] * 3 + ["province"]
    assert [row["missing"] for row in rows] == ["1", "1", "0", "0", "0", "1", "1", "2"]
    assert (rows[0]["rate"], rows[0]["delay_p90_minutes"]) == ("0.6667", "780")


def test_the_same_figures_made_at_one_instant_are_the_same_bytes(world):
    world.report(FRIDAY, MADE)
    before = dict(world.reports.files)
    world.report(FRIDAY, MADE, workers=8)
    assert world.reports.files == before


def test_a_month_of_all_hospitals_costs_two_reads_and_two_writes_each():
    world = world_of(*(Hospital(f"H{place:04d}", f"医院{place}", region=f"市{place % 13}") for place in range(2100)))
    for hospital in world.hospitals.list():
        for number in range(1, 29):
            world.figures.put(hospital.hospital_id, f"2026-11-{number:02d}", figures([]), 1)
    asked = Counter()
    for port, name in ((world.figures, "between"), (world.flags, "of_hospital"), (world.reports, "put")):
        setattr(port, name, counting(asked, name, getattr(port, name)))
    world.hospitals.get = lambda hospital_id: 1 // 0  # the list has told all of them
    assert world.making()(Period.of("2026-11"), NOON + timedelta(days=8, hours=26))
    assert asked == {"between": 2100, "of_hospital": 2100, "put": 2 * 2100 + 3 * (13 + 1)}
    assert world.ledger.reads["of_day"] == 0
    body = world.reports.files["compliance/2026-11/province.json"]
    assert len(body) < 4_000_000  # a function's answer holds 6 MB


def counting(asked, name, call):
    def counted(*given):
        asked[name] += 1
        return call(*given)

    return counted
