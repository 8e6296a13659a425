"""A DICOM file on the disk → what its pack's index says of it (DICOM JSON, PS3.18 Annex F), read with pydicom.

The cloud trusts an index for the images it does not look at, so only what it would read the same itself is described
here. Whatever is odd about a file makes it Doubtful: it is sent as an object of its own and judged there.
"""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset  # noqa: TC002 - as TC001
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRBigEndian, MediaStorageDirectoryStorage

from .header_tags import SEQUENCES, WANTED
from .header_text import codec_of

Header = dict[str, Any]

PREFIX: Final = b"DICM"
PREAMBLE: Final = 128
LONGEST: Final = 1024  # a longer value is taken for absent, as the cloud does
LONGEST_VECTOR: Final = 16 * 1024
MOST: Final = 32 * 1024  # of all values together
ITEMS: Final = 16
FRAME_TIME_VECTOR: Final = 0x00181065
CHARACTER_SET: Final = 0x00080005
PIXEL_REPRESENTATION: Final = 0x00280103
TRANSFER_SYNTAX: Final = 0x00020010
PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
UNDEFINED: Final = 0xFFFFFFFF
PADDING: Final = 64 * 1024  # what may follow the pixels
SEQUENCE_END: Final = b"\xfe\xff\xdd\xe0\0\0\0\0"
LEFT_TO_THE_CLOUD: Final = frozenset(
    {"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205", str(ExplicitVRBigEndian)}
)
STUDY, SERIES, SOP, SOP_CLASS = 0x0020000D, 0x0020000E, 0x00080018, 0x00080016

_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_STRUCTS: Final = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
_BY_CHARSET: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_MAY_HOLD_HAN: Final = _BY_CHARSET | {"AE", "AS", "CS"}
_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_PADDING: Final = " \0"


class NotDicomError(Exception):
    """`reason`: `empty`, `not_dicom` or `dicomdir` (the directory of a medium, no image)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _DoubtError(Exception):
    """Something the cloud had better read itself."""


@dataclass(frozen=True)
class Read:
    """A DICOM file. `header` is None where the cloud should read it itself; UIDs are "" where they cannot be told."""

    study: str = ""
    series: str = ""
    sop: str = ""
    header: Header | None = None


def read(path: Path) -> Read:
    """Raises NotDicomError, or OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise NotDicomError("empty")
        if file.read(PREAMBLE + len(PREFIX))[PREAMBLE:] != PREFIX:
            raise NotDicomError("not_dicom")
        file.seek(0)
        try:
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*WANTED, *SEQUENCES])
            meta = dataset.file_meta
            is_directory = meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - a hostile file may raise anything; the cloud has a reader made for them
            return Read()
        if is_directory:
            raise NotDicomError("dicomdir")
        return _described(dataset, str(meta.get("TransferSyntaxUID", "")), file, size)


def _described(dataset: Dataset, syntax: str, file: BinaryIO, size: int) -> Read:
    uids = _uid(dataset, STUDY), _uid(dataset, SERIES), _uid(dataset, SOP)
    named = all(uids) and _uid(dataset, SOP_CLASS) and _UID.fullmatch(syntax)
    if not named or syntax in LEFT_TO_THE_CLOUD:
        return Read(*uids)
    try:
        _check_end(file, size)
        header = {f"{TRANSFER_SYNTAX:08X}": {"vr": "UI", "Value": [syntax]}, **_Dataset(dataset).header()}
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - as above
        return Read(*uids)
    return Read(*uids, header)


def _uid(dataset: Dataset, tag: int) -> str:
    element: Any = dataset.get_item(tag) if tag in dataset else None
    if not isinstance(element, RawDataElement) or element.value is None:
        return ""
    uid = element.value.decode("latin-1").strip(_PADDING)
    return uid if len(uid) <= 64 and _UID.fullmatch(uid) else ""


def _check_end(file: BinaryIO, size: int) -> None:
    """The reader stopped before the pixels: they must end where the file does at the latest. Without pixels there is no
    telling whether something was cut off."""
    at = file.tell()
    start = file.read(12)
    if at > size or len(start) < 8:
        raise _DoubtError
    group, element = struct.unpack_from("<HH", start)
    if group << 16 | element not in PIXELS:
        raise _DoubtError
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    length, data_at = struct.unpack_from("<L", start, 8 if explicit else 4)[0], at + (12 if explicit else 8)
    if length == UNDEFINED:
        file.seek(max(data_at, size - PADDING))
        if SEQUENCE_END not in file.read():
            raise _DoubtError
    elif data_at + length > size:
        raise _DoubtError


