"""A night's receipts, apart by hospital: each is read once, by one of many short runs (DESIGN §4.9)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.domain import reconciling
from chalicelib.domain.reconciling import CheckPiece, Span

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chalicelib.domain.reconciling import SortPiece
    from chalicelib.services.ports import Hospitals, Receipts
    from chalicelib.services.reconcile_ports import Pieces, SortedReceipts


@dataclass(frozen=True)
class SortReceipts:
    """A piece that dies is done again from its beginning. Whoever ends the last share sends the hospitals' pieces; two
    who end at once both do, and a hospital is checked twice, harmlessly."""

    receipts: Receipts
    sorted: SortedReceipts
    hospitals: Hospitals
    pieces: Pieces

    def __call__(self, piece: SortPiece, keep_going: Callable[[], bool]) -> int:
        """How many receipts were read. When time runs out, what is left becomes another piece."""
        dates = frozenset(date.isoformat() for date in reconciling.upload_dates(piece.night))
        digests: dict[str, bytearray] = defaultdict(bytearray)
        read, reached = 0, ""
        for name, told in self.receipts.of(piece.date.isoformat(), piece.share, piece.after):
            if read and not keep_going():
                self._leave(piece, digests, last=False)
                self.pieces.send([replace(piece, after=reached)])
                return read
            for key, version_id in told:
                hospital_id = reconciling.hospital_of(key, dates)
                if hospital_id is not None:
                    digests[hospital_id] += reconciling.digest(key, version_id)
            read, reached = read + 1, name
        self._leave(piece, digests, last=True)
        if reconciling.all_sorted(piece.night, parts := self.sorted.parts(piece.night)):
            self._check_hospitals(piece.night, parts)
        return read

    def _leave(self, piece: SortPiece, digests: dict[str, bytearray], *, last: bool) -> None:
        part = reconciling.part_of(piece, last=last)
        self.sorted.put(piece.night, part, {hospital: bytes(found) for hospital, found in digests.items()})

    def _check_hospitals(self, night: datetime, parts: list[str]) -> None:
        spans: dict[str, list[Span]] = defaultdict(list)
        for part in parts:
            for hospital_id, (offset, length) in self.sorted.spans(night, part).items():
                spans[hospital_id].append(Span(part, offset, length))
        ids = [hospital.hospital_id for hospital in self.hospitals.list()]
        self.pieces.send([CheckPiece(night, one, tuple(spans.get(one, ()))) for one in ids])
