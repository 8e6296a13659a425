"""What use cases tell those who run the platform: outcomes and times, never whose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of one upload: `outcome` as in its receipt, and when S3 had received it (None: nothing was read)."""

    outcome: str
    received_at: datetime | None


# At the end of a batch, with the instant of that end.
Watch = Callable[[Sequence[Handled], datetime], None]
# A stage of an answer has ended: whatever time passed since the last one was this stage's.
Lap = Callable[[str], None]


def unwatched(_handled: Sequence[Handled], _now: datetime) -> None:
    """Nobody looks: a rebuild's years-old uploads are no lag."""


def untimed(_stage: str) -> None:
    """Nobody takes the time."""
