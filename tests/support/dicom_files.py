"""DICOM files built byte by byte, so that they can be wrong in exactly one way; and every file that pydicom ships."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from pathlib import Path

import pydicom

from chalicelib.dicom.header import FIRST_RANGE, NeedMore, read_header
from infra.local.samples import BEIJING

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
JPEG = "1.2.840.10008.1.2.4.50"
UNDEFINED = 0xFFFFFFFF
LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.2"
STUDY, SERIES, SOP = "1.2.3", "1.2.3.4", "1.2.3.4.5"


def element(tag, vr, value=b"", *, length=None, order="<", implicit=False):  # noqa: PLR0913 - an encoding has so many
    """One encoded element. `length` overrides the true one; an odd text is padded."""
    if isinstance(value, str):
        value = value.encode("latin-1")
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    length = len(value) if length is None else length
    group = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return group + struct.pack(f"{order}L", length) + value
    if vr in LONG:
        return group + vr.encode() + b"\0\0" + struct.pack(f"{order}L", length) + value
    return group + vr.encode() + struct.pack(f"{order}H", length) + value


def marker(tag, length=0, order="<"):
    """An item, or the end of an item or sequence."""
    return struct.pack(f"{order}HHL", tag >> 16, tag & 0xFFFF, length)


ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


def sequence(tag, *items, defined=False, implicit=False):
    """An explicit or implicit VR little endian sequence of encoded items."""
    if defined:
        body = b"".join(marker(ITEM, len(item)) + item for item in items)
        return element(tag, "SQ", body, implicit=implicit)
    body = b"".join(marker(ITEM, UNDEFINED) + item + marker(ITEM_END) for item in items)
    return element(tag, "SQ", b"", length=UNDEFINED, implicit=implicit) + body + marker(SEQUENCE_END)


def nested(depth, *, defined=False):
    """Sequences in sequences, `depth` of them."""
    if not defined:
        opening = element(0x00081140, "SQ", length=UNDEFINED) + marker(ITEM, UNDEFINED)
        return opening * depth + (marker(ITEM_END) + marker(SEQUENCE_END)) * depth
    parts, length = [], 0
    for _ in range(depth):
        parts.append(element(0x00081140, "SQ", length=length + 8) + marker(ITEM, length))
        length += 20
    return b"".join(reversed(parts))


def part10(dataset, syntax=EXPLICIT, *, sop_class=SOP_CLASS, meta=b""):
    """Preamble, prefix, group 0002 and an encoded dataset."""
    group = b"".join(
        (
            element(0x00020001, "OB", b"\0\1"),
            element(0x00020002, "UI", sop_class),
            element(0x00020003, "UI", SOP),
            element(0x00020010, "UI", syntax) if syntax else b"",
            meta,
        )
    )
    if syntax == DEFLATED:
        squeezer = zlib.compressobj(wbits=-15)
        dataset = squeezer.compress(dataset) + squeezer.flush()
    return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<L", len(group))) + group + dataset


def instance(*extra, syntax=EXPLICIT, without=(), pixels=None, charset=None, **changed):
    """A small CT image whose elements can be left out (`without`, tags) or changed (by name); `extra` elements are put
    where their tags belong. `pixels` replaces the encoded pixel data."""
    order, implicit = (">" if syntax == BIG_ENDIAN else "<"), syntax == IMPLICIT
    texts = {
        0x00080016: ("UI", changed.get("sop_class", SOP_CLASS)),
        0x00080018: ("UI", changed.get("sop", SOP)),
        0x00080060: ("CS", "CT"),
        0x00100010: ("PN", changed.get("name", "Zhang^San")),
        0x00100020: ("LO", changed.get("patient_id", "P1")),
        0x0020000D: ("UI", changed.get("study", STUDY)),
        0x0020000E: ("UI", changed.get("series", SERIES)),
        0x00200013: ("IS", changed.get("number", "7")),
        0x00280010: ("US", struct.pack(f"{order}H", 2)),
        0x00280011: ("US", struct.pack(f"{order}H", 2)),
    }
    if charset is not None:
        texts[0x00080005] = ("CS", charset)
    if pixels is None:
        pixels = element(0x7FE00010, "OW", bytes(8), order=order, implicit=implicit)
    encoded = [(tag, element(tag, vr, value, order=order, implicit=implicit)) for tag, (vr, value) in texts.items()]
    encoded = [(tag, body) for tag, body in encoded if tag not in without]
    for body in extra:
        group, number = struct.unpack(f"{order}HH", body[:4])
        encoded.append((group << 16 | number, body))
    ordered = [body for _, body in sorted(encoded, key=lambda pair: pair[0])]
    return part10(b"".join(ordered) + pixels, syntax, sop_class=changed.get("meta_class", SOP_CLASS))


def fragments(*parts, end=True):
    """Encapsulated pixel data with an empty offset table."""
    body = b"".join(marker(ITEM, len(part)) + part for part in (b"", *parts))
    return element(0x7FE00010, "OB", length=UNDEFINED) + body + (marker(SEQUENCE_END) if end else b"")


def read(file, zone=BEIJING):
    """As ingest reads: the first range, then whatever more is asked for. The Header; raises Unreadable."""
    length = min(FIRST_RANGE, len(file))
    while isinstance(header := read_header(file[:length], len(file), zone), NeedMore):
        assert length < header.length <= len(file)
        length = header.length
    return header


@cache
def shipped():
    """Every file of pydicom's test_files and charset_files, by path."""
    data = Path(pydicom.__file__).parent / "data"
    paths = [path for name in ("test_files", "charset_files") for path in (data / name).rglob("*") if path.is_file()]
    return tuple(sorted(path for path in paths if path.suffix not in (".py", ".pyc")))
