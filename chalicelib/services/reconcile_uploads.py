"""Events are a hint, the bucket is the truth: what no receipt names is fed again (DESIGN §4.9)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from chalicelib.domain import reconciling, upload_key
from chalicelib.domain.upload_key import TOLD, Uploaded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from chalicelib.domain.reconciling import CheckPiece
    from chalicelib.services.ports import ObjectVersion, Refeed, Uploads
    from chalicelib.services.reconcile_ports import Pieces, SortedReceipts

    Replay = Callable[[Collection[Uploaded], Callable[[], bool]], object]

_CHUNK: Final = 1000


@dataclass(frozen=True)
class StartReconcile:
    """A night begins with its receipts."""

    pieces: Pieces

    def __call__(self, now: datetime) -> int:
        """How many pieces were sent."""
        begun = reconciling.sort_pieces(now)
        self.pieces.send(begun)
        return len(begun)


@dataclass(frozen=True)
class ReconcileUploads:
    """One hospital, or what is left of it. A version fed twice does no harm."""

    uploads: Uploads
    sorted: SortedReceipts
    refeed: Refeed
    replay_amendments: Replay
    pieces: Pieces
    settling: timedelta = timedelta(minutes=15)

    def __call__(self, piece: CheckPiece, keep_going: Callable[[], bool]) -> int:
        """How many object versions were fed again. What came within `settling` of the night's beginning is still on its
        way by itself. When time runs out, what is left becomes another piece.

        Amendments are few and have no receipts: all are replayed, by a hospital's first piece.
        """
        if not piece.after:
            self._replay(piece)
        seen = self._seen(piece)
        fed, reached, missing = 0, piece.after, list[Uploaded]()
        for version in self._versions(piece):
            if version.key != reached and not keep_going():  # all versions of a key stay together
                self.pieces.send([replace(piece, after=reached)])
                break
            reached = version.key
            if self._settled(version, piece) and not _has(seen, version):
                missing.append(Uploaded(version.key, version.version_id, version.size))
            if len(missing) == _CHUNK:
                fed += self._feed(missing)
                missing = []
        return fed + self._feed(missing)

    def _feed(self, missing: list[Uploaded]) -> int:
        if missing:
            self.refeed.feed(missing)
        return len(missing)

    def _seen(self, piece: CheckPiece) -> Sequence[int]:
        """Sorted: eight bytes a version, where a set would take a hundred."""
        found = array("Q")
        for span in piece.seen:
            found.frombytes(self.sorted.read(piece.night, span.part, span.offset, span.length))
        return array("Q", sorted(found))

    def _versions(self, piece: CheckPiece) -> Iterator[ObjectVersion]:
        """In key order, behind `after`."""
        for kind in sorted(TOLD):
            for day in reconciling.upload_dates(piece.night):
                prefix = upload_key.prefix(kind, piece.hospital_id, day)
                if prefix > piece.after or piece.after.startswith(prefix):
                    yield from self.uploads.versions(prefix, piece.after if piece.after.startswith(prefix) else "")

    def _replay(self, piece: CheckPiece) -> None:
        days = reconciling.upload_dates(piece.night)
        prefixes = [upload_key.prefix("amendments", piece.hospital_id, day) for day in days]
        kept = [version for prefix in prefixes for version in self.uploads.versions(prefix)]
        settled = [Uploaded(one.key, one.version_id, one.size) for one in kept if self._settled(one, piece)]
        self.replay_amendments(tuple(settled), lambda: True)

    def _settled(self, version: ObjectVersion, piece: CheckPiece) -> bool:
        return version.last_modified <= piece.night - self.settling


def _has(seen: Sequence[int], version: ObjectVersion) -> bool:
    wanted = reconciling.number(reconciling.digest(version.key, version.version_id))
    at = bisect_left(seen, wanted)
    return at < len(seen) and seen[at] == wanted
