"""The reports of days, weeks and months: every hospital's, every region's, the province's.

They are made from figures that each hospital's day was brought to when it was over (`KeepFigures`), never from exams.
A hospital and period cost two queries and two PUTs, which wait more than they work: they are done side by side. A month
of 2,100 hospitals at 20 ms a query and 50 ms a PUT is under a minute. What is owed is kept apart, period by period,
until it is made: where time runs out, the next run goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TypeVar

from chalicelib.domain.compliance import Figures
from chalicelib.domain.compliance_report import COLUMNS, PROVINCE, PeriodReports, Report, Values
from chalicelib.domain.period import Period, month_of, week_of
from chalicelib.domain.study import Hospital
from chalicelib.services.faults import note
from chalicelib.services.find_figures import FindFigures
from chalicelib.services.ledger_ports import ComplianceReports, Flags, OwedReports, ReportPage
from chalicelib.services.ports import Hospitals
from chalicelib.services.read_compliance import csv_bytes, flag_answer, json_bytes
from chalicelib.services.show_report import CSV, HTML, JSON, file_name

BATCH = 256
PROVINCE_ZONE = timedelta(hours=8)  # a day of the reports is a day in the province
KINDS = ("day", "week", "month")


One = TypeVar("One")
Done = TypeVar("Done")


@dataclass(frozen=True)
class ReportCompliance:
    """Make what is owed."""

    owed: OwedReports
    make: MakeReports

    def __call__(self, day: date, now: datetime, keep_going: Callable[[], bool]) -> tuple[str, ...] | None:
        """The periods that were made: those of this day, and those that somebody's late images changed. None when time
        ran out: run it again. A period that cannot be made keeps no other from it: the first fault is raised when all
        are done, and what it struck stays owed."""
        self.owed.owe(day.isoformat(), now.isoformat())
        made: list[str] = []
        struck: dict[str, Exception] = {}
        while owed := self._next(struck):
            if not keep_going():
                return None
            period, token = owed
            try:
                made += [period.name] if self._settle(period, token, now) else []
            except Exception as fault:  # noqa: BLE001 - whatever it was: it is raised below
                note(fault)
                struck[period.name] = fault
        for first in struck.values():
            raise first
        return tuple(made)

    def _next(self, struck: Collection[str]) -> tuple[Period, str] | None:
        """Days first, for they make their weeks and months owed; the latest first."""
        owed = [(Period.of(name), token) for name, token in self.owed.owed() if name not in struck]
        owed.sort(key=lambda one: (-KINDS.index(one[0].kind), one[0].first))
        return owed[-1] if owed else None

    def _settle(self, period: Period, token: str, now: datetime) -> bool:
        made = self.make(period, now)
        if period.kind == "day":  # before the day is settled, so that a crash between forgets nothing
            for wider in (week_of(period.first), month_of(period.first)):
                self.owed.owe(wider.name, f"{period.name}#{now.isoformat()}")
        self.owed.made(period.name, token)
        return made


@dataclass(frozen=True)
class MakeReports:
    """`compliance/{period}/{hospital}`, `…/region/{region}` and `…/province`, each as `.csv` and `.json`, the last
    two as `.html` too; a hospital's page is made when it is asked for. The province's comes last."""

    find: FindFigures
    flags: Flags
    hospitals: Hospitals
    reports: ComplianceReports
    page: ReportPage
    workers: int = 8

    def __call__(self, period: Period, now: datetime) -> bool:
        """False: none of the period's days is over."""
        yesterday = (now.astimezone(UTC) + PROVINCE_ZONE).date() - timedelta(days=1)
        days = period.days(period.last if period.kind == "day" else yesterday)
        if not days:
            return False
        hospitals = sorted(self.hospitals.list(), key=lambda hospital: hospital.hospital_id)
        building = PeriodReports(period, days, now, self._before(period))
        with ThreadPoolExecutor(self.workers) as pool:
            gathered = _side_by_side(pool, lambda one: self._gather(one, days, now), hospitals)
            for hospital, (found, flags) in zip(hospitals, gathered, strict=True):
                building.add(hospital, found, flags)
            for _ in _side_by_side(pool, lambda report: self._put(period, report), building.reports()):
                pass
        return True

    def _gather(
        self, hospital: Hospital, days: tuple[str, ...], now: datetime
    ) -> tuple[Mapping[str, Figures], list[Values]]:
        flags = self.flags.of_hospital(hospital.hospital_id, days[0], days[-1])
        answers = [flag_answer(flag) for flag in flags]
        if len(days) > 1:  # a day's own report names the exams
            answers = [flag | {"exams": []} for flag in answers]
        return self.find(hospital, days, now), answers

    def _before(self, period: Period) -> list[Values]:
        """What was written before there were regions has no row to compare with."""
        bodies = (self.reports.get(file_name(one.name, f"{PROVINCE}.json")) for one in period.before())
        return [report for report in (json.loads(body) for body in bodies if body) if "regions" in report]

    def _put(self, period: Period, report: Report) -> None:
        name = file_name(period.name, report.file)
        if not report.values["hospital_id"]:
            self.reports.put(f"{name}.html", self.page(report.values).encode(), HTML)
        self.reports.put(f"{name}.csv", csv_bytes(report.rows, COLUMNS), CSV)
        self.reports.put(f"{name}.json", json_bytes(report.values), JSON)


def _side_by_side(pool: ThreadPoolExecutor, work: Callable[[One], Done], ones: Iterable[One]) -> Iterator[Done]:
    """In order; no more than a batch of them at a time."""
    left = iter(ones)
    while batch := list(islice(left, BATCH)):
        yield from pool.map(work, batch)
