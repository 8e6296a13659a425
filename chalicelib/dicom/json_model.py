"""Values to the DICOM JSON Model (PS3.18 Annex F)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_TEXT_WITH_BACKSLASH = frozenset({"LT", "ST", "UT", "UR"})


def element(vr: str, value: Any) -> dict[str, Any]:
    """One attribute. `value`: a text (backslashes part several), a number, a list of either, or nothing."""
    values = [_one(vr, one) for one in _several(vr, value)]
    while values and values[-1] is None:
        values.pop()
    return {"vr": vr, "Value": values} if values else {"vr": vr}


def _several(vr: str, value: Any) -> Sequence[Any]:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return [value] if vr in _TEXT_WITH_BACKSLASH else value.split("\\")
    return value if isinstance(value, list | tuple) else (value,)


def _one(vr: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if vr == "PN":
        groups = zip(GROUPS, str(value).split("="), strict=False)
        return {name: group for name, group in groups if group} or None
    if vr in ("IS", "DS"):
        return _number(vr, value)
    return value


def _number(vr: str, value: Any) -> Any:
    """A number where the text is one; F.2.3 allows the text as well, and a device's odd value must not be lost."""
    try:
        number = int(value) if vr == "IS" else float(value)
    except (ValueError, OverflowError):
        return value
    return number if math.isfinite(number) else value


def text(value: Any) -> str:
    """Compact JSON, Chinese as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
