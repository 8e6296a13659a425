"""Headers out of the objects themselves, read under a grant: as much of each as it takes, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Protocol

from chalicelib.dicom.scan import FIRST_RANGE, MAX_HEADER, GoesOn, Unreadable
from chalicelib.dicom.whole_header import WholeHeader, read_whole
from chalicelib.domain.access import Grant
from chalicelib.domain.study import Place

AT_A_TIME: Final = 256  # headers that are held in memory
SHORTEST_RANGE: Final = 4096


class TooLarge(Exception):  # noqa: N818 - named by the fact
    """It does not fit an answer of ours; smaller parts of it do, or a signed URL."""


class GrantedReads(Protocol):
    def read(self, grant: Grant, spans: Sequence[Place], now: datetime) -> list[bytes]:
        """The bytes of each place, in order, read under the grant."""
        ...


def each_header(
    reads: GrantedReads, grant: Grant, places: Sequence[Place], now: datetime
) -> Iterator[WholeHeader | None]:
    """The header of each object, in order; None for one that ingest could index and pydicom cannot read. The first are
    read with what holds nearly every header, the others with twice what the longest so far took. Raises TooLarge."""
    range_ = FIRST_RANGE
    for start in range(0, len(places), AT_A_TIME):
        found = _read(reads, grant, places[start : start + AT_A_TIME], now, range_)
        ends = [one.pixels.start if one and one.pixels else FIRST_RANGE for one in found]
        range_ = min(FIRST_RANGE, max(SHORTEST_RANGE, 2 * max(ends)))
        yield from found


def _read(
    reads: GrantedReads, grant: Grant, places: Sequence[Place], now: datetime, first: int
) -> list[WholeHeader | None]:
    lengths = {number: min(first, place.length) for number, place in enumerate(places)}
    found: dict[int, WholeHeader | None] = {}
    while lengths:
        wanted = [Place(*_key(places[number]), length) for number, length in lengths.items()]
        bodies = dict(zip(lengths, reads.read(grant, wanted, now), strict=True))
        lengths = {}
        for number, body in bodies.items():
            try:
                found[number] = read_whole(body, places[number].length)
            except GoesOn as more:
                lengths[number] = _more(more.length, len(body), places[number].length)
            except Unreadable:
                found[number] = None
    return [found[number] for number in range(len(places))]


def _key(place: Place) -> tuple[str, str, int]:
    return place.key, place.version_id, place.offset


def _more(wanted: int, given: int, size: int) -> int:
    if given >= min(size, MAX_HEADER):
        raise TooLarge
    return min(max(wanted, 4 * given), size, MAX_HEADER)
