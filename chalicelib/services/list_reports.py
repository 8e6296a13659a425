from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from chalicelib.domain.compliance_report import Written
from chalicelib.domain.page import Page, opaque, place
from chalicelib.domain.period import Kind, Period
from chalicelib.services.ledger_ports import ComplianceReports
from chalicelib.services.show_report import file_name

LONGEST_NAME = 10  # of a period
KINDS: tuple[Kind, ...] = ("day", "week", "month")


@dataclass(frozen=True, slots=True)
class Listed:
    """A period of which a report lies in the bucket."""

    period: Period
    written: Written


@dataclass(frozen=True)
class ListReports:
    """The periods that there are reports of, the latest first, by what lies in the bucket: no other list that could
    say something else. A part looks at so many periods, and names those of which there is this report; a hospital that
    joined later has none of the periods before."""

    reports: ComplianceReports

    def __call__(self, file: str, kind: Kind | None, token: str, limit: int, now: datetime) -> Page[Listed]:
        """`file`: as `ShowReport` takes it. Raises ValueError for a token of none of its answers."""
        after = Period.of(place(token, LONGEST_NAME)) if token else None
        periods = list(islice(self._periods(after, kind, now), limit + 1))
        seen = periods[:limit]
        found = ((period, self.reports.written(f"{file_name(period.name, file)}.json")) for period in seen)
        listed = tuple(Listed(period, written) for period, written in found if written)
        return Page(listed, opaque(seen[-1].name) if len(periods) > limit else "")

    def _periods(self, after: Period | None, kind: Kind | None, now: datetime) -> Iterator[Period]:
        """Year by year of their names; the last days of one may be in the first week of the next."""
        oldest = self.reports.oldest_year()
        for year in range(int(after.name[:4]) if after else now.year + 1, (oldest or now.year + 2) - 1, -1):
            named = sorted(map(Period.of, self.reports.periods_of(year)), key=_order, reverse=True)
            yield from (one for one in named if kind in (None, one.kind) and (not after or _order(one) < _order(after)))


def _order(period: Period) -> tuple[int, str, int]:
    return int(period.name[:4]), period.first.isoformat(), KINDS.index(period.kind)