class _Dataset:
    """The wanted values of one dataset and the items of its wanted sequences, in DICOM JSON."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._room = MOST
        signed = dict(_raw(dataset)).get(PIXEL_REPRESENTATION, (None, b""))[1]
        self._us_or_ss = "SS" if any(signed) else "US"
        label = dict(_raw(dataset)).get(CHARACTER_SET, (None, b""))[1].decode("latin-1").strip(_PADDING)
        texts = [raw.rstrip(b" \0") for tag, (_, raw) in self._all() if dictionary_VR(tag) in _MAY_HOLD_HAN]
        codec = codec_of(label, [text for text in texts if len(text) <= LONGEST])
        if codec is None:
            raise _DoubtError
        self._codec = codec

    def header(self) -> Header:
        found = self._values(self._dataset)
        for tag in SEQUENCES:
            items = [self._values(item) for item in _items(self._dataset, tag)[:ITEMS]]
            if items:
                found[f"{tag:08X}"] = {"vr": "SQ", "Value": items}
        if self._room < 0:
            raise _DoubtError
        return found

    def _all(self) -> Iterator[tuple[int, tuple[str | None, bytes]]]:
        yield from _raw(self._dataset)
        for tag in SEQUENCES:
            for item in _items(self._dataset, tag):
                yield from _raw(item)

    def _values(self, dataset: Dataset) -> Header:
        found: Header = {}
        for tag, (encoded, raw) in _raw(dataset):
            if not raw or len(raw) > (LONGEST_VECTOR if tag == FRAME_TIME_VECTOR else LONGEST):
                continue
            self._room -= len(raw)
            vr = self._vr(tag, encoded)
            values = self._numbers(raw, vr) if vr in _STRUCTS else self._texts(raw, vr)
            if values:
                found[f"{tag:08X}"] = {"vr": vr, "Value": values}
        return found

    def _vr(self, tag: int, encoded: str | None) -> str:
        """The dictionary's, as an index is read by it. A file that has another is not for an index."""
        vr = dictionary_VR(tag)
        if vr == "US or SS":
            vr = encoded if encoded in ("US", "SS") else self._us_or_ss
        if encoded not in (None, vr):
            raise _DoubtError
        return vr

    @staticmethod
    def _numbers(raw: bytes, vr: str) -> list[Any]:
        """What is no whole number of values, or not finite, is left out, as the cloud does."""
        letter = _STRUCTS[vr]
        count, rest = divmod(len(raw), struct.calcsize(f"<{letter}"))
        numbers = [] if rest else list(struct.unpack(f"<{count}{letter}", raw))
        return numbers if all(map(math.isfinite, numbers)) else []

    def _texts(self, raw: bytes, vr: str) -> list[Any]:
        if vr in ("IS", "DS"):
            return raw.decode("ascii").strip(_PADDING).split("\\")
        if vr not in _MAY_HOLD_HAN:
            text = raw.decode("ascii").rstrip(_PADDING)
        else:
            text = raw.rstrip(b" \0").decode("ascii" if vr not in _BY_CHARSET else self._codec)
        text = text.rstrip("=") if vr == "PN" else text.strip() if vr in ("UI", "AE") else text
        parts = text.split("\\")
        if vr in ("UI", "AE"):
            parts = [part.strip() for part in parts]
        elif vr in ("LO", "SH", "UC"):
            parts = [part.rstrip(_PADDING) for part in parts]
        if vr == "PN":
            if text and not any(parts):  # values without a name: JSON has no way to tell them from none
                raise _DoubtError
            return [dict(zip(_GROUPS, part.split("="), strict=False)) for part in parts] if text else []
        return parts if text else []


def _raw(dataset: Dataset) -> Iterator[tuple[int, tuple[str | None, bytes]]]:
    """The wanted elements as encoded: VR (None in implicit VR) and bytes, all of them."""
    for tag in dataset.keys() & WANTED:
        element: Any = dataset.get_item(tag)
        if not isinstance(element, RawDataElement):
            raw = _again(element)
        elif element.value and len(element.value) != element.length:
            raise _DoubtError
        else:
            raw = element.value or b""
        if raw:
            yield int(tag), (element.VR, raw)


def _again(element: DataElement) -> bytes:
    """Of what pydicom reads by itself: the character set, and numbers that say how others are to be read."""
    values = element.value if isinstance(element.value, MultiValue) else [element.value]
    if element.is_empty:
        return b""
    if element.VR in _STRUCTS:
        return b"".join(struct.pack(f"<{_STRUCTS[element.VR]}", value) for value in values)
    if element.tag != CHARACTER_SET:
        raise _DoubtError
    return "\\".join(map(str, values)).encode("latin-1")


def _items(dataset: Dataset, tag: int) -> list[Dataset]:
    return list(dataset[tag].value or []) if tag in dataset else []
