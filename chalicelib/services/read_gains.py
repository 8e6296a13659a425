"""What mutual recognition gained, from the figures of hospitals' days: all of a hospital's own for itself, and for the
commission what tells of nobody (domain.disclosure)."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from chalicelib.domain.disclosure import LEAST, PROVINCE, Disclosure, Scope
from chalicelib.domain.gains import MEASURES, Happening, counted, standing
from chalicelib.domain.page import Page, opaque, place
from chalicelib.domain.period import Period, day_of
from chalicelib.services.gain_ports import DayFigures, Gains
from chalicelib.services.ports import Hospitals, Mac

Side = Literal["receiving", "source"]
Shown = Mapping[str, int | None]  # None: closed
PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Table:
    """`rows`: (region, hospital or day, its figures). `as_of`: when the oldest of its figures was derived."""

    total: Shown
    rows: tuple[tuple[str, Shown], ...]
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One of `MEASURES`, of a receiving hospital in a period."""

    period: Period
    hospital_id: str
    measure: str


class FigureClosed(Exception):  # noqa: N818 - the fact
    """A figure that tells of fewer than ten, or lets such a one be told: its events are closed as well."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One happening without a name: `event` and `visit` are keyed by the period, so nobody is followed beyond it.
    `group`: the kind of machine; `at` and `source` for the hospital itself only."""

    event: str
    visit: str
    measure: str
    group: str
    at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class ReadGains:
    gains: Gains
    hospitals: Hospitals
    mac: Mac

    def province(self, period: Period, scope: Scope, side: Side, *, by_day: bool, until: date) -> Table:
        """The figures of a scope, and of its parts: of the province regions, of a region hospitals; of a hospital, and
        where `by_day`, days."""
        held = self._held(period, until)
        either = self._disclosures(held)
        told = either[side]
        split = by_day or scope[0] == "hospital"
        days = [day_of(date.fromisoformat(day)) for day in period.days(until)] if split else []
        rows = [(day.name, _shown(either, side, scope, day)) for day in days]
        if not split:
            rows = [(part[1], _shown(either, side, part, period)) for part in told.scopes(scope)]
        return Table(_shown(either, side, scope, period), tuple(rows), _as_of(held))

    def own(self, hospital_id: str, period: Period, until: date) -> Table:
        """All that a hospital gained as the one that received, by day."""
        days = period.days(until)
        held = {day: self.gains.figures(day, hospital_id) for day in days}
        rows = tuple((day, _whole(_sum(held[day].values()))) for day in days)
        whole = _whole(_sum(figures for day in held.values() for figures in day.values()))
        return Table(whole, rows, _as_of(held))

    def events(self, figure: Figure, token: str, until: date, *, own: bool) -> Page[Happened]:
        """What a figure is made of, in no order of time. Raises FigureClosed, and ValueError for a token that is none
        of ours."""
        hospital_id, period, measure = figure.hospital_id, figure.period, figure.measure
        if not own:
            told = self._disclosures(self._held(period, until))["receiving"]
            if not told.is_open(("hospital", hospital_id), period, measure):
                raise FigureClosed
        found = [one for day in period.days(until) for one in standing(self.gains.of_day(hospital_id, day))]
        key = self.mac("statistics", period.name)
        chosen = (_named(key, one, own=own) for one in found if counted(one)[measure])
        named = sorted(chosen, key=lambda one: one.event)
        after = place(token, 64) if token else ""
        page = [one for one in (named if own else _without_rare(named)) if one.event > after]
        return Page(tuple(page[:PAGE]), opaque(page[PAGE - 1].event) if len(page) > PAGE else "")

    def _held(self, period: Period, until: date) -> dict[str, Mapping[str, DayFigures]]:
        return {day: self.gains.figures(day) for day in period.days(until)}

    def _disclosures(self, held: Mapping[str, Mapping[str, DayFigures]]) -> dict[Side, Disclosure]:
        received: dict[tuple[str, str], Counter[str]] = {}
        sources: dict[tuple[str, str], Counter[str]] = {}
        for day, hospital_id, figures in _each(held):
            for source, counts in figures.of_source.items():
                received.setdefault((hospital_id, day), Counter()).update(counts)
                sources.setdefault((source, day), Counter()).update(counts)
        region_of = {one.hospital_id: one.region for one in self.hospitals.list()}
        return {"receiving": Disclosure(received, region_of), "source": Disclosure(sources, region_of)}


def _each(held: Mapping[str, Mapping[str, DayFigures]]) -> Iterator[tuple[str, str, DayFigures]]:
    for day, hospitals in held.items():
        for hospital_id, figures in hospitals.items():
            yield day, hospital_id, figures


def _shown(either: Mapping[Side, Disclosure], side: Side, scope: Scope, period: Period) -> Shown:
    """The province's sums are the same on either side, and must tell nothing on either."""
    asked = list(either.values()) if scope == PROVINCE else [either[side]]
    sums = either[side].sums(scope, period)
    return {name: sums[name] if all(one.is_open(scope, period, name) for one in asked) else None for name in MEASURES}


def _whole(sums: Counter[str]) -> Shown:
    return {name: sums[name] for name in MEASURES}


def _sum(figures: Iterable[DayFigures]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in figures:
        for counts in one.of_source.values():
            total.update(counts)
    return total


def _as_of(held: Mapping[str, Mapping[str, DayFigures]]) -> datetime | None:
    return min((figures.derived_at for _, _, figures in _each(held)), default=None)


def _named(key: bytes, one: Happening, *, own: bool) -> Happened:
    def name(*parts: str) -> str:
        return hmac.new(key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()[:32]

    event = name("event", one.receiving, one.measure, one.key)
    visit = name("visit", one.receiving, one.encounter_id)
    if own:
        return Happened(event, visit, one.measure, one.group, one.at, one.source)
    return Happened(event, visit, one.measure, one.group)


def _without_rare(named: list[Happened]) -> list[Happened]:
    """Kinds of machines are told only where each has ten."""
    if all(count >= LEAST for count in Counter(one.group for one in named).values()):
        return named
    return [Happened(one.event, one.visit, one.measure, "") for one in named]
