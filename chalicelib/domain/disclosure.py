"""Which figures a regulator may see: none that is of fewer than ten, and none from which such a one follows.

Whether a figure is open depends on the facts alone, never on the question: so no two answers together tell more. A sum
stays closed where the closed among its parts could be told from it: when there is but one, or fewer than ten in all.
Parts are looked at in each way that they are published: hospitals of regions of the province, days of weeks and months,
weeks of months, reasons of refusals, outcomes of reminders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final

from chalicelib.domain.gains import OUTCOMES, REFUSALS, SAVED, Figures
from chalicelib.domain.period import Period, day_of, week_of

LEAST: Final = 10
PROVINCE: Final = ("province", "")
FAMILIES: Final = {"refused": REFUSALS, "alerts": OUTCOMES}  # figures that are sums of others

Scope = tuple[str, str]  # ("hospital", id), ("region", name) or PROVINCE
_NOTHING: Final[Counter[str]] = Counter()


@dataclass
class Disclosure:
    """Of one way to add up: by the hospitals that received, or by those where the earlier exams were made. `cells`:
    figures by (hospital, day); of a week or month that is asked for, all days must be in them."""

    cells: Mapping[tuple[str, str], Figures]
    region_of: Mapping[str, str]
    _sums: dict[tuple[Scope, str], Counter[str]] = field(default_factory=dict, init=False)
    _parts: dict[Scope, set[Scope]] = field(default_factory=dict, init=False)
    _open: dict[tuple[Scope, str, str], bool] = field(default_factory=dict, init=False)
    _standing: dict[tuple[Scope, str, str], bool] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for (hospital_id, day), counts in self.cells.items():
            region = ("region", self.region_of.get(hospital_id, ""))
            self._parts.setdefault(PROVINCE, set()).add(region)
            self._parts.setdefault(region, set()).add(("hospital", hospital_id))
            for scope in (PROVINCE, region, ("hospital", hospital_id)):
                self._sums.setdefault((scope, day), Counter()).update(counts)

    def scopes(self, of: Scope) -> list[Scope]:
        """The regions of the province, the hospitals of a region, of which anything is known."""
        return sorted(self._parts.get(of, ()))

    def sums(self, scope: Scope, period: Period) -> Counter[str]:
        """All figures, open or not."""
        if (scope, period.name) not in self._sums:
            total: Counter[str] = Counter()
            for day in _days(period):
                total.update(self._sums.get((scope, day.name), _NOTHING))
            self._sums[scope, period.name] = total
        return self._sums[scope, period.name]

    def is_open(self, scope: Scope, period: Period, measure: str) -> bool:
        """Money and dose follow from how many repeats were avoided, and are open as those are."""
        measure = "avoided" if measure in SAVED else measure
        place = (scope, period.name, measure)
        if place not in self._open:
            self._open[place] = self._judge(scope, period, measure)
        return self._open[place]

    def _judge(self, scope: Scope, period: Period, measure: str) -> bool:
        value = self.sums(scope, period)[measure]
        if not value:
            return True
        if measure == "dose_known":
            rest = self.sums(scope, period)["avoided"] - value
            return value >= LEAST and not 0 < rest < LEAST and self.is_open(scope, period, "avoided")
        family = next((family for family in FAMILIES.values() if measure in family), ())
        return self._stands(scope, period, measure) and measure not in self._companions(scope, period, family)

    def _stands(self, scope: Scope, period: Period, measure: str) -> bool:
        """By itself and by what it is made of."""
        place = (scope, period.name, measure)
        if place not in self._standing:
            enough = self.sums(scope, period)[measure] >= LEAST
            self._standing[place] = enough and all(map(self._keeps, self._ways(scope, period, measure)))
        return self._standing[place]

    def _companions(self, scope: Scope, period: Period, family: Sequence[str]) -> frozenset[str]:
        """The smallest of a family that close with those that must, so that the sum of all may stay open."""
        sums = self.sums(scope, period)
        told = sorted((one for one in family if sums[one]), key=lambda one: (sums[one], one))
        closed = [one for one in told if not self._stands(scope, period, one)]
        left = [one for one in told if one not in closed]
        with_them: list[str] = []
        while closed and left and not _hides([sums[one] for one in (*closed, *with_them)]):
            with_them.append(left.pop(0))
        return frozenset(with_them)

    def _keeps(self, parts: Iterable[tuple[Scope, Period, str]]) -> bool:
        """Whether the sum tells nothing of its closed parts."""
        closed = [
            self.sums(scope, period)[measure]
            for scope, period, measure in parts
            if not self.is_open(scope, period, measure)
        ]
        return not closed or _hides(closed)

    def _ways(self, scope: Scope, period: Period, measure: str) -> Iterator[list[tuple[Scope, Period, str]]]:
        if scope in self._parts:
            yield [(one, period, measure) for one in self._parts[scope]]
        for periods in _within(period):
            yield [(scope, one, measure) for one in periods]
        yield [(scope, period, one) for one in FAMILIES.get(measure, ())]


def _hides(closed: Sequence[int]) -> bool:
    """Whether none of these follows from their sum."""
    return len(closed) > 1 and sum(closed) >= LEAST


@lru_cache(maxsize=128)
def _days(period: Period) -> tuple[Period, ...]:
    return tuple(day_of(date.fromisoformat(day)) for day in period.days(period.last))


@lru_cache(maxsize=128)
def _within(period: Period) -> tuple[tuple[Period, ...], ...]:
    """The ways in which a period is made of shorter ones."""
    if period.kind == "day":
        return ()
    days = _days(period)
    weeks = {week_of(day.first).name: week_of(day.first) for day in days}
    whole = [week for week in weeks.values() if week.first >= period.first and week.last <= period.last]
    rest = [day for day in days if not any(week.first <= day.first <= week.last for week in whole)]
    return (days, (*whole, *rest)) if period.kind == "month" else (days,)
