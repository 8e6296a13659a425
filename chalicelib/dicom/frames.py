"""Where the frames of an instance lie, native or encapsulated (PS3.5 A.4, Annex A), and how they are told apart."""

from __future__ import annotations

import array
from collections.abc import Sequence
from dataclasses import dataclass
from struct import unpack_from

from chalicelib.dicom.scan import ITEM, UNDEFINED
from chalicelib.dicom.whole_header import OFFSETS, WholeHeader, frames_of, value_of

NATIVE = "1.2.840.10008.1.2.1"
IMAGE_TYPES = {  # PS3.18 Table 8.7.3-5
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}


class NoSuchFrame(Exception):  # noqa: N818 - named by the fact
    """The instance has no pixels, not so many frames, or none that can be told apart."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of the object that hold frames, and how to cut them. `offsets`: of each frame in an encapsulated span."""

    start: int
    length: int


def transfer_syntax(header: WholeHeader) -> str:
    """As frames are given: whatever is native is given in little endian."""
    return NATIVE if _is_native(header) else header.transfer_syntax


def native_spans(header: WholeHeader, numbers: Sequence[int]) -> list[Span] | None:
    """Where each frame lies; None for encapsulated ones. Raises NoSuchFrame."""
    if not _is_native(header):
        return None
    assert header.pixels is not None  # noqa: S101 - for the type checker: without pixels nothing is native
    size, most = _frame_size(header), frames_of(header.dataset)
    if not all(1 <= number <= most and size * number <= header.pixels.length for number in numbers):
        raise NoSuchFrame
    return [Span(header.pixels.start + (number - 1) * size, size) for number in numbers]


def little_endian(header: WholeHeader, frame: bytes) -> bytes:
    """A native frame as explicit little endian has it. Bytes in words are turned too (PS3.5 §8.1.2); raises NoSuchFrame
    where a word belongs to two frames."""
    bits, in_words = value_of(header.dataset, "BitsAllocated"), header.pixels and header.pixels.vr == "OW"
    if header.little or not (bits == 16 or (bits == 8 and in_words)):
        return frame
    if len(frame) % 2:
        raise NoSuchFrame
    words = array.array("H", frame)
    words.byteswap()
    return words.tobytes()


def encapsulated(header: WholeHeader, pixels: bytes, numbers: Sequence[int]) -> list[bytes]:
    """Frames out of `pixels`: all of the value from its first item on. Raises NoSuchFrame."""
    most = frames_of(header.dataset)
    if not all(1 <= number <= most for number in numbers):
        raise NoSuchFrame
    table, items = _items(pixels)
    if most == 1:
        return [b"".join(data for _, data in items)] * len(numbers)
    starts = _extended(header) or table
    if len(starts) == most:
        cut = [*starts, 1 << 62]
        return [_joined(items, cut[number - 1], cut[number]) for number in numbers]
    if len(items) != most:
        raise NoSuchFrame
    return [items[number - 1][1] for number in numbers]


def _joined(items: Sequence[tuple[int, bytes]], start: int, end: int) -> bytes:
    found = b"".join(data for at, data in items if start <= at < end)
    if not found:
        raise NoSuchFrame
    return found


def _items(pixels: bytes) -> tuple[list[int], list[tuple[int, bytes]]]:
    """The basic offset table, and each fragment with its offset from the first one's item."""
    found, at = [], 0
    while at + 8 <= len(pixels):
        group, element, length = unpack_from("<HHL", pixels, at)
        if (group << 16 | element) != ITEM or at + 8 + length > len(pixels):
            break
        found.append((at, pixels[at + 8 : at + 8 + length]))
        at += 8 + length
    if not found:
        raise NoSuchFrame
    table, first = found[0][1], 8 + len(found[0][1])
    offsets = list(unpack_from(f"<{len(table) // 4}L", table))
    return offsets, [(start - first, data) for start, data in found[1:]]


def _extended(header: WholeHeader) -> list[int]:
    raw = value_of(header.dataset, OFFSETS) or b""
    return list(unpack_from(f"<{len(raw) // 8}Q", raw)) if isinstance(raw, bytes) else []


def _is_native(header: WholeHeader) -> bool:
    if header.pixels is None:
        raise NoSuchFrame
    return header.pixels.length != UNDEFINED


def _frame_size(header: WholeHeader) -> int:
    of = header.dataset
    try:
        pixels = int(value_of(of, "Rows")) * int(value_of(of, "Columns"))
        bits = pixels * int(value_of(of, "SamplesPerPixel") or 1) * int(value_of(of, "BitsAllocated"))
    except (ArithmeticError, TypeError, ValueError):
        raise NoSuchFrame from None
    if value_of(of, "PhotometricInterpretation") == "YBR_FULL_422":
        bits = pixels * 16
    if bits <= 0 or (bits % 8 and frames_of(of) > 1):
        raise NoSuchFrame
    return (bits + 7) // 8
