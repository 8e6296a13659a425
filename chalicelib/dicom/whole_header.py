"""All of an instance's header: as the DICOM JSON Model for WADO-RS metadata, and where its pixels begin.

Ingest's own walk (`scan`) saw every object before it was indexed and refused what is nested too deep or lies about its
lengths, so pydicom's generator may be used here.
"""

from __future__ import annotations

import io
import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator

from chalicelib.dicom.part10 import open_file
from chalicelib.dicom.scan import MAX_HEADER, PIXELS, GoesOn, Unreadable
from chalicelib.dicom.tags import CHARACTER_SET
from chalicelib.dicom.text import Charset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom.dataelem import DataElement
    from pydicom.tag import BaseTag

OFFSETS = "ExtendedOffsetTable"
_LONGEST_INLINE = 64 * 1024  # bytes of a binary value in the JSON; a longer one is in the instance
_LONGEST_REMEMBERED = 4096
_MOST_REMEMBERED = 4096
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_TEXTS = ("LO", "LT", "PN", "SH", "ST", "UC", "UT")
_UTF_8 = {"vr": "CS", "Value": ["ISO_IR 192"]}


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where the value of the pixel data begins in the (inflated) object, and its length; 0xFFFFFFFF: encapsulated."""

    tag: int
    vr: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class WholeHeader:
    """`data` is the object as far as it was read, inflated where it was deflated."""

    transfer_syntax: str
    dataset: Dataset
    pixels: Pixels | None
    data: bytes
    deflated: bool
    little: bool


class _Reads(io.BytesIO):
    """Tells a header that goes on beyond the bytes at hand from one that ends there."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._held, self._size = len(data), size

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        data = super().read(size)
        wanted = start + max(0, size or 0)
        if len(data) < (size or 0) and self._held < self._size:
            raise GoesOn(min(max(wanted, start + 1), self._size))
        return data


def read_whole(data: bytes, size: int) -> WholeHeader:
    """`data`: the leading bytes of an object of `size`. Raises Unreadable, or GoesOn when they are too few."""
    encoded = open_file(data, size)
    reads, found = _Reads(encoded.data, encoded.size), []
    reads.seek(encoded.pos)

    def at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
        if tag in PIXELS:
            found.append(Pixels(int(tag), vr or "OW", reads.tell(), length))
        return tag in PIXELS

    raw = {}
    try:
        for element in data_element_generator(reads, encoded.implicit, encoded.little, stop_when=at_pixels):
            raw[element.tag] = element
            if reads.tell() > MAX_HEADER:
                break
        dataset = Dataset(raw)
        dataset.set_original_encoding(encoded.implicit, encoded.little, _encodings(raw.values()))
    except GoesOn:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a stranger's bytes make pydicom raise
        raise Unreadable("malformed", type(error).__name__) from None
    deflated = encoded.data is not data
    return WholeHeader(
        encoded.transfer_syntax, dataset, found[0] if found else None, encoded.data, deflated, encoded.little
    )


def _encodings(elements: Iterable[RawDataElement | DataElement]) -> list[str]:
    """In which codecs the texts really are, whatever they are said to be (`text`)."""
    elements = list(elements)
    declared = next((one.value for one in elements if one.tag == CHARACTER_SET), None) or b""
    declared = declared.decode("latin-1").strip(" \0") if isinstance(declared, bytes) else ""
    texts = [one.value for one in elements if isinstance(one.value, bytes) and _vr(one) in _TEXTS]
    found = Charset(declared, texts)
    repaired = next((told for one in texts if (told := found.decode(one)).repaired), None)
    return [repaired.codec] if repaired else convert_encodings(declared.split("\\"))


def _vr(element: RawDataElement | DataElement) -> str:
    """As encoded, or in implicit VR as the dictionary says."""
    return str(element.VR or (dictionary_VR(element.tag) if dictionary_has_tag(element.tag) else "UN"))


Memo = dict[tuple[Any, ...], dict[str, Any]]
"""Elements told before, by what they are encoded as: most of a series' are the same in each slice [0.6 ms for 1.9]."""


def metadata(header: WholeHeader, instance_url: str, memo: Memo | None = None) -> dict[str, Any]:
    """The header in the DICOM JSON Model, text in UTF-8; of pixels, where their frames are to be had."""
    memo = {} if memo is None else memo
    told: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that are not as they should be: the reader's to judge
        for tag in header.dataset.keys():  # noqa: SIM118 - a Dataset iterates over elements
            if tag.group > 2 and tag.element:
                told[f"{tag:08X}"] = _remembered(header.dataset, tag, memo)
    told["00080005"] = _UTF_8
    told["00083002"] = {"vr": "UI", "Value": [header.transfer_syntax]}
    if header.pixels:
        frames = range(1, frames_of(header.dataset) + 1)
        named = ",".join(map(str, frames)) if len(frames) <= 100 else "1"
        uri = f"{instance_url}/frames/{named}"
        told[f"{header.pixels.tag:08X}"] = {"vr": header.pixels.vr, "BulkDataURI": uri}
    return dict(sorted(told.items()))


def value_of(dataset: Dataset, keyword: str) -> Any:
    """None where it is not there, or cannot be told."""
    try:
        return dataset.get(keyword)
    except Exception:  # noqa: BLE001 - whatever a stranger's bytes make pydicom raise
        return None


def frames_of(dataset: Dataset) -> int:
    try:
        return max(1, int(value_of(dataset, "NumberOfFrames") or 1))
    except (ArithmeticError, TypeError, ValueError):
        return 1


def _remembered(dataset: Dataset, tag: BaseTag, memo: Memo) -> dict[str, Any]:
    """Only what says the same wherever it stands: no private element of implicit VR and none of two possible VRs."""
    raw = _raw(dataset, tag)
    if not isinstance(raw, RawDataElement) or len(raw.value or b"") > _LONGEST_REMEMBERED:
        return _element(dataset, tag)
    vr = _vr(raw)
    if vr == "UN" or len(vr) > 2 or (vr == "SQ" and raw.VR is None):
        return _element(dataset, tag)
    key = (tag, vr, raw.value, raw.is_implicit_VR, raw.is_little_endian, *dataset.original_character_set)
    found = memo.get(key)
    if found is None:
        found = _element(dataset, tag)
        if len(memo) < _MOST_REMEMBERED:
            memo[key] = found
    return found


def _element(dataset: Dataset, tag: BaseTag) -> dict[str, Any]:
    """One element; of a value that cannot be told, its VR alone."""
    try:
        element = dataset[tag]
        if element.VR in _BINARY and len(element.value or b"") > _LONGEST_INLINE:
            return {"vr": str(element.VR)}
        told: dict[str, Any] = element.to_json_dict(None, 1 << 40)
        json.dumps(told, allow_nan=False, ensure_ascii=False).encode()  # what JSON cannot say
    except Exception:  # noqa: BLE001 - whatever a device wrote must not take the rest of the header with it
        return {"vr": str(getattr(_raw(dataset, tag), "VR", None) or "UN")}
    return told


def _raw(dataset: Dataset, tag: BaseTag) -> Any:
    """As encoded, where that is known; even asking fails for a VR that there is not."""
    try:
        return dataset.get_item(tag)
    except Exception:  # noqa: BLE001 - as above
        return None
