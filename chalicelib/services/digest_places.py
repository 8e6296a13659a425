"""Digests of places whose bytes alone can tell copies apart (DESIGN §4.7), in steps that outlive a run cut off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from chalicelib.domain.study import Place, StudyRef
from chalicelib.services.ports import Studies, Uploads

# What one stream reads. Eight at a time take a quarter of settle's 60 seconds at the 600 Mbit/s that a function gets,
# so a run cut off leaves some 4 GB less to the next: two copies of the largest instance (4 GiB) need three of ten.
BLOCK: Final = 128 * 1024**2
Spot = tuple[str, int]


class _Step(NamedTuple):
    """A range to read, and the spot where its digest is kept as a fact."""

    block: Place
    spot: Spot


@dataclass(frozen=True, slots=True)
class DigestPlaces:
    """A place of at most a block: its SHA-256. A larger one: the SHA-256 of its blocks' in a row, so that copies of
    equal length have equal digests if they are equal. Only such are ever compared."""

    studies: Studies
    uploads: Uploads
    workers: int = 8
    block: int = BLOCK

    def __call__(self, ref: StudyRef, places: Sequence[Place]) -> dict[Spot, str]:
        """Digests by (version_id, offset), those known before among them; "" where the bytes are gone."""
        known = self.studies.digests(ref)
        steps = {place: list(self._steps(place)) for place in places}
        unread = [step for each in steps.values() for step in each if step.spot not in known]
        found = {**known, **self._read(ref, unread)}
        wholes = {_spot(place): _whole([found[step.spot] for step in each]) for place, each in steps.items()}
        return {**found, **wholes}

    def _steps(self, place: Place) -> Iterator[_Step]:
        """A block of many is kept at its last byte: at its first, that of the whole would lie."""
        if place.length <= self.block:
            yield _Step(place, _spot(place))
            return
        for start in range(0, place.length, self.block):
            length = min(self.block, place.length - start)
            block = replace(place, offset=place.offset + start, length=length)
            yield _Step(block, (place.version_id, block.offset + length - 1))

    def _read(self, ref: StudyRef, steps: Sequence[_Step]) -> Mapping[Spot, str]:
        def read(step: _Step) -> str:
            found = self.uploads.sha256(step.block)
            if found is not None:
                self.studies.put_digest(ref, replace(step.block, offset=step.spot[1]), found)
            return found or ""

        if self.workers == 1:
            digests = list(map(read, steps))
        else:
            with ThreadPoolExecutor(self.workers) as pool:
                digests = list(pool.map(read, steps))
        return {step.spot: digest for step, digest in zip(steps, digests, strict=True)}


def _whole(digests: Sequence[str]) -> str:
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest() if all(digests) else ""


def _spot(place: Place) -> Spot:
    return place.version_id, place.offset
