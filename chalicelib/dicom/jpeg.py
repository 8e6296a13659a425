"""A small picture as baseline JPEG (ISO/IEC 10918-1): what every viewer asks a thumbnail in (PS3.18 §8.7.4).

One quantisation table for all components, and Huffman codes of one length each: some hundred bytes more than with codes
made to measure, and no tables to keep.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from operator import mul
from typing import Final

from chalicelib.dicom.png import Picture

_ZIGZAG: Final = sorted(range(64), key=lambda at: (sum(divmod(at, 8)), at if sum(divmod(at, 8)) % 2 else -at))
_QUANTA: Final = bytes.fromhex(  # Table K.1 at quality 90, row by row
    "0302020305080a0c02020304050c0c0b03030305080b0e0b030304060a11100c"
    "0404070b0e16150f05070b0d101517120a0d1011151818140e12131416141514"
)
_DC: Final = bytes(range(12))
_AC: Final = bytes((0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 11))))
_END, _SIXTEEN = 0x00, 0xF0
_DC_LENGTH, _AC_LENGTH = 4, 8
_AC_CODES: Final = {symbol: code for code, symbol in enumerate(_AC)}
_COSINES: Final = tuple(
    tuple((math.sqrt(0.125) if u == 0 else 0.5) * math.cos((2 * x + 1) * u * math.pi / 16) for x in range(8))
    for u in range(8)
)

Code = tuple[int, int]
"""A value and how many bits of it."""


def jpeg(picture: Picture) -> bytes:
    planes = _planes(picture)
    blocks = [list(_blocks(plane, picture.width, picture.height)) for plane in planes]
    before, codes = [0] * len(planes), list[Code]()
    for at in range(len(blocks[0])):
        for plane, of in enumerate(blocks):
            codes += _coded(of[at], before[plane])
            before[plane] = of[at][0]
    return b"".join((_head(picture), _packed(codes), b"\xff\xd9"))


def _planes(picture: Picture) -> list[Sequence[float]]:
    if picture.channels == 1:
        return [picture.samples]
    pixels = list(zip(*(picture.samples[at::3] for at in range(3)), strict=True))
    y = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in pixels]
    cb = [128 + (b - luma) / 1.772 for (_, _, b), luma in zip(pixels, y, strict=True)]
    cr = [128 + (r - luma) / 1.402 for (r, _, _), luma in zip(pixels, y, strict=True)]
    return [y, cb, cr]


def _blocks(plane: Sequence[float], width: int, height: int) -> Iterator[list[int]]:
    """Quantised coefficients in zigzag order; at the edges the last row and column are repeated."""
    for top in range(0, height, 8):
        lines = [min(top + row, height - 1) * width for row in range(8)]
        for left in range(0, width, 8):
            columns = [min(left + column, width - 1) for column in range(8)]
            yield _transformed([[plane[line + column] - 128 for column in columns] for line in lines])


def _transformed(block: Sequence[Sequence[float]]) -> list[int]:
    """The discrete cosine transform (A.3.3), rows first, then columns."""
    across = [[sum(map(mul, wave, line)) for line in block] for wave in _COSINES]  # by frequency, then by line
    found = [sum(map(mul, wave, column)) for wave in _COSINES for column in across]
    return [round(found[at] / _QUANTA[at]) for at in _ZIGZAG]


def _coded(block: Sequence[int], before: int) -> Iterator[Code]:
    difference = block[0] - before
    size = abs(difference).bit_length()
    yield size, _DC_LENGTH
    yield _bits(difference, size)
    run, last = 0, max((at for at, value in enumerate(block) if value), default=0)
    for value in block[1 : last + 1]:
        if not value:
            run += 1
            continue
        for _ in range(run // 16):
            yield _AC_CODES[_SIXTEEN], _AC_LENGTH
        size = abs(value).bit_length()
        yield _AC_CODES[run % 16 << 4 | size], _AC_LENGTH
        yield _bits(value, size)
        run = 0
    if last < 63:
        yield _AC_CODES[_END], _AC_LENGTH


def _bits(value: int, size: int) -> Code:
    return (value if value >= 0 else value + (1 << size) - 1), size


def _packed(codes: Sequence[Code]) -> bytes:
    """The last byte is filled with ones, and after each byte of ones comes an empty one (B.1.1.5, F.1.2.3)."""
    held, length, packed = 0, 0, bytearray()
    for value, size in (*codes, (0x7F, 7)):
        held, length = (held & ((1 << length) - 1)) << size | value, length + size
        while length >= 8:
            length -= 8
            byte = held >> length & 0xFF
            packed += b"\xff\0" if byte == 0xFF else bytes((byte,))
    return bytes(packed)


def _head(picture: Picture) -> bytes:
    quanta = bytes(_QUANTA[at] for at in _ZIGZAG)
    components = range(1, picture.channels + 1)
    frame = struct.pack(">BHHB", 8, picture.height, picture.width, picture.channels)
    frame += b"".join(bytes((one, 0x11, 0)) for one in components)
    scan = bytes((picture.channels, *(part for one in components for part in (one, 0)), 0, 63, 0))
    return b"\xff\xd8" + b"".join(
        (
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xDB, b"\0" + quanta),
            _segment(0xC0, frame),
            _segment(0xC4, _lengths(0x00, _DC_LENGTH, _DC)),
            _segment(0xC4, _lengths(0x10, _AC_LENGTH, _AC)),
            _segment(0xDA, scan),
        )
    )


def _lengths(table: int, length: int, symbols: bytes) -> bytes:
    """A Huffman table whose codes are all `length` bits long (B.2.4.2)."""
    return bytes((table, *(len(symbols) if one == length else 0 for one in range(1, 17)))) + symbols


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
