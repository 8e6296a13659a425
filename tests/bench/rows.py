"""What a row of the bench is, and how CPU time is taken."""

from __future__ import annotations

import gc
import time
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One budget of DESIGN §9. `figure` must not exceed `target`; `beside` are figures without a target."""

    what: str
    figure: float
    unit: str
    target: float
    beside: str = ""

    @property
    def met(self):
        return self.figure <= self.target

    def as_json(self):
        return {**asdict(self), "met": self.met}


def cpu_ms(work, repeat=5):
    """CPU milliseconds of this process for one call, the best of some: what others do beside us only adds."""
    best = float("inf")
    for _ in range(repeat):
        gc.collect()
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best * 1000
