"""Raw elements → values, as pydicom's full read gives them, but lenient: what cannot be read is None.

In JSON's own terms: US and the like are numbers, IS an int, DS its text (never lose its precision), text is decoded and
without padding. A VM of 1 gives one value, joined by backslashes where a file has several; any other VM a list.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from chalicelib.dicom.scan import Item, Raw, Scan
from chalicelib.dicom.tags import BY_TAG, CHARACTER_SET, PIXEL_REPRESENTATION, Tag
from chalicelib.dicom.text import Charset
from chalicelib.domain.study import Repair

MAX_VALUE = 64 * 1024
"""Longer values are taken for absent; explicit VR allows none."""

_FORMATS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_BY_CHARSET = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_BY_DEFAULT = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI", "UR"})
_MAY_HOLD_HAN = _BY_CHARSET | {"AE", "AS", "CS"}
_PADDING = " \0"


@dataclass(slots=True)
class Values:
    """The values of one dataset; `repairs` gathers what was repaired, by tag, as values are asked for."""

    scan: Scan
    little: bool
    repairs: dict[int, Repair] = field(default_factory=dict)
    _charset: Charset = field(init=False)

    def __post_init__(self) -> None:
        declared = self.scan.elements.get(CHARACTER_SET)
        texts = (
            raw.value.rstrip(b"\0 ")
            for tag, raw in self.scan.elements.items()
            if not raw.value.isascii() and len(raw.value) <= MAX_VALUE and self._vr(BY_TAG[tag], raw) in _MAY_HOLD_HAN
        )
        self._charset = Charset(declared.value.decode("latin-1").rstrip(_PADDING) if declared else "", texts)

    def value(self, tag: Tag) -> Any:
        """The element's value in JSON's terms, or None; of a sequence, its items by keyword."""
        if tag.vr == "SQ":
            return [self._item(item) for item in self.scan.sequences.get(tag.tag, ())] or None
        raw = self.scan.elements.get(tag.tag)
        if raw is None or not raw.value or len(raw.value) > MAX_VALUE:
            return None
        return self._convert(tag, raw)

    def _item(self, item: Item) -> dict[str, Any]:
        values = {BY_TAG[tag].keyword: self._convert(BY_TAG[tag], raw) for tag, raw in item.items() if raw.value}
        return {keyword: value for keyword, value in values.items() if value is not None}

    def _convert(self, tag: Tag, raw: Raw) -> Any:
        vr = self._vr(tag, raw)
        if vr in _FORMATS:
            return _shape(_numbers(raw.value, _FORMATS[vr], little=self.little), tag)
        if vr in ("IS", "DS"):
            parts = raw.value.decode("latin-1").strip(_PADDING).split("\\")
            return _shape(_integers(parts) if vr == "IS" else _decimals(parts), tag)
        if vr in _BY_CHARSET or vr in _BY_DEFAULT:
            return self._text(tag, raw.value.rstrip(b"\0 "), vr)
        return None

    def _vr(self, tag: Tag, raw: Raw) -> str:
        """The file's VR, as pydicom has it; the dictionary's where the file has none, UN, or bytes for a text."""
        vr = raw.vr
        if vr is None or vr == "UN" or vr[0] == "O":
            vr = tag.vr
        if vr != "US or SS":
            return vr
        signed = self.scan.elements.get(PIXEL_REPRESENTATION)
        return "SS" if signed and any(signed.value) else "US"

    def _text(self, tag: Tag, raw: bytes, vr: str) -> Any:
        if vr in _MAY_HOLD_HAN:
            text = self._charset.decode(raw, customizable=vr in _BY_CHARSET)
            value = text.value
            if text.repaired:
                self.repairs[tag.tag] = Repair(text.codec, raw.hex())
        else:
            value = raw.decode("latin-1")
        parts = [value] if vr in ("LT", "ST", "UT", "UR") else value.split("\\")
        parts = [_strip(part, vr) for part in parts]
        if tag.vm != "1":
            return parts if value else None
        return "\\".join(parts) or None


def _strip(part: str, vr: str) -> str:
    """Padding as pydicom strips it. A name loses empty component groups at its end."""
    if vr == "PN":
        return part.rstrip("=")
    if vr in _BY_CHARSET:
        return part.rstrip(_PADDING)
    return part.strip() if vr in ("UI", "AE") else part


def _shape(values: list[Any] | None, tag: Tag) -> Any:
    if not values:
        return None
    return values if tag.vm != "1" or len(values) > 1 else values[0]


def _numbers(raw: bytes, code: str, *, little: bool) -> list[Any] | None:
    size = Struct(f"={code}").size
    if len(raw) % size:
        return None
    numbers = Struct(f"{'<' if little else '>'}{len(raw) // size}{code}").unpack(raw)
    if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
        return None  # JSON has no NaN
    return list(numbers)


def _integers(parts: list[str]) -> list[int] | None:
    try:
        numbers = [_integer(part.strip(_PADDING)) for part in parts]
    except (ValueError, OverflowError):
        return None
    return numbers if all(abs(number) < 2**63 for number in numbers) else None


def _integer(part: str) -> int:
    """Some devices write "1.0"; pydicom takes it too."""
    try:
        return int(part)
    except ValueError:
        number = float(part)
        if not number.is_integer():
            raise
        return int(number)


def _decimals(parts: list[str]) -> list[str] | None:
    parts = [part.strip(_PADDING) for part in parts]
    try:
        return parts if all(math.isfinite(float(part)) for part in parts) else None
    except ValueError:
        return None
