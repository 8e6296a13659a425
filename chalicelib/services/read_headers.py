"""Headers out of the objects themselves, read under a grant: as much of each as it takes, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Protocol

from chalicelib.dicom.scan import FIRST_RANGE, MAX_HEADER, GoesOn, Unreadable
from chalicelib.dicom.whole_header import WholeHeader, read_whole
from chalicelib.domain.access import Grant
from chalicelib.domain.study import Place

AT_FIRST, AT_A_TIME = 16, 256  # headers that are read at once
SHORTEST_RANGE, LONGEST_RANGE = 4096, 1024 * 1024
HELD: Final = 16 * 1024 * 1024
MOST_HEADER_BYTES: Final = 512 * 1024 * 1024  # of all that one answer tells; 5,000 of 100 KB each


class TooLarge(Exception):  # noqa: N818 - named by the fact
    """It does not fit an answer of ours; smaller parts of it do, or a signed URL."""


class GrantedReads(Protocol):
    def read(self, grant: Grant, spans: Sequence[Place], now: datetime) -> list[bytes]:
        """The bytes of each place, in order, read under the grant."""
        ...


def each_header(
    reads: GrantedReads, grant: Grant, places: Sequence[Place], now: datetime
) -> Iterator[WholeHeader | None]:
    """The header of each object, in order; None for one that ingest could index and pydicom cannot read. The first few
    are read with what holds nearly every header, the others with twice what the longest so far took; what goes on
    beyond that is read by itself, so that no more than HELD bytes and one header are in memory. Raises TooLarge."""
    start, count, range_, left = 0, AT_FIRST, FIRST_RANGE, MOST_HEADER_BYTES
    while start < len(places):
        some = places[start : start + count]
        bodies = reads.read(grant, [_leading(place, range_) for place in some], now)
        longest = 0
        for place, body in zip(some, bodies, strict=True):
            header, length = _read(reads, grant, place, body, now)
            longest, left = max(longest, length), left - length
            if left < 0:
                raise TooLarge
            yield header
        start, range_ = start + len(some), min(LONGEST_RANGE, max(SHORTEST_RANGE, 2 * longest))
        count = min(AT_A_TIME, HELD // range_)


def _read(
    reads: GrantedReads, grant: Grant, place: Place, body: bytes, now: datetime
) -> tuple[WholeHeader | None, int]:
    """`body`: its leading bytes. The header, and how many bytes it took."""
    while True:
        try:
            header = read_whole(body, place.length)
        except GoesOn as more:
            (body,) = reads.read(grant, [_leading(place, _more(more.length, len(body), place.length))], now)
        except Unreadable:
            return None, len(body)
        else:
            return header, header.pixels.start if header.pixels and not header.deflated else len(body)


def _leading(place: Place, length: int) -> Place:
    return Place(place.key, place.version_id, place.offset, min(length, place.length))


def _more(wanted: int, given: int, size: int) -> int:
    if given >= min(size, MAX_HEADER):
        raise TooLarge
    return min(max(wanted, 4 * given), size, MAX_HEADER)
