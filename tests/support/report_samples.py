"""Reports to look at: names that are long, or programs; a large hospital, an idle one, one without a region."""

from __future__ import annotations

import json
import random
from collections import Counter

from chalicelib.domain.compliance import Figures
from chalicelib.domain.compliance_report import PeriodReports
from chalicelib.domain.period import Period
from chalicelib.domain.study import Hospital
from chalicelib.services.read_compliance import json_bytes
from tests.support.ledger_world import NOON

REGIONS = ("南京", "连云港", "苏州")
NAME = '市第一人民医院</script><img src="https://example.org/x">（含东院区）'
FLAGS = [
    {"rule": rule, "state": state, "day": f"2026-11-{day}", "exams_total": 1200 + day, "exams": []}
    for day, (rule, state) in enumerate(
        (("missed_deadline", "raised"), ("low_rate", "closed"), ("silent", "explained")), 10
    )
]


def made(name, hospitals, until, *, trend=True):
    """Reports of a period by file."""
    chance, period = random.Random(7), Period.of(name)  # noqa: S311 - figures, no secrets
    days = period.days(until or period.last)
    before = (
        [as_json(made(one.name, hospitals, None, trend=False)["province"]) for one in period.before()[-4:]]
        if trend
        else []
    )
    building = PeriodReports(period, days, NOON, before)
    for number in range(hospitals):
        known = Hospital(
            f"H{number:04d}",
            NAME if number == 1 else f"第{number}医院",
            "" if number % 3 else f"Hospital {number}",
            "三甲",
            REGIONS[number % 3] if number else "",
        )
        figures = {} if number == 3 else {day: _figures(chance, 900 if number == 2 else 30) for day in days}
        building.add(known, figures, FLAGS if number == 2 else ())
    return {report.file: report.values for report in building.reports()}


def _figures(chance, size):
    late, partial, missing = (chance.randrange(size // 10) for _ in range(3))
    delays = Counter(chance.randrange(720) for _ in range(size)) + Counter(
        720 + chance.randrange(9000) for _ in range(late)
    )
    sums = {
        "due": size + late + partial + missing,
        "on_time": size,
        "late": late,
        "partial": partial,
        "missing": missing,
    }
    return Figures(**sums, delays=tuple(sorted(delays.items())))


def as_json(values):
    return json.loads(json_bytes(values))
