"""A hospital's day in figures (DESIGN §7, output)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.domain.exam import Exam

MINUTE = timedelta(minutes=1)
COUNTS = ("due", "on_time", "late", "partial", "missing", "excused", "cancelled", "scheduled", "pending", "imported")


@dataclass(frozen=True, slots=True)
class Figures:
    """`due` = on time + late + partial + missing: exams whose 12 hours count. Excused, cancelled, scheduled, pending
    and imported ones stand beside it. `delays` are whole minutes from the exam's end to complete, of exams that are,
    ascending.
    """

    due: int
    on_time: int
    late: int
    partial: int
    missing: int
    excused: int
    cancelled: int
    scheduled: int
    pending: int
    imported: int
    delays: tuple[int, ...]

    @property
    def rate(self) -> str:
        """Share on time, four decimals; "" where nothing was due."""
        return f"{self.on_time / self.due:.4f}" if self.due else ""

    def delay(self, percent: int) -> int | None:
        """Percentile by nearest rank, in minutes; None where nothing was complete."""
        return percentile(self.delays, percent)


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
        delays=tuple(sorted(delay // MINUTE for delay in delays if delay is not None)),
    )


def total(parts: Sequence[Figures]) -> Figures:
    """Several hospitals or days together; percentiles are of all their exams, not of their percentiles."""
    sums = {name: sum(getattr(part, name) for part in parts) for name in COUNTS}
    return Figures(**sums, delays=tuple(sorted(delay for part in parts for delay in part.delays)))


def percentile(ascending: Sequence[int], percent: int) -> int | None:
    """Nearest rank: the smallest value that at least `percent` % of all do not exceed."""
    if not ascending:
        return None
    return ascending[max(0, -(-percent * len(ascending) // 100) - 1)]
