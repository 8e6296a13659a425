"""Reports of a period as JSON-ready values: a hospital's, a region's, the province's, each the exact sum of what is in
it. Nothing here is rounded but the rate (four decimals)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from chalicelib.domain.compliance import COUNTS, Delays, Figures, Tally, total
from chalicelib.domain.flag import OPEN
from chalicelib.domain.holidays import unannounced
from chalicelib.domain.period import Period
from chalicelib.domain.study import Hospital

Values = dict[str, Any]
PERCENTILES = (50, 90, 99)
DELAYS = tuple(f"delay_p{percent}_minutes" for percent in PERCENTILES)
MEASURES = (*COUNTS, "rate", *DELAYS)
NAMES = ("hospital_id", "scope", "name", "name_en", "level", "region", "period", "first_day", "last_day")
COLUMNS = (*NAMES, *MEASURES, "rank", "ranked", "open_flags")
NO_REGION = "-"  # of hospitals that are registered without one
PROVINCE = "province"
Place = tuple[str, str]  # scope, and the hospital's id, the region or ""


@dataclass(frozen=True, slots=True)
class Report:
    """`file`: its name in the bucket, without an ending. `rows`: what its CSV lists."""

    file: str
    values: Values
    rows: Sequence[Values]


@dataclass(frozen=True, slots=True)
class Written:
    """A file of a report: when it was last written, and a tag that is another whenever it was."""

    at: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A hospital, a region or the province: its row, and what only its own report tells."""

    row: Values
    days: Sequence[Values]
    delays: Delays
    flags: Sequence[Values] = ()


class PeriodReports:
    """Add every hospital, then take the reports. What is kept of a hospital-day is its measures; its delays only in
    the sums: a month of 2,100 hospitals fits a function's memory.

    `days`: the period's days that are in it. `before`: the province's own reports of the periods before, oldest first.
    """

    def __init__(self, period: Period, days: Sequence[str], made_at: datetime, before: Sequence[Values]) -> None:
        self._days = days
        self._span = {"period": period.name, "first_day": days[0], "last_day": days[-1]}
        self._made = {"kind": period.kind, "made_at": made_at.isoformat(), "unannounced": [*unannounced(days)]}
        self._before = [(former["period"], _places(former)) for former in before]
        self._hospitals: list[_Part] = []
        self._regions: dict[str, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))

    def add(self, hospital: Hospital, days: Mapping[str, Figures], flags: Sequence[Values]) -> None:
        """By hospital id. `days` without exams may be left out. `flags`: all of these days, JSON-ready."""
        region = hospital.region or NO_REGION
        for day, figures in days.items():
            self._regions[region][day].add(figures)
        open_by_rule = Counter(flag["rule"] for flag in flags if flag["state"] in OPEN)
        named = {"hospital_id": hospital.hospital_id, "name": hospital.name, "name_en": hospital.name_en}
        row = named | {"scope": "hospital", "level": hospital.level, "region": region}
        self._hospitals.append(self._part(row, days, open_by_rule, flags))

    def reports(self) -> Iterator[Report]:
        """Hospitals', then regions', then the province's."""
        regions = self._summed_regions()
        whole = self._summed_province(regions)
        rows, region_rows = [one.row for one in self._hospitals], [one.row for one in regions]
        _rank(rows)
        _rank(region_rows)
        yield from self._of_hospitals({row["region"]: row for row in region_rows}, whole.row)
        for region in regions:
            own = [row for row in rows if row["region"] == region.row["region"]]
            values = self._values(region) | {"hospitals": own}
            yield Report(region_file(region.row["region"]), values, [*own, region.row])
        values = self._values(whole) | {"regions": region_rows, "hospitals": rows}
        yield Report(PROVINCE, values, [*rows, *region_rows, whole.row])

    def _of_hospitals(self, regions: Mapping[str, Values], whole: Values) -> Iterator[Report]:
        """Beside its own figures a hospital is told its region's and the province's, no other hospital's."""
        for one in self._hospitals:
            peers = {"province": _measures(whole), "region": _measures(regions[one.row["region"]])}
            values = self._values(one) | {"peers": peers, "flags": list(one.flags)}
            yield Report(one.row["hospital_id"], values, [one.row])

    def _summed_regions(self) -> list[_Part]:
        found = []
        for region in sorted({one.row["region"] for one in self._hospitals}):
            days = {day: tally.figures for day, tally in self._regions[region].items()}
            named = {"hospital_id": "", "scope": "region", "name": region, "name_en": "", "level": "", "region": region}
            rules = _together(one.row for one in self._hospitals if one.row["region"] == region)
            found.append(self._part(named, days, rules))
        return found

    def _summed_province(self, regions: Sequence[_Part]) -> _Part:
        days: dict[str, Tally] = defaultdict(Tally)
        for tallies in self._regions.values():
            for day, tally in tallies.items():
                days[day].add(tally.figures)
        names = {"hospital_id": "", "scope": PROVINCE, "name": "全省", "name_en": "Province", "level": "", "region": ""}
        unranked = {"rank": "", "ranked": ""}
        rules = _together(one.row for one in regions)
        return self._part(names | unranked, {day: tally.figures for day, tally in days.items()}, rules)

    def _part(
        self, names: Values, days: Mapping[str, Figures], open_by_rule: Counter[str], flags: Sequence[Values] = ()
    ) -> _Part:
        whole = total(days.values())
        row = names | self._span | measures(whole)
        row |= {"open_flags": open_by_rule.total(), "open_by_rule": dict(sorted(open_by_rule.items()))}
        by_day = [{"period": day} | measures(days.get(day, Figures())) for day in self._days]
        return _Part(row, by_day, whole.delays, flags)

    def _values(self, part: _Part) -> Values:
        place = _place(part.row)
        trend = [{"period": name} | _measures(rows[place]) for name, rows in self._before if place in rows]
        return part.row | self._made | {"days": part.days, "delays": part.delays, "trend": trend}


def measures(figures: Figures) -> Values:
    """By the names of MEASURES; "" where there is no value."""
    delays = (figures.delay(percent) for percent in PERCENTILES)
    shown = {name: "" if value is None else value for name, value in zip(DELAYS, delays, strict=True)}
    return {name: getattr(figures, name) for name in COUNTS} | {"rate": figures.rate} | shown


def region_file(region: str) -> str:
    """Free text in a key is percent-encoded."""
    return f"region/{quote(region, safe='')}"


def _rank(rows: Sequence[Values]) -> None:
    """By the share on time, best first; equal shares have one rank. Where nothing was due there is none."""
    shares = Counter(row["on_time"] / row["due"] for row in rows if row["due"])
    ranks, above = {}, 0
    for share in sorted(shares, reverse=True):
        ranks[share] = above + 1
        above += shares[share]
    for row in rows:
        row["rank"] = ranks[row["on_time"] / row["due"]] if row["due"] else ""
        row["ranked"] = above


def _together(rows: Iterator[Values]) -> Counter[str]:
    rules = Counter[str]()
    for row in rows:
        rules.update(row["open_by_rule"])
    return rules


def _measures(row: Values) -> Values:
    return {name: row[name] for name in MEASURES}


def _place(row: Values) -> Place:
    return row["scope"], row["hospital_id"] or row["region"]


def _places(report: Values) -> Mapping[Place, Values]:
    """Everyone's row in a report of the province."""
    return {_place(row): row for row in (*report["hospitals"], *report["regions"], report)}
