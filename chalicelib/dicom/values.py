"""Raw elements → values, as pydicom's full read gives them, but lenient: what cannot be read is left out.

In JSON's own terms: US and the like are numbers, IS an int, DS its text (never lose its precision), text is decoded and
without padding. A VM of 1 gives one value (text keeps its backslashes where a file has several; numbers become a list
then), any other VM a list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from struct import Struct
from typing import Any

from chalicelib.dicom.scan import Raw, Scan, Unreadable
from chalicelib.dicom.tags import BY_TAG, CHARACTER_SET, FRAME_TIME_VECTOR, PIXEL_REPRESENTATION, SEVERAL, UIDS
from chalicelib.dicom.text import Charset
from chalicelib.domain.study import Repair

MAX_VALUE = 1024
"""Longer values are taken for absent: a name has at most 194 characters (PS3.5 6.2)."""

MAX_VECTOR = 16 * 1024  # FrameTimeVector: some 3,000 frames

MAX_ALL = 32 * 1024
"""All values of one instance together, in bytes: as JSON, compressed, they must fit an item of the journal (400 KB)."""

Found = dict[int, Any]
"""Values by tag; of a sequence, its items by keyword."""

_STRUCTS = {
    vr: (Struct(f"<{code}"), Struct(f">{code}"))
    for vr, code in {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}.items()
}
_BY_CHARSET = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_MAY_HOLD_HAN = _BY_CHARSET | {"AE", "AS", "CS"}
_TEXTS = _MAY_HOLD_HAN | {"DA", "DT", "TM", "UI", "UR"}
_KNOWN = _TEXTS | _STRUCTS.keys() | {"IS", "DS"}
_STRICT = frozenset(tag.tag for tag in UIDS.values())
_UNDIVIDED = frozenset({"LT", "ST", "UT", "UR"})
_STRIPPED_WHOLE = frozenset({"AE", "PN", "UI"})
_PADDING = " \0"


def read_values(scan: Scan, *, little: bool) -> tuple[Found, dict[int, Repair]]:
    """The values of one dataset, and what was repaired of them. Raises Unreadable where there are too many."""
    reader = _Reader(scan.elements, little=little)
    found = reader.values(scan.elements)
    for tag, items in scan.sequences.items():
        read = [{BY_TAG[tag].keyword: value for tag, value in reader.values(item).items()} for item in items]
        if read:
            found[tag] = read
    return found, reader.repairs


class _Reader:
    def __init__(self, elements: dict[int, Raw], *, little: bool) -> None:
        _, signed = elements.get(PIXEL_REPRESENTATION, (None, b""))
        self._us_or_ss = "SS" if any(signed) else "US"
        self._little = little
        self._room = MAX_ALL
        self.repairs: dict[int, Repair] = {}
        _, declared = elements.get(CHARACTER_SET, (None, b""))
        texts = [
            value.rstrip(b"\0 ")
            for tag, (vr, value) in elements.items()
            if not value.isascii() and len(value) <= MAX_VALUE and self._vr(tag, vr) in _MAY_HOLD_HAN
        ]
        self._charset = Charset(declared[:MAX_VALUE].decode("latin-1").rstrip(_PADDING), texts)

    def values(self, elements: dict[int, Raw]) -> Found:
        found: Found = {}
        for tag, (encoded, raw) in elements.items():
            if raw and (len(raw) <= MAX_VALUE or (raw := _shortened(tag, raw))):
                self._room -= len(raw)
                vr = encoded if encoded in _KNOWN else self._vr(tag, encoded)
                value = self._text(tag, raw, vr) if vr in _TEXTS else self._number(tag, raw, vr)
                if value is not None:
                    found[tag] = value
        if self._room < 0:
            raise Unreadable("header_too_long", f"more than {MAX_ALL} bytes of values")
        return found

    def _vr(self, tag: int, vr: str | None) -> str:
        """The file's VR, as pydicom has it; the dictionary's where the file has none, UN, or bytes for a text."""
        if vr is None or vr == "UN" or vr[0] == "O":
            vr = BY_TAG[tag].vr
        return self._us_or_ss if vr == "US or SS" else vr

    def _text(self, tag: int, raw: bytes, vr: str) -> Any:
        if raw.isascii() and (b"\x1b" not in raw or vr not in _MAY_HOLD_HAN):
            value = raw.decode("ascii").rstrip(_PADDING)
        else:
            value = self._foreign(tag, raw.rstrip(b"\0 "), vr)
        if vr in _STRIPPED_WHOLE:
            value = _STRIPPED[vr](value)
        if "\\" in value and vr not in _UNDIVIDED:
            parts = value.split("\\")
            if vr in _STRIPPED:
                parts = [_STRIPPED[vr](part) for part in parts]
            return parts if tag in SEVERAL else "\\".join(parts)
        return ([value] if tag in SEVERAL else value) if value else None

    def _foreign(self, tag: int, raw: bytes, vr: str) -> str:
        if vr not in _MAY_HOLD_HAN:
            return raw.decode("latin-1")
        text = self._charset.decode(raw, customizable=vr in _BY_CHARSET)
        if text.repaired:
            self.repairs[tag] = Repair(text.codec, raw.hex())
        return text.value

    def _number(self, tag: int, raw: bytes, vr: str) -> Any:
        if vr in _STRUCTS:
            values: list[Any] | None = _numbers(raw, _STRUCTS[vr][not self._little])
        elif vr in ("IS", "DS"):
            parts = raw.decode("latin-1").strip(_PADDING).split("\\")
            values = integers(parts) if vr == "IS" else decimals(parts)
        else:
            return None
        return shape(values, tag)


def _shortened(tag: int, raw: bytes) -> bytes:
    """A long UID stays long enough to be refused as such; other values are left out."""
    if tag in _STRICT:
        return raw[:MAX_VALUE]
    return raw if tag == FRAME_TIME_VECTOR and len(raw) <= MAX_VECTOR else b""


def _name(part: str) -> str:
    """A name loses the empty component groups at its end."""
    return part.rstrip("=")


_STRIPPED: dict[str, Callable[[str], str]] = {
    "PN": _name,
    "UI": str.strip,
    "AE": str.strip,
    **dict.fromkeys(("LO", "SH", "UC"), lambda part: part.rstrip(_PADDING)),
}
"""Padding of each value as pydicom strips it, beside that at the very end."""


def shape(values: list[Any] | None, tag: int) -> Any:
    """Numbers as the tag's VM wants them; None when there is none."""
    if not values:
        return None
    return values if tag in SEVERAL or len(values) > 1 else values[0]


def _numbers(raw: bytes, struct: Struct) -> list[Any] | None:
    if len(raw) == struct.size:
        numbers = list(struct.unpack(raw))
    elif len(raw) % struct.size:
        return None
    else:
        numbers = [number for (number,) in struct.iter_unpack(raw)]
    return numbers if type(numbers[0]) is int or all(map(math.isfinite, numbers)) else None  # JSON has no NaN


def integers(parts: Iterable[str]) -> list[int] | None:
    """IS. None when one cannot be read or passes 64 bits."""
    try:
        numbers = [_integer(part) for part in parts]
    except (ValueError, OverflowError):
        return None
    return numbers if all(-(2**63) < number < 2**63 for number in numbers) else None


def _integer(part: str) -> int:
    """Some devices write "1.0"; pydicom takes it too."""
    try:
        return int(part)
    except ValueError:
        number = float(part.strip(_PADDING))
        if not number.is_integer():
            raise
        return int(number)


def decimals(parts: Iterable[str]) -> list[str] | None:
    """DS, as text. None when one is no number."""
    texts = [part.strip(_PADDING) for part in parts]
    try:
        return texts if all(map(math.isfinite, map(float, texts))) else None
    except ValueError:
        return None
