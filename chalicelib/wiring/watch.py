"""From what was done to figures: how those who run the platform see it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from chalicelib.domain import metrics
from chalicelib.services.watch_ports import Handled, Watch
from chalicelib.store.emf import emit  # at once, not when first used: it keeps the output that the functions began with

Taking = Literal["instances", "archives", "notices"]
TAKEN = frozenset({"indexed", "pack", "unpacked", "noted"})


def watch(kind: Taking) -> Watch:
    """For the uploads that one function takes."""

    def watched(handled: Sequence[Handled], now: datetime) -> None:
        lags = [(now - one.received_at).total_seconds() for one in handled if one.received_at is not None]
        taken = sum(one.outcome in TAKEN for one in handled)
        emit({metrics.INGEST_LAG: lags, metrics.TAKEN: taken}, Kind=kind)

    return watched


class Stopwatch:
    """The time that each stage of an answer took, in milliseconds: what passed since the stage before ended."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._last = clock()
        self.taken: dict[str, float] = {}

    def __call__(self, stage: str) -> None:
        """The stage ends now. A stage may end several times."""
        at = self._clock()
        self.taken[stage] = self.taken.get(stage, 0.0) + (at - self._last) * 1000
        self._last = at


STAGES = {
    "authorize": metrics.VIEW_AUTHORIZE,
    "manifest": metrics.VIEW_MANIFEST,
    "sign": metrics.VIEW_SIGN,
    "answer": metrics.VIEW_ANSWER,
}


def emit_view(stopwatch: Stopwatch) -> None:
    """One manifest that was answered. Refusals are quick and would make the budget look kept."""
    taken = stopwatch.taken
    emit({metrics.VIEW_TIME: sum(taken.values()), **{STAGES[stage]: ms for stage, ms in taken.items()}})


__all__ = ["Stopwatch", "emit", "emit_view", "watch"]
