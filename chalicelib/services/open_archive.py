"""A ZIP's directory and entries, distrusted: bombs, lies and tricks become reasons (DESIGN §4.8).

Nothing is ever written under a name from inside an archive; entries are told apart by their number.
"""

from __future__ import annotations

import re
import stat
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from chalicelib.services.examine_upload import Refused
from chalicelib.services.ranged_file import ReadTooLargeError

if TYPE_CHECKING:
    from chalicelib.services.ranged_file import RangedFile

LOCAL_HEADER: Final = b"PK\x03\x04"
EMPTY_ARCHIVE: Final = b"PK\x05\x06"
ENCRYPTED: Final = 0x1
_LOCAL_LENGTH: Final = 30
# OSError: a seek before the file's beginning. (A fault of S3's is a RangeFaultError, never one of these.)
_MALFORMED: Final = (
    BadZipFile, EOFError, NotImplementedError, OSError, OverflowError, ValueError, struct.error, zlib.error
)  # fmt: skip
_DRIVE: Final = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one archive may hold. `entry` is held in memory; `ratio` counts only above `ratio_from` bytes, for a
    blank image alone may shrink a thousandfold."""

    entries: int = 50_000
    directory: int = 16 * 1024**2
    total: int = 64 * 1024**3
    entry: int = 512 * 1024**2
    ratio: int = 200
    ratio_from: int = 64 * 1024**2


@dataclass(frozen=True)
class Archive:
    """An opened ZIP. `entries` are in the directory's order; an entry's number is its place there."""

    zip: ZipFile
    entries: Sequence[ZipInfo]
    limits: Limits
    _names: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, info in enumerate(self.entries):
            self._names.setdefault(info.filename, number)

    def body(self, number: int) -> bytes:
        """The entry's bytes, their length and CRC as declared; Refused with the reason otherwise."""
        info = self.entries[number]
        self._distrust(number, info)
        try:
            with self.zip.open(info) as stream:
                body = stream.read(info.file_size + 1)  # bounded: an entry may inflate to more than it declares
        except _MALFORMED:
            raise Refused("damaged_entry", f"entry {number}") from None
        if len(body) != info.file_size:
            raise Refused("damaged_entry", f"entry {number}: another length than declared")
        if body.startswith(LOCAL_HEADER) and body[128:132] != b"DICM":
            raise Refused("nested_archive", f"entry {number}")
        return body

    def _distrust(self, number: int, info: ZipInfo) -> None:
        where = f"entry {number}"
        if info.flag_bits & ENCRYPTED:
            raise Refused("encrypted_entry", where)
        if _tricky(info):
            raise Refused("path_trick", where)
        if self._names[info.filename] != number:
            raise Refused("duplicate_entry", f"{where} has the name of entry {self._names[info.filename]}")
        if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise Refused("unsupported_compression", f"{where}: compression method {info.compress_type}")
        if max(info.file_size, info.compress_size) > self.limits.entry:
            raise Refused("too_large", f"{where}: {info.file_size} bytes, at most {self.limits.entry} in an archive")
        if _swollen(info.file_size, info.compress_size, self.limits):
            raise Refused("archive_bomb", f"{where}: {info.file_size} bytes from {info.compress_size}")


def open_archive(file: RangedFile, limits: Limits) -> Archive:
    """Read the directory. Refused when there is none, it is damaged, or it promises more than the limits."""
    opened = _open(file, limits)
    entries = opened.infolist()
    if not entries:
        raise Refused("bad_archive", "no entries")
    if len(entries) > limits.entries:
        raise Refused("too_many_entries", f"{len(entries)} entries, at most {limits.entries}")
    total = sum(info.file_size for info in entries)
    if total > limits.total or _swollen(total, file.size, limits):
        raise Refused("archive_bomb", f"{total} bytes from {file.size}")
    ordered = sorted(entries, key=lambda info: info.header_offset)
    if ordered[0].header_offset < 0:
        raise Refused("bad_archive", "an entry before the beginning")
    starts = [*(info.header_offset for info in ordered[1:]), file.size]
    if any(
        info.header_offset + _LOCAL_LENGTH + info.compress_size > end for info, end in zip(ordered, starts, strict=True)
    ):
        raise Refused("archive_bomb", "entries overlap")
    return Archive(opened, entries, limits)


def _open(file: RangedFile, limits: Limits) -> ZipFile:
    start = file.at(0, 4)
    if start not in {LOCAL_HEADER, EMPTY_ARCHIVE}:
        raise Refused("bad_archive", "not a ZIP")
    file.largest = limits.directory
    try:
        return ZipFile(file)
    except ReadTooLargeError:
        raise Refused("archive_bomb", f"a directory over {limits.directory} bytes") from None
    except _MALFORMED:
        raise Refused("bad_archive", "no readable directory at the end") from None
    finally:
        file.largest = file.size


def _swollen(size: int, compressed: int, limits: Limits) -> bool:
    return size > limits.ratio_from and size > limits.ratio * max(compressed, 1)


def _tricky(info: ZipInfo) -> bool:
    """A name that leads out of where it is unpacked, on any system, or a link. (Windows tools write backslashes.)"""
    name = info.orig_filename.replace("\\", "/")
    if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/") or "\0" in name:
        return True
    return stat.S_ISLNK(info.external_attr >> 16)
