"""Packs: a ZIP of exactly one series with stored entries, `index.json` first, is addressed in place (DESIGN §4.8).

The calls it costs are budgeted: ≤ 0.05 an instance for 100 instances and more, journal, settle message and receipt
included. So the head GET brings the index with the first entry, the tail GET the last entries with the directory.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_STORED

from chalicelib.dicom.header import NeedMore, Unreadable, read_header
from chalicelib.dicom.pack import INDEX_NAME, read_index
from chalicelib.services.examine_upload import Refused
from chalicelib.services.open_archive import ENCRYPTED, LOCAL_HEADER, open_archive

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timezone
    from zipfile import ZipInfo

    from chalicelib.dicom.pack import PackItem
    from chalicelib.domain.study import Header
    from chalicelib.services.open_archive import Limits
    from chalicelib.services.ranged_file import RangedFile

HEAD: Final = 2 * 1024**2  # the index of some hundred instances and the first image
_TAIL: Final = 32 * 1024**2  # more than this is not fetched only to save GETs
_MAX_INDEX: Final = 64 * 1024**2
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_DESCRIPTOR: Final = 0x8  # sizes stand behind the data: places could not be told from the directory
_SPREAD_FROM: Final = 160  # three more GETs stay within 0.05 an instance
_SAME: Final = (
    "sop_instance_uid",
    "series_instance_uid",
    "study_instance_uid",
    "sop_class_uid",
    "transfer_syntax_uid",
)


@dataclass(frozen=True, slots=True)
class _Local:
    """A local file header, as far as it matters here. The entry's bytes begin `data_at` bytes after its start."""

    name: bytes
    flags: int
    method: int
    length: int
    data_at: int


def open_pack(file: RangedFile, local: timezone, limits: Limits) -> tuple[PackItem, ...] | None:
    """The instances of a pack, in the order of their bytes; None when the archive is no pack and is to be unpacked.

    Refused("pack_mismatch") when it is one but its index does not say what the ZIP and the checked bytes say.
    """
    items = _index(file, local)
    if not items:
        return None
    _fetch_tail(file, items)
    archive = open_archive(file, limits)
    index, *entries = sorted(archive.entries, key=lambda info: info.header_offset)
    if index.header_offset != 0 or any(info.compress_type != ZIP_STORED for info in entries):
        return None
    _match(items, entries, archive.zip.start_dir, limits)
    for number in _chosen(len(items)):
        _check(file, number, items[number], entries[number], local)
    return items


def _index(file: RangedFile, local: timezone) -> tuple[PackItem, ...]:
    """What `read_index` accepts is of one series and in order of offset, no ranges overlapping."""
    first = _local_header(file.at(0, _LOCAL.size + len(INDEX_NAME)))
    if first is None or first.name != INDEX_NAME.encode() or first.method != ZIP_STORED or first.flags & _DESCRIPTOR:
        return ()
    if first.length > min(_MAX_INDEX, file.size):
        return ()
    try:
        return read_index(file.at(first.data_at, first.length), local).items
    except Unreadable:
        return ()  # an index.json of some other maker


def _fetch_tail(file: RangedFile, items: Sequence[PackItem]) -> None:
    """The checked entries at the end and the directory lie together: one GET, unless the images are very large."""
    first = len(items) - 1 if len(items) >= _SPREAD_FROM else max(len(items) - 4, 0)
    start = items[first - 1].offset + items[first - 1].length if first else 0
    while file.size - start > _TAIL and first < len(items):
        start = items[first].offset + items[first].length
        first += 1
    if 0 < file.size - start <= _TAIL:
        file.keep(start, file.exactly(start, file.size - start))


def _match(items: Sequence[PackItem], entries: Sequence[ZipInfo], end: int, limits: Limits) -> None:
    """Each place of the index is the data of one entry, and each entry has its place. Stored entries without a gap
    end where the next header starts, so the directory alone tells where every one's bytes begin."""
    if len(items) != len(entries):
        raise Refused("pack_mismatch", f"{len(items)} places for {len(entries)} entries")
    ends = [*(info.header_offset for info in entries[1:]), end]
    for number, (item, info, stop) in enumerate(zip(items, entries, ends, strict=True)):
        if info.flag_bits & (ENCRYPTED | _DESCRIPTOR) or info.compress_size != info.file_size:
            raise Refused("pack_mismatch", f"entry {number} is not plainly stored")
        if item.length > limits.entry:
            raise Refused("too_large", f"entry {number}: {item.length} bytes, at most {limits.entry} in a pack")
        inside = item.offset >= info.header_offset + _LOCAL.size
        if not inside or item.length != info.file_size or item.offset + item.length != stop:
            raise Refused("pack_mismatch", f"entry {number} lies elsewhere than the index says")


def _chosen(count: int) -> Sequence[int]:
    """First, last and three more: spread where the budget of calls allows it, else beside the last."""
    more = (count // 4, count // 2, 3 * count // 4) if count >= _SPREAD_FROM else (count - 4, count - 3, count - 2)
    return sorted({0, *(number for number in more if number > 0), count - 1})


def _check(file: RangedFile, number: int, item: PackItem, info: ZipInfo, local: timezone) -> None:
    where = f"entry {number}"
    stored = file.exactly(info.header_offset, item.offset + item.length - info.header_offset)
    header = _local_header(stored)
    if header is None or header.method != ZIP_STORED or info.header_offset + header.data_at != item.offset:
        raise Refused("pack_mismatch", f"{where}: its local header says otherwise")
    data = stored[header.data_at :]
    if hashlib.sha256(data).hexdigest() != item.sha256:
        raise Refused("pack_mismatch", f"{where}: other bytes than the index says")
    found = _header(data, local, where)
    if any(getattr(found, name) != getattr(item.header, name) for name in _SAME):
        raise Refused("pack_mismatch", f"{where}: another instance than the index says")
    if found.patient_id != item.header.patient_id and "patient_id" not in found.repaired:
        raise Refused("pack_mismatch", f"{where}: another patient than the index says")


def _header(data: bytes, local: timezone, where: str) -> Header:
    try:
        header = read_header(data, len(data), local)
    except Unreadable as fault:
        raise Refused("pack_mismatch", f"{where}: {fault.reason}") from None
    if isinstance(header, NeedMore):
        raise Refused("pack_mismatch", f"{where}: truncated")
    return header


def _local_header(data: bytes) -> _Local | None:
    """From bytes that begin with one (APPNOTE.TXT 4.3.7); None where none stands."""
    if len(data) < _LOCAL.size or not data.startswith(LOCAL_HEADER):
        return None
    _, _, flags, method, _, _, _, _, length, name, extra = _LOCAL.unpack_from(data)
    return _Local(data[_LOCAL.size : _LOCAL.size + name], flags, method, length, _LOCAL.size + name + extra)
