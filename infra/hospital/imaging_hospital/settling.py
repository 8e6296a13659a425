"""Which files of a directory that others write to can be taken: those that nobody has touched for a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from . import scan
from .scan import Found, Standing
from .tally import Tally

PATIENCE: Final = 20  # a series that never settles is taken in pieces after so many times as long
AGAIN: Final = 3600.0  # what was refused is tried again after an hour


@dataclass
class _Seen:
    """`first`: when the file was first seen at all, `since`: as it stands now. `found` None: no DICOM, as told."""

    standing: Standing
    first: float
    since: float
    was_read: bool = False
    found: Found | None = None
    not_before: float = 0.0
    done: bool = False


@dataclass
class Settling:
    """What was seen at the looks before. `seconds`: for how long a file keeps its size and time before it is whole, and
    a series gets no new one before it is packed. `whole`: files appear in one piece, so only series are waited for.
    Times are of a monotonic clock."""

    seconds: float
    whole: bool = False
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def look(self, files: Iterable[Standing], tally: Tally, now: float) -> list[list[Found]]:
        """The series that can be sent now. Each file that is none is told once."""
        known, self._seen = self._seen, {}
        for one in files:
            self._seen[one.path] = self._again(known.get(one.path), one, now)
        waiting = [seen for seen in self._seen.values() if not seen.done and seen.not_before <= now]
        for seen in waiting:
            if not seen.was_read and (self.whole or self._is_still(seen, now)):
                seen.was_read, seen.found = True, scan.read_one(seen.standing, tally)
                seen.done = seen.found is None
        return self._ready(waiting, now)

    def _again(self, before: _Seen | None, one: Standing, now: float) -> _Seen:
        if before is None:
            return _Seen(one, now, now)
        return before if before.standing == one else _Seen(one, before.first, now)

    def _is_still(self, seen: _Seen, now: float) -> bool:
        return now - seen.since >= self.seconds

    def _ready(self, waiting: list[_Seen], now: float) -> list[list[Found]]:
        """Series without a file that is still too young. Where some are unread, nobody knows of which series they are:
        those in the same directory hold it up too."""
        young = {_folder(seen) for seen in waiting if not seen.was_read}
        ready = []
        for series in scan.by_series(seen.found for seen in waiting if seen.found):
            members = [self._seen[one.path] for one in series]
            held = any(_folder(seen) in young or not self._is_still(seen, now) for seen in members)
            if not held or now - min(seen.first for seen in members) >= PATIENCE * self.seconds:
                ready.append(series)
        return ready

    def later(self, path: str, now: float) -> None:
        if path in self._seen:
            self._seen[path].not_before = now + AGAIN


def _folder(seen: _Seen) -> str:
    return seen.standing.path.rpartition("/")[0]
