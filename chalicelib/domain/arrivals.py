from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When served instances were received: (instant, how many), ascending, one run per instant.

    Kept whole, not as a count: the declared number may become known after the images, and whatever it is, the
    instant that met it must be readable. S3 gives whole seconds, so 3,000 slices are a few hundred runs.
    """

    runs: tuple[tuple[datetime, int], ...] = ()

    @classmethod
    def of(cls, received: Iterable[datetime]) -> Arrivals:
        """From the `received_at` of every served instance, in any order."""
        return cls(tuple(sorted(Counter(received).items())))

    @property
    def total(self) -> int:
        return sum(count for _, count in self.runs)

    def nth(self, number: int) -> datetime | None:
        """The instant that made it `number` instances; None while there are fewer."""
        seen = 0
        for at, count in self.runs:
            seen += count
            if seen >= number:
                return at
        return None

    def before_gap(self, gap: timedelta) -> datetime | None:
        """The last instant before nothing came for `gap`; None where nothing ever came."""
        for (at, _), (following, _) in pairwise(self.runs):
            if following - at >= gap:
                return at
        return self.runs[-1][0] if self.runs else None

    def until(self, at: datetime) -> int:
        """How many came up to and at `at`."""
        return sum(count for instant, count in self.runs if instant <= at)

    def __add__(self, other: Arrivals) -> Arrivals:
        merged = Counter(dict(self.runs))
        merged.update(dict(other.runs))
        return Arrivals(tuple(sorted(merged.items())))

    def to_json(self) -> list[list[int]]:
        """[[microseconds since the run before (the first: since 1970), how many], …]"""
        instants = [EPOCH, *(at for at, _ in self.runs)]
        steps = [(after - before) // MICROSECOND for before, after in pairwise(instants)]
        return [[step, count] for step, (_, count) in zip(steps, self.runs, strict=True)]

    @classmethod
    def from_json(cls, runs: Iterable[Iterable[int]]) -> Arrivals:
        at, found = EPOCH, []
        for step, count in runs:
            at += step * MICROSECOND
            found.append((at, count))
        return cls(tuple(found))
