"""Trying again: soon at first, then less and less often, never all at once, for as long as it takes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .faults import StoppedError

FIRST: Final = 1.0
LONGEST: Final = 60.0


@dataclass
class Patience:
    """Of one thing that is tried. `stop` ends a wait at once. `first`, `longest`: seconds."""

    stop: threading.Event
    first: float = FIRST
    longest: float = LONGEST
    tries: int = 0
    chance: Callable[[], float] = random.random

    def next(self) -> float:
        """Seconds to wait before trying again: doubled each time, with a half left to chance, so that a thousand
        clients that were cut off together do not come back together."""
        most = min(self.longest, self.first * 2 ** min(self.tries, 30))
        self.tries += 1
        return float(most * (0.5 + 0.5 * self.chance()))

    def wait(self, seconds: float) -> None:
        """Raises StoppedError."""
        if self.stop.wait(seconds):
            raise StoppedError

    def reset(self) -> None:
        """Something got through."""
        self.tries = 0
