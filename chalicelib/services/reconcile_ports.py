"""What the night's reconcile needs beside the ports of uploads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from chalicelib.domain.reconciling import Piece


class SortedReceipts(Protocol):
    """Digests of what receipts name, in parts; each night has its own, and they end by themselves after some days."""

    def put(self, night: datetime, part: str, digests: Mapping[str, bytes]) -> None:
        """Digests by hospital. The part is named among `parts` only once it can be read."""
        ...

    def parts(self, night: datetime) -> list[str]: ...

    def spans(self, night: datetime, part: str) -> Mapping[str, tuple[int, int]]:
        """(offset, length) in bytes by hospital."""
        ...

    def read(self, night: datetime, part: str, offset: int, length: int) -> bytes: ...


class Pieces(Protocol):
    """The queue of the reconcile."""

    def send(self, pieces: Collection[Piece]) -> None:
        """Raises when the queue did not take them all; sending them again does no harm."""
        ...
