"""An object version as a seekable file over ranged GETs, so that `zipfile` reads an archive without holding it."""

from __future__ import annotations

import errno
import io
from typing import TYPE_CHECKING

from chalicelib.services.examine_upload import DELETED, Refused

if TYPE_CHECKING:
    from chalicelib.services.ports import Uploads


class ReadTooLargeError(Exception):
    """More bytes asked for at once than `largest` allows: a length inside the file lies."""


class RangeFaultError(Exception):
    """A GET failed: our fault. Not the port's own error, which a reader of files could take for a fault of the file."""


class RangedFile(io.RawIOBase):
    """Reads are answered from kept ranges and the block read last; else a GET of `block` bytes or more is made.

    Raises Refused("deleted") when the version is gone, ReadTooLargeError for a read beyond `largest`, RangeFaultError
    when the port raises. A read is short only at the end of the object.
    """

    def __init__(self, uploads: Uploads, key: str, version_id: str, size: int, block: int) -> None:
        super().__init__()
        self.size = size
        self.largest = size
        self._uploads = uploads
        self._key = key
        self._version_id = version_id
        self._block = block
        self._at = 0
        self._kept: list[tuple[int, bytes]] = []
        self._last: tuple[int, bytes] = (0, b"")

    def keep(self, start: int, data: bytes) -> None:
        """Answer reads of this range from `data` from now on."""
        self._kept.append((start, data))

    def exactly(self, start: int, length: int) -> bytes:
        """A range in one GET without reading ahead, or in none where it is kept."""
        return self.at(start, length) if self._holds(start, length) else self._get(start, length)

    def at(self, start: int, length: int) -> bytes:
        """`length` bytes from `start`, or fewer at the end of the object."""
        self.seek(start)
        return self.read(length)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "negative seek position")  # as files do: zipfile counts on it
        self._at = base + offset
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        end = self.size if size < 0 else min(self._at + size, self.size)
        if end - self._at > self.largest:
            raise ReadTooLargeError
        pieces = []
        while self._at < end:
            piece = self._piece(self._at, end)
            self._at += len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def _piece(self, start: int, end: int) -> bytes:
        for first, data in (*self._kept, self._last):
            if first <= start < first + len(data):
                return data[start - first : end - first]
        self._last = (start, self._get(start, max(end - start, self._block)))
        return self._last[1][: end - start]

    def _holds(self, start: int, length: int) -> bool:
        return any(first <= start and start + length <= first + len(data) for first, data in self._kept)

    def _get(self, start: int, length: int) -> bytes:
        try:
            part = self._uploads.read(self._key, self._version_id, start, min(length, self.size - start))
        except Exception as fault:
            raise RangeFaultError from fault
        if part is None:
            raise Refused(DELETED)
        if not part.data:
            raise RangeFaultError("a range inside the object was answered with nothing")
        return part.data
