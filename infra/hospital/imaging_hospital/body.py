"""Bytes on their way to S3: counted and slowed down while they leave, not while they are only looked at for signing."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from .faults import StoppedError

PIECE: Final = 64 * 1024


@dataclass
class Limiter:
    """All that leaves this machine together, in bytes a second; 0 is without a limit."""

    bytes_per_second: float
    stop: threading.Event
    clock: Callable[[], float] = time.monotonic
    _free_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_(self, size: int) -> None:
        """Waits until `size` bytes may leave. Raises StoppedError."""
        if self.bytes_per_second:
            with self._lock:
                now = self.clock()
                self._free_at = max(self._free_at, now)
                wait = self._free_at - now
                self._free_at += size / self.bytes_per_second
            if wait > 0:
                self.stop.wait(wait)
        if self.stop.is_set():
            raise StoppedError


class Body(io.BytesIO):
    """`told` hears the size of each piece as it leaves."""

    def __init__(self, content: bytes, limiter: Limiter, told: Callable[[int], None]) -> None:
        super().__init__(content)
        self._limiter = limiter
        self._told = told
        self._leaving = False

    def read(self, size: int | None = -1) -> bytes:
        if not self._leaving:
            return super().read(size)
        piece = super().read(PIECE if size is None or size < 0 else min(size, PIECE))
        self._limiter.pass_(len(piece))
        self._told(len(piece))
        return piece

    @staticmethod
    def leave(request: Any, **_: Any) -> None:
        """For botocore's `before-send`: from here on reading means sending."""
        if isinstance(request.body, Body):
            request.body._leaving = True  # noqa: SLF001 - its own class
