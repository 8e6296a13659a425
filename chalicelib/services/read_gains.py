"""What mutual recognition gained, from the figures of hospitals' days: all of a hospital's own for itself, and for the
commission what tells of nobody (domain.disclosure)."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from chalicelib.domain.disclosure import LEAST, Disclosure, Scope, Side, months_of
from chalicelib.domain.gains import MEASURES, Happening, counted, standing
from chalicelib.domain.page import Page, opaque, place
from chalicelib.domain.period import Period, day_of
from chalicelib.services.gain_ports import DayFigures, Gains
from chalicelib.services.ports import Hospitals, Mac

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
    """One of `MEASURES`, of a hospital in a period: of the one that received, or where the earlier exams were made."""

    period: Period
    hospital_id: str
    measure: str
    side: Side = "receiving"


class FigureClosed(Exception):  # noqa: N818 - the fact
    """A figure that tells of fewer than ten, or lets such a one be told: its events are closed as well."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One happening without a name: `event` and `visit` are keyed by the figure, so nobody is followed beyond it, nor
    are two lists laid side by side. What it was among the figure's parts, the kind of machine, when and of which source
    are for the hospital itself only."""

    event: str
    visit: str
    measure: str
    group: str = ""
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
        told = self._disclosure(held)
        split = by_day or scope[0] == "hospital"
        days = [day_of(date.fromisoformat(day)) for day in period.days(until)] if split else []
        rows = [(day.name, _shown(told, side, scope, day)) for day in days]
        if not split:
            rows = [(part[1], _shown(told, side, part, period)) for part in told.scopes(side, scope)]
        return Table(_shown(told, side, scope, period), tuple(rows), _as_of(held))

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
            told = self._disclosure(self._held(period, until))
            if not told.is_open(figure.side, ("hospital", hospital_id), period, measure):
                raise FigureClosed
        facts = self.gains.of_day if figure.side == "receiving" else self.gains.of_source
        found = [one for day in period.days(until) for one in standing(facts(hospital_id, day))]
        chosen = [one for one in found if counted(one)[measure]]
        if not own and 0 < len(chosen) < LEAST:
            raise FigureClosed  # the facts are newer than the figures
        key = self.mac("statistics", f"{period.name}\n{figure.side}\n{hospital_id}\n{measure}")
        named = sorted((_named(key, one, figure, own=own) for one in chosen), key=lambda one: one.event)
        after = place(token, 64) if token else ""
        page = [one for one in named if one.event > after]
        return Page(tuple(page[:PAGE]), opaque(page[PAGE - 1].event) if len(page) > PAGE else "")

    def _held(self, period: Period, until: date) -> dict[str, Mapping[str, DayFigures]]:
        """Of the whole months: they decide which figures are open."""
        months = map(Period.of, months_of(period))
        return {day: self.gains.figures(day) for month in months for day in month.days(until)}

    def _disclosure(self, held: Mapping[str, Mapping[str, DayFigures]]) -> Disclosure:
        received: dict[tuple[str, str], Counter[str]] = {}
        sources: dict[tuple[str, str], Counter[str]] = {}
        for day, hospital_id, figures in _each(held):
            for source, counts in figures.of_source.items():
                received.setdefault((hospital_id, day), Counter()).update(counts)
                sources.setdefault((source, day), Counter()).update(counts)
        region_of = {one.hospital_id: one.region for one in self.hospitals.list()}
        return Disclosure({"receiving": received, "source": sources}, region_of)


def _each(held: Mapping[str, Mapping[str, DayFigures]]) -> Iterator[tuple[str, str, DayFigures]]:
    for day, hospitals in held.items():
        for hospital_id, figures in hospitals.items():
            yield day, hospital_id, figures


def _shown(told: Disclosure, side: Side, scope: Scope, period: Period) -> Shown:
    sums = told.sums(side, scope, period)
    return {name: sums[name] if told.is_open(side, scope, period, name) else None for name in MEASURES}


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


def _named(key: bytes, one: Happening, figure: Figure, *, own: bool) -> Happened:
    def name(*parts: str) -> str:
        return hmac.new(key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()[:32]

    event = name("event", one.receiving, one.measure, one.key)
    visit = name("visit", one.receiving, one.encounter_id)
    if own:
        return Happened(event, visit, one.measure, one.group, one.at, one.source)
    return Happened(event, visit, figure.measure)
