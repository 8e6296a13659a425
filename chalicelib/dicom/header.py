"""The leading bytes of an uploaded object → its Header. Strict on UIDs, lenient on all the rest (DESIGN §4.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timezone
from typing import Any

from chalicelib.dicom.build import build_header
from chalicelib.dicom.part10 import open_file
from chalicelib.dicom.scan import FIRST_RANGE, MAX_HEADER, GoesOn, Unreadable, Walker
from chalicelib.dicom.tags import BY_TAG, FIELD_OF_KEYWORD, SYNTAX, Tag
from chalicelib.dicom.values import Values
from chalicelib.domain.study import Header, Repair

__all__ = ["FIRST_RANGE", "MAX_HEADER", "NeedMore", "Unreadable", "read_header", "read_values"]

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
    values = read_values(data, object_size)
    if isinstance(values, NeedMore):
        return values
    header = build_header(values.value, zone)
    return replace(header, repaired=_repaired(values.repairs)) if values.repairs else header


def read_values(data: bytes, object_size: int) -> ObjectValues | NeedMore:
    """As `read_header`, one step earlier: any wanted tag's value."""
    try:
        encoded = open_file(data, object_size)
        walker = Walker(encoded.data, encoded.size, little=encoded.little)
        scan = walker.scan(encoded.pos, implicit=encoded.implicit)
    except GoesOn as more:
        return _need_more(more.length, len(data), object_size)
    return ObjectValues(scan, encoded.little, transfer_syntax=encoded.transfer_syntax)


@dataclass(slots=True)
class ObjectValues(Values):
    """The values of a whole object, group 0002 included."""

    transfer_syntax: str = ""

    def value(self, tag: Tag) -> Any:
        return self.transfer_syntax if tag is SYNTAX else Values.value(self, tag)


def _need_more(length: int, given: int, object_size: int) -> NeedMore:
    """Ask for several times what was given, so that a long header costs few requests."""
    if given >= min(object_size, MAX_HEADER):
        raise Unreadable("header_too_long", f"more than {given} bytes")
    return NeedMore(min(max(length + _SLACK, 4 * given, FIRST_RANGE), object_size, MAX_HEADER))


def _repaired(repairs: dict[int, Repair]) -> dict[str, Repair]:
    keywords = {BY_TAG[tag].keyword: repair for tag, repair in repairs.items()}
    return {FIELD_OF_KEYWORD.get(keyword, keyword): repair for keyword, repair in keywords.items()}
