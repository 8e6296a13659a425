"""The reports of a day: every hospital's, and the province's from them.

A hospital costs two queries and two PUTs, which wait more than they work: they are done side by side. With 2,100
hospitals at 20 ms a query and 50 ms a PUT that is under a minute; where time runs out all the same, what is done is
kept, and the next run of that day goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib.domain.compliance import COUNTS, Figures, total
from chalicelib.domain.study import Hospital
from chalicelib.services.ledger_ports import ComplianceReports
from chalicelib.services.ports import Hospitals
from chalicelib.services.read_compliance import COLUMNS, Day, ReadCompliance, csv_bytes, json_bytes

CSV = "text/csv; charset=utf-8"
JSON = "application/json"
BATCH = 64  # hospitals between two looks at the clock
FRESH = timedelta(hours=1)  # older figures than this are not put together with new ones


@dataclass(frozen=True, slots=True)
class Done:
    """A hospital whose reports are written: its answer, and the delays that the province's percentiles need."""

    answer: Mapping[str, Any]
    delays: tuple[int, ...]

    @property
    def figures(self) -> Figures:
        return Figures(**{name: self.answer[name] for name in COUNTS}, delays=self.delays)


@dataclass(frozen=True)
class ReportCompliance:
    """`compliance/{day}/{hospital}.csv|json` and `…/province.csv|json`. The same rows give the same bytes."""

    read: ReadCompliance
    hospitals: Hospitals
    reports: ComplianceReports
    workers: int = 8

    def __call__(self, day: date, now: datetime, keep_going: Callable[[], bool]) -> bool:
        """Write the reports of a day. False when time ran out before the province's: run it again within the hour."""
        begun = self._begun(day, now)
        found = dict(begun)
        left = iter(sorted((one for one in self.hospitals.list() if one.hospital_id not in found), key=_id))
        with ThreadPoolExecutor(self.workers) as pool:
            while batch := list(islice(left, BATCH)):
                if not keep_going():
                    self._keep(day, now, found)
                    return False
                done = pool.map(lambda hospital: self._one(day, hospital), batch)
                found |= {hospital.hospital_id: one for hospital, one in zip(batch, done, strict=True)}
        self._province(day, [found[hospital_id] for hospital_id in sorted(found)])
        if begun:
            self._keep(day, now, {})
        return True

    def _one(self, day: date, hospital: Hospital) -> Done:
        (one,) = self.read.named(hospital.hospital_id, hospital.name, day, 1)
        self._put(f"compliance/{day}/{hospital.hospital_id}", [one.row()], one.answer())
        return Done(one.answer(), one.figures.delays)

    def _province(self, day: date, found: Sequence[Done]) -> None:
        whole = Day("", "全省 Province", day.isoformat(), total([one.figures for one in found]), ()).row()
        rows = [{name: one.answer[name] for name in COLUMNS} for one in found]
        answer = whole | {"hospitals": [_without_exams(one.answer) for one in found]}
        self._put(f"compliance/{day}/province", [*rows, whole], answer)

    def _begun(self, day: date, now: datetime) -> dict[str, Done]:
        """What a run that ran out of time has left."""
        body = self.reports.get(_unfinished(day))
        kept: dict[str, Any] = json.loads(body) if body else {"at": "", "done": []}
        if not kept["done"] or not timedelta(0) <= now - datetime.fromisoformat(kept["at"]) <= FRESH:
            return {}
        return {answer["hospital_id"]: Done(answer, tuple(delays)) for answer, delays in kept["done"]}

    def _keep(self, day: date, now: datetime, found: Mapping[str, Done]) -> None:
        done = [[one.answer, one.delays] for _, one in sorted(found.items())]
        self.reports.put(_unfinished(day), json_bytes({"at": now.isoformat(), "done": done}), JSON)

    def _put(self, name: str, rows: Iterable[Mapping[str, Any]], answer: Mapping[str, Any]) -> None:
        self.reports.put(f"{name}.csv", csv_bytes(rows), CSV)
        self.reports.put(f"{name}.json", json_bytes(answer), JSON)


def _without_exams(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """A hospital's own report names the exams behind its flags; all of them together would be too much to answer."""
    flags = [{name: value for name, value in flag.items() if name != "exams"} for flag in answer["flags"]]
    return {**answer, "flags": flags}


def _id(hospital: Hospital) -> str:
    return hospital.hospital_id


def _unfinished(day: date) -> str:
    return f"compliance/{day}/unfinished.json"
