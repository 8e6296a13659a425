"""A picture as PNG (ISO/IEC 15948): 8 bits a sample, grey or RGB, and nothing else."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

_COLOURS = {1: 0, 3: 2}  # samples a pixel → colour type


@dataclass(frozen=True, slots=True)
class Picture:
    """`samples`: rows from the top, 8 bits each, pixel by pixel."""

    width: int
    height: int
    channels: int
    samples: bytes


def png(picture: Picture) -> bytes:
    stride = picture.width * picture.channels
    rows = (picture.samples[at : at + stride] for at in range(0, stride * picture.height, stride))
    head = struct.pack(">IIBBBBB", picture.width, picture.height, 8, _COLOURS[picture.channels], 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
