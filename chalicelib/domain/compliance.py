"""A hospital's days in figures (DESIGN §7, output), and their sums over days, regions and the province."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.domain.exam import Exam, canonical

MINUTE = timedelta(minutes=1)
COUNTS = ("due", "on_time", "late", "partial", "missing", "excused", "cancelled", "scheduled", "pending", "imported")

Delays = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """`due` = on time + late + partial + missing: exams whose 12 hours count. Excused, cancelled, scheduled, pending
    and imported ones stand beside it. `delays` are (whole minutes from the exam's end to complete, how many exams),
    ascending, of exams that are: percentiles of a sum are exact, however many days and hospitals are in it.
    """

    due: int = 0
    on_time: int = 0
    late: int = 0
    partial: int = 0
    missing: int = 0
    excused: int = 0
    cancelled: int = 0
    scheduled: int = 0
    pending: int = 0
    imported: int = 0
    delays: Delays = ()

    @property
    def rate(self) -> str:
        """Share on time, four decimals; "" where nothing was due."""
        return f"{self.on_time / self.due:.4f}" if self.due else ""

    def delay(self, percent: int) -> int | None:
        """Percentile by nearest rank, in minutes: the smallest value that at least `percent` % of all do not exceed.
        None where nothing was complete."""
        wanted = -(-percent * sum(count for _, count in self.delays) // 100)
        for minutes, count in self.delays:
            wanted -= count
            if wanted <= 0:
                return minutes
        return None

    def to_json(self) -> bytes:
        """Canonical: equal figures give equal bytes."""
        return canonical({"counts": [getattr(self, name) for name in COUNTS], "delays": self.delays})

    @classmethod
    def from_json(cls, body: bytes) -> Figures:
        values = json.loads(body)
        delays = tuple((minutes, count) for minutes, count in values["delays"])
        return cls(**dict(zip(COUNTS, values["counts"], strict=True)), delays=delays)


def figures(exams: Iterable[Exam]) -> Figures:
    rows = tuple(exams)
    stand = Counter(exam.standing for exam in rows)
    delays = (exam.delay for exam in rows if exam.standing in ("on_time", "late"))
    return Figures(
        due=sum(stand[name] for name in ("on_time", "late", "partial", "missing")),
        on_time=stand["on_time"],
        late=stand["late"],
        partial=stand["partial"],
        missing=stand["missing"],
        excused=stand["excused"],
        cancelled=stand["cancelled"],
        scheduled=stand["scheduled"],
        pending=stand["pending"],
        imported=stand["imported"],
        delays=_counted(Counter(delay // MINUTE for delay in delays if delay is not None)),
    )


class Tally:
    """A sum in the making: what is added needs not be kept."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._delays = Counter[int]()

    def add(self, part: Figures) -> None:
        for name in COUNTS:
            self._counts[name] += getattr(part, name)
        for minutes, count in part.delays:
            self._delays[minutes] += count

    @property
    def figures(self) -> Figures:
        return Figures(**{name: self._counts[name] for name in COUNTS}, delays=_counted(self._delays))


def total(parts: Iterable[Figures]) -> Figures:
    """Several hospitals or days together; percentiles are of all their exams, not of their percentiles."""
    tally = Tally()
    for part in parts:
        tally.add(part)
    return tally.figures


def _counted(delays: Counter[int]) -> Delays:
    return tuple(sorted(delays.items()))
