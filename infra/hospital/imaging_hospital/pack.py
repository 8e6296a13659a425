"""A pack: a ZIP with stored entries of one series, its index first. It is never
written to the disk: its bytes are the index, a few small headers, and the files where they lie.

The same files give the same bytes, so its name can be its content's.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from .faults import ChangedError

INDEX_NAME: Final = b"index.json"
LARGEST: Final = 512 * 1024**2
"""A pack's bytes at most, where it has more than one image: what a cut at midnight can cost."""
MOST: Final = 2000
"""Images in one pack at most."""

CHUNK: Final = 1024 * 1024
_LOCAL: Final = struct.Struct("<4s5H3L2H")  # APPNOTE.TXT 4.3.7
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_END: Final = struct.Struct("<4s4H2LH")  # 4.3.16
_DATE: Final = 0x21  # 1980-01-01: the same files, the same bytes


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was when it was read first. `sha256` is its digest; `crc32` a ZIP's."""

    path: str
    size: int
    mtime_ns: int
    sha256: bytes
    crc32: int

    def is_unchanged(self) -> bool:
        try:
            now = Path(self.path).stat()
        except OSError:
            return False
        return (now.st_size, now.st_mtime_ns) == (self.size, self.mtime_ns)


@dataclass(frozen=True, slots=True)
class Indexed:
    """An image of a pack: its file and what the index says of it."""

    source: Source
    sop: str
    header: dict[str, Any]


def digest(path: Path) -> Source:
    """Reads the file once. Raises OSError, or ChangedError when it is written to at the same time."""
    sha256, crc32, size = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        before = path.stat()
        while chunk := file.read(CHUNK):
            sha256.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            size += len(chunk)
    source = Source(str(path), size, before.st_mtime_ns, sha256.digest(), crc32)
    if not source.is_unchanged():
        raise ChangedError(str(path))
    return source


def index_of(images: Sequence[Indexed]) -> bytes:
    """The index's own length moves the images it tells the places of: its digits settle after a round or two."""
    items: list[dict[str, Any]] = [
        {
            "sop_uid": image.sop,
            "offset": 0,
            "length": image.source.size,
            "sha256": image.source.sha256.hex(),
            "header": image.header,
        }
        for image in images
    ]
    index, before = b"", -1
    while len(index) != before:
        before = len(index)
        at = _LOCAL.size + len(INDEX_NAME) + before
        for number, item in enumerate(items, 1):
            item["offset"] = at + _LOCAL.size + len(_name(number))
            at = item["offset"] + item["length"]
        index = json.dumps({"instances": items}, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return index


def _name(number: int) -> bytes:
    return b"%05d.dcm" % number


@dataclass(frozen=True)
class Content:
    """What an object in the cloud will hold: bytes at hand and files, one after the other."""

    pieces: tuple[bytes | Source, ...]

    @classmethod
    def of_file(cls, source: Source) -> Content:
        return cls((source,))

    @classmethod
    def of_pack(cls, index: bytes, sources: Sequence[Source]) -> Content:
        names = [INDEX_NAME, *(_name(number) for number in range(1, len(sources) + 1))]
        sums = [(zlib.crc32(index), len(index)), *((source.crc32, source.size) for source in sources)]
        bodies: list[bytes | Source] = [index, *sources]
        pieces: list[bytes | Source] = []
        directory, at = b"", 0
        for name, (crc32, length), body in zip(names, sums, bodies, strict=True):
            entry = (10, 0, 0, 0, _DATE, crc32, length, length, len(name), 0)
            pieces += [_LOCAL.pack(b"PK\x03\x04", *entry) + name, body]
            directory += _CENTRAL.pack(b"PK\x01\x02", 10, *entry, 0, 0, 0, 0, at) + name
            at += _LOCAL.size + len(name) + length
        count = len(names)
        pieces.append(directory + _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), at, 0))
        return cls(tuple(pieces))

    @property
    def size(self) -> int:
        return sum(_size(piece) for piece in self.pieces)

    def read(self, start: int, length: int) -> bytes:
        """Bytes `start` to `start + length`. Raises ChangedError where a file is not what it was, or cannot be read."""
        found: list[bytes] = []
        ends = list(accumulate(_size(piece) for piece in self.pieces))
        for piece, end in zip(self.pieces, ends, strict=True):
            begin = end - _size(piece)
            low, high = max(start, begin), min(start + length, end)
            if low < high:
                found.append(_part(piece, low - begin, high - low))
        return b"".join(found)


def _size(piece: bytes | Source) -> int:
    return piece.size if isinstance(piece, Source) else len(piece)


def _part(piece: bytes | Source, start: int, length: int) -> bytes:
    if not isinstance(piece, Source):
        return piece[start : start + length]
    if not piece.is_unchanged():
        raise ChangedError(piece.path)
    try:
        with Path(piece.path).open("rb") as file:
            file.seek(start)
            found = file.read(length)
    except OSError:
        raise ChangedError(piece.path) from None
    whole = length == piece.size
    if len(found) != length or (whole and zlib.crc32(found) != piece.crc32):
        raise ChangedError(piece.path)
    return found


def split(images: Sequence[Indexed], largest: int = LARGEST, most: int = MOST) -> Iterator[list[Indexed]]:
    """Into packs that are not too large."""
    group: list[Indexed] = []
    for image in images:
        if group and (len(group) >= most or sum(one.source.size for one in group) + image.source.size > largest):
            yield group
            group = []
        group.append(image)
    if group:
        yield group
