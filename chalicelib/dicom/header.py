"""The leading bytes of an uploaded object → its Header. Strict on UIDs, lenient on all the rest (DESIGN §4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timezone

from chalicelib.dicom.build import build_header
from chalicelib.dicom.part10 import open_file
from chalicelib.dicom.scan import FIRST_RANGE, MAX_HEADER, GoesOn, Unreadable, Walker
from chalicelib.dicom.tags import TRANSFER_SYNTAX
from chalicelib.dicom.values import Found, read_values
from chalicelib.domain.study import Header, Repair

__all__ = ["FIRST_RANGE", "MAX_HEADER", "NeedMore", "Unreadable", "read_found", "read_header"]

_SLACK = 16 * 1024


@dataclass(frozen=True, slots=True)
class NeedMore:
    """The header goes on: the first `length` bytes of the object are needed. Always more than was given."""

    length: int


def read_header(data: bytes, object_size: int, zone: timezone) -> Header | NeedMore:
    """`data` is the object's first min(FIRST_RANGE, object_size) bytes or more; `zone` the hospital's, for times that
    carry no offset. NeedMore is for headers alone: pixels, waveforms, documents and functional groups are not read.

    Raises Unreadable with a reason of `domain.quarantine.REASONS` and never anything else.
    """
    try:
        found, repairs = read_found(data, object_size)
    except GoesOn as more:
        return _need_more(more.length, len(data), object_size)
    return build_header(found, repairs, zone)


def read_found(data: bytes, object_size: int) -> tuple[Found, dict[int, Repair]]:
    """All wanted values of an object, by tag. Raises Unreadable, or GoesOn when `data` is too short."""
    encoded = open_file(data, object_size)
    walker = Walker(encoded.data, encoded.size, little=encoded.little)
    scan = walker.scan(encoded.pos, implicit=encoded.implicit)
    scan.elements[TRANSFER_SYNTAX] = ("UI", encoded.transfer_syntax.encode("latin-1"))
    return read_values(scan, little=encoded.little)


def _need_more(length: int, given: int, object_size: int) -> NeedMore:
    """Ask for several times what was given, so that a long header costs few requests."""
    if given >= min(object_size, MAX_HEADER):
        raise Unreadable("header_too_long", f"more than {given} bytes")
    return NeedMore(min(max(length + _SLACK, 4 * given, FIRST_RANGE), object_size, MAX_HEADER))
