from __future__ import annotations

from typing import Protocol


class Context(Protocol):
    """What Lambda tells of a run."""

    def get_remaining_time_in_millis(self) -> int: ...
