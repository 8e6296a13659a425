"""The files of one series → the objects they are sent as: packs, and single files that fit into none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import header
from .faults import ChangedError
from .pack import Indexed, Source, digest, index_of, split
from .scan import Found
from .state import Plan, State
from .tally import Tally

LARGEST_FILE: Final = 4 * 1024**3  # infra/JOINING.md: limits
FEWEST: Final = 2  # an index for one image alone would only cost


@dataclass(frozen=True)
class Planner:
    state: State
    tally: Tally

    def __call__(self, series: Sequence[Found]) -> Iterator[Plan]:
        """Reads each file once from end to end."""
        packed: dict[str, Indexed] = {}
        single: list[Indexed] = []
        digests: set[bytes] = set()
        again: list[tuple[Source, str]] = []
        for one in series:
            source = self._digest(one)
            if source is None:
                continue
            if self.state.is_known(source) or source.sha256 in digests:
                again.append((source, one.sop))
                continue
            digests.add(source.sha256)
            told = self._header(one) if one.packable and one.sop not in packed else None
            if told is None:  # also other bytes under a UID that is in the pack: the cloud shall see both
                single.append(Indexed(source, one.sop, {}))
            else:
                packed[one.sop] = Indexed(source, one.sop, told)
        yield from self._plans(series[0], list(packed.values()), single)
        for source, sop in again:
            self.state.note_copy(source, sop)
            self.tally.copy()

    @staticmethod
    def _header(one: Found) -> header.Header | None:
        """None where it is no longer what it was: the sender will tell."""
        try:
            return header.read(Path(one.path)).header
        except (header.NotDicomError, OSError):
            return None

    def _digest(self, one: Found) -> Source | None:
        try:
            if one.size > LARGEST_FILE:
                self.tally.skip(one.path, "too_large")
                return None
            source = digest(Path(one.path))
        except ChangedError:
            self.tally.skip(one.path, "changed")
        except OSError:
            self.tally.skip(one.path, "unreadable")
        else:
            if (source.size, source.mtime_ns) == (one.size, one.mtime_ns):
                return source
            self.tally.skip(one.path, "changed")
        return None

    @staticmethod
    def _plans(of: Found, packed: Sequence[Indexed], single: Sequence[Indexed]) -> Iterator[Plan]:
        for images in split(packed):
            if len(images) < FEWEST:
                single = [*single, *images]
                continue
            index = index_of(images)
            name = f"{hashlib.sha256(index).hexdigest()}.zip"
            yield Plan("archives", name, of.study, of.series, index, tuple(images))
        for image in single:
            yield Plan("instances", f"{image.source.sha256.hex()}.dcm", of.study, of.series, b"", (image,))
