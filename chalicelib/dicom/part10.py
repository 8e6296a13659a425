"""The outside of a DICOM file (PS3.10 clause 7): preamble, prefix, group 0002, and how the dataset is encoded."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from chalicelib.dicom.scan import MAX_HEADER, UNDEFINED, GoesOn, Unreadable, Walker, is_vr
from chalicelib.dicom.tags import MEDIA_STORAGE_SOP_CLASS, TRANSFER_SYNTAX

PREAMBLE = 128
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
DICOMDIR = "1.2.840.10008.1.3.10"
_CLASS_UID = b"\x02\x00\x02\x00UI"
_INSTANCE_UID = b"\x02\x00\x03\x00UI"
_HEAD = 4096  # bytes in which group 0002 begins, where it is of use
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONGEST_UID = 64  # PS3.5 9.1


@dataclass(frozen=True, slots=True)
class Encoded:
    """The dataset: `data` from `pos` on, `size` bytes long in all (inflated, where it was deflated)."""

    transfer_syntax: str
    data: bytes
    size: int
    pos: int
    implicit: bool
    little: bool


def open_file(data: bytes, size: int) -> Encoded:
    """Reads up to the first element of the dataset. Raises Unreadable, or GoesOn."""
    if size == 0:
        raise Unreadable("empty")
    if size < PREAMBLE + 4:
        raise Unreadable("not_dicom", f"{size} bytes are too few")
    if len(data) < PREAMBLE + 4:
        raise GoesOn(PREAMBLE + 4)
    if data[PREAMBLE : PREAMBLE + 4] != b"DICM":
        raise Unreadable("not_dicom", f"no DICM prefix at offset {PREAMBLE}")
    walker = Walker(data, size, little=True)
    meta, pos = _meta(walker, data, size)
    if meta.get(MEDIA_STORAGE_SOP_CLASS) == DICOMDIR:
        raise Unreadable("dicomdir")
    pos = _skip_commands(walker, data, size, pos)
    syntax = meta.get(TRANSFER_SYNTAX, "")
    little = syntax != EXPLICIT_BIG
    if syntax in DEFLATED:
        data, size = _inflate(data, size, pos)
        pos = 0
    return Encoded(syntax, data, size, pos, _is_implicit(syntax, data, pos), little)


def claimed_instance(data: bytes) -> str:
    """The SOP Instance UID that the file's head claims (0002,0003), however broken the rest is; "" for none."""
    return _claimed(data, _INSTANCE_UID)


def claimed_class(data: bytes) -> str:
    """The SOP Class UID likewise (0002,0002)."""
    return _claimed(data, _CLASS_UID)


def _claimed(data: bytes, element: bytes) -> str:
    """Group 0002 is explicit little endian (PS3.10 7.1), so its bytes can be found without reading what is before
    them."""
    start = data.find(element, PREAMBLE + 4, _HEAD)
    if start < 0 or data[PREAMBLE : PREAMBLE + 4] != b"DICM":
        return ""
    at = start + len(element) + 2
    length = int.from_bytes(data[at - 2 : at], "little")
    told = data[at : at + length].decode("latin-1").strip(" \0")
    return told if len(told) <= _LONGEST_UID and _UID.fullmatch(told) else ""


def _group(walker: Walker, data: bytes, size: int, pos: int) -> int:
    if pos + 8 > size:
        return -1
    walker.need(pos + 8)
    return int.from_bytes(data[pos : pos + 2], "little")


def _meta(walker: Walker, data: bytes, size: int) -> tuple[dict[int, str], int]:
    """Group 0002 by its elements, not by its group length, which is often wrong; some write it in implicit VR."""
    pos = PREAMBLE + 4
    found: dict[int, str] = {}
    implicit = not is_vr(data[pos + 4 : pos + 6])
    while _group(walker, data, size, pos) == 2:
        tag, _, length, at = walker.element(pos, implicit)
        if length == UNDEFINED:
            raise Unreadable("malformed", f"undefined length in group 0002 at offset {pos}")
        pos = walker.past(tag, at, length)
        if tag in (MEDIA_STORAGE_SOP_CLASS, TRANSFER_SYNTAX):
            walker.need(pos)
            found[tag] = data[at:pos].decode("latin-1").strip(" \0")
    return found, pos


def _skip_commands(walker: Walker, data: bytes, size: int, pos: int) -> int:
    """Some writers leave a command set (PS3.7 6.3.1, implicit VR) before the dataset."""
    while _group(walker, data, size, pos) == 0 and any(data[pos : pos + 8]):
        tag, _, length, at = walker.element(pos, implicit=True)
        pos = walker.past(tag, at, length)
    return pos


def _is_implicit(syntax: str, data: bytes, pos: int) -> bool:
    """What the first element looks like goes before what the transfer syntax says, as in pydicom."""
    two = data[pos + 4 : pos + 6]
    return syntax == IMPLICIT_LITTLE if len(two) < 2 else not is_vr(two)


def _inflate(data: bytes, size: int, pos: int) -> tuple[bytes, int]:
    """At most MAX_HEADER bytes of a deflated dataset (PS3.5 A.5). Its size is known only when all of it is here."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(data[pos:], MAX_HEADER)
    except zlib.error:
        raise Unreadable("malformed", f"the dataset at offset {pos} cannot be inflated") from None
    if stream.eof:
        return inflated, len(inflated)
    if len(data) >= size and not stream.unconsumed_tail and len(inflated) < MAX_HEADER:
        raise Unreadable("truncated", "the deflated dataset has no end")
    return inflated, 1 << 62
