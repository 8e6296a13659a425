"""Which figures a regulator may see: none of fewer than ten, and none from which such a one follows by subtraction.

Whether a figure is open depends on the facts of its months alone, never on the question: so no two answers together
tell more. In a month a figure of a hospital, a region or the province is open to a *depth*: 1 its sum, 2 the parts of
the sum (reasons, outcomes), 3 its days, of which weeks are sums; parts are told of months only, and of where exams were
made months only, but for the province. To a depth all must be none or at least ten, what is left between a sum and its
parts included. Then it ends before a depth

1. for a region, where it does for exactly one of its hospitals;
2. for one region more, and a hospital of it, where it does for exactly one region and not for the province; where there
   is no other region with figures, for the province;
3. for a region, and a hospital of it, on the other side (received, or made), where it does for the province.

So to each hidden figure of a hospital there is another, in the same region or in one that is hidden too, which may be
more by what that is less, and nothing that is open changes. tests/unit/domain/test_disclosure.py solves the open
figures for the hidden ones, and finds none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from chalicelib.domain.gains import OUTCOMES, REFUSALS, Figures
from chalicelib.domain.period import Period, month_of

LEAST: Final = 10
PROVINCE: Final = ("province", "")
SUM, PARTS, DAYS = 1, 2, 3

Side = Literal["receiving", "source"]
DEEPEST: Final[Mapping[Side, int]] = {"receiving": DAYS, "source": PARTS}
Scope = tuple[str, str]  # ("hospital", id), ("region", name) or PROVINCE
# Figures that are sums of others. The last of the alerts' parts lies within `avoided`.
PARTS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "alerts": (*OUTCOMES, "dose_known"),
    "refused": REFUSALS,
    "viewed": (),
    "recognised": (),
    "passed_over": (),
}
_WHOLE: Final = {part: whole for whole, parts in PARTS_OF.items() for part in (whole, *parts)}
_AS: Final = {"film_fen": "avoided", "fee_fen": "avoided", "dose_usv": "dose_known"}  # open as what they are worth is
_NOTHING: Final[Counter[str]] = Counter()


@dataclass
class _Depths:
    """Of one figure in a month: how deep each place is open; `sums` of the month, by which the smallest close first."""

    of: dict[tuple[Side, Scope], int]
    sums: Mapping[tuple[Side, Scope], int]
    province: int = DAYS

    def hidden(self, side: Side, scopes: list[Scope], depth: int) -> list[Scope]:
        return [scope for scope in scopes if self.of[side, scope] < depth]

    def spare(self, side: Side, scopes: list[Scope], depth: int) -> list[Scope]:
        """Those that could be hidden too, the smallest first; what is none hides nothing."""
        left = [scope for scope in scopes if self.of[side, scope] >= depth and self.sums[side, scope]]
        return sorted(left, key=lambda scope: (self.sums[side, scope], scope))

    def end(self, side: Side, scope: Scope, depth: int) -> None:
        self.of[side, scope] = min(self.of[side, scope], depth - 1)


@dataclass
class Disclosure:
    """`cells`: by side the figures of (hospital, day), of all days of each month that is asked for. On either side they
    add up to the same in the province."""

    cells: Mapping[Side, Mapping[tuple[str, str], Figures]]
    region_of: Mapping[str, str]
    _sums: dict[tuple[Side, Scope, str], Counter[str]] = field(default_factory=dict, init=False)
    _parts: dict[tuple[Side, Scope], set[Scope]] = field(default_factory=dict, init=False)
    _days: dict[str, set[str]] = field(default_factory=dict, init=False)
    _judged: dict[tuple[str, str], _Depths] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for side, cells in self.cells.items():
            for (hospital_id, day), counts in cells.items():
                region = ("region", self.region_of.get(hospital_id, ""))
                self._parts.setdefault((side, PROVINCE), set()).add(region)
                self._parts.setdefault((side, region), set()).add(("hospital", hospital_id))
                self._days.setdefault(day[:7], set()).add(day)
                for scope in (PROVINCE, region, ("hospital", hospital_id)):
                    for name in (day, day[:7]):
                        self._sums.setdefault((side, scope, name), Counter()).update(counts)

    def scopes(self, side: Side, of: Scope) -> list[Scope]:
        """The regions of the province, the hospitals of a region, of which anything is known."""
        return sorted(self._parts.get((side, of), ()))

    def sums(self, side: Side, scope: Scope, period: Period) -> Counter[str]:
        """All figures, open or not."""
        if period.kind != "week":
            return self._of(side, scope, period.name)
        total: Counter[str] = Counter()
        for day in period.days(period.last):
            total.update(self._of(side, scope, day))
        return total

    def is_open(self, side: Side, scope: Scope, period: Period, measure: str) -> bool:
        """Money is open as the repeats that it is for, dose as the number of which it is known."""
        measure = _AS.get(measure, measure)
        whole = _WHOLE[measure]
        depth = min(self._depth(side, scope, month, whole) for month in months_of(period))
        if period.kind == "month":
            return depth >= (SUM if measure == whole else PARTS)
        return depth >= DAYS and (measure == whole or not self.sums(side, scope, period)[whole])

    def _of(self, side: Side, scope: Scope, name: str) -> Counter[str]:
        return self._sums.get((side, scope, name), _NOTHING)

    def _depth(self, side: Side, scope: Scope, month: str, whole: str) -> int:
        if (month, whole) not in self._judged:
            self._judged[month, whole] = self._judge(month, whole)
        judged = self._judged[month, whole]
        return judged.province if scope == PROVINCE else min(DEEPEST[side], judged.of.get((side, scope), DAYS))

    def _judge(self, month: str, whole: str) -> _Depths:
        places = [(side, scope) for side in self.cells for scope in self._all(side)]
        depths = _Depths(
            {place: self._own(*place, month, whole) for place in places},
            {place: self._of(*place, month)[whole] for place in places},
            min((self._own(side, PROVINCE, month, whole) for side in self.cells), default=DAYS),
        )
        for depth in (SUM, PARTS, DAYS):
            sides = [side for side in self.cells if DEEPEST[side] >= depth]
            for side in sides:
                for region in self.scopes(side, PROVINCE):
                    if len(depths.hidden(side, self.scopes(side, region), depth)) == 1:
                        depths.end(side, region, depth)
            self._end_province(depths, depth, sides)
        return depths

    def _all(self, side: Side) -> Iterator[Scope]:
        for region in self.scopes(side, PROVINCE):
            yield region
            yield from self.scopes(side, region)

    def _own(self, side: Side, scope: Scope, month: str, whole: str) -> int:
        """By its own figures."""
        total = self._of(side, scope, month)
        if _is_small(total[whole]):
            return 0
        if any(map(_is_small, _told_apart(total, whole))):
            return SUM
        days = (self._of(side, scope, day)[whole] for day in self._days.get(month, ()))
        return PARTS if any(map(_is_small, days)) else DAYS

    def _end_province(self, depths: _Depths, depth: int, sides: Sequence[Side]) -> None:
        """Two regions on a side where there is one; where there can be no two, the province, and one on either side."""
        regions = {side: self.scopes(side, PROVINCE) for side in sides}
        hidden = {side: len(depths.hidden(side, regions[side], depth)) for side in regions}
        spare = {side: depths.spare(side, regions[side], depth) for side in regions}
        if any(hidden[side] == 1 and not spare[side] for side in regions):
            depths.province = min(depths.province, depth - 1)
        for side in regions:
            wanted = 1 if depths.province < depth else 2 if hidden[side] else 0
            for region in spare[side][: max(0, wanted - hidden[side])]:
                depths.end(side, region, depth)
                hospitals = self.scopes(side, region)
                if not depths.hidden(side, hospitals, depth):  # else the region follows from them
                    depths.end(side, depths.spare(side, hospitals, depth)[0], depth)


def months_of(period: Period) -> list[str]:
    """Whose facts decide whether a period's figures are open: one, or two for some weeks."""
    return sorted({month_of(day).name for day in (period.first, period.last)})


def _told_apart(total: Figures, whole: str) -> list[int]:
    """The parts of a sum and what is left: reminders that nobody has judged yet, repeats avoided whose dose is not
    known."""
    parts = {name: total.get(name, 0) for name in PARTS_OF[whole]}
    if not parts:
        return []
    known = parts.pop("dose_known", 0)
    rest = total.get(whole, 0) - sum(parts.values())
    return [*parts.values(), rest, known, parts.get("avoided", known) - known]


def _is_small(count: int) -> bool:
    return count != 0 and count < LEAST
