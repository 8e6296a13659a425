"""Values, wherever they come from (an object's bytes, a pack's index) → a Header: one rule for both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timezone
from typing import Any

from chalicelib.dicom.scan import Unreadable, name
from chalicelib.dicom.tags import FIELD_OF_KEYWORD, INDEXED, TIMES, UIDS, VIEWER, Tag
from chalicelib.dicom.times import KEYWORDS, read_times
from chalicelib.dicom.values import Found
from chalicelib.domain.study import Header, Repair

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_NUMBERS = [(field, tag.tag) for field, tag in INDEXED.items() if tag.vr == "IS"]
_TEXTS = [(field, tag.tag) for field, tag in INDEXED.items() if field not in UIDS and tag.vr != "IS"]
_VIEWER = [(tag.tag, tag.keyword) for tag in VIEWER]
_TIMED = [(tag.tag, tag.keyword) for tag in (*INDEXED.values(), *VIEWER, *TIMES) if tag.keyword in KEYWORDS]
_KEYWORDS = {tag.tag: FIELD_OF_KEYWORD.get(tag.keyword, tag.keyword) for tag in (*INDEXED.values(), *VIEWER, *TIMES)}


def build_header(found: Found, repairs: Mapping[int, Repair], zone: timezone) -> Header:
    """Raises Unreadable for a UID that is missing or bad; everything else is "" or None where it cannot be read."""
    fields: dict[str, Any] = {field: _uid(_text(found.get(tag.tag)), tag) for field, tag in UIDS.items()}
    for field, tag in _TEXTS:
        fields[field] = _text(found.get(tag))
    for field, tag in _NUMBERS:
        fields[field] = _integer(found.get(tag))
    return Header(
        **fields,
        times=read_times({keyword: found[tag] for tag, keyword in _TIMED if tag in found}, zone),
        viewer={keyword: found[tag] for tag, keyword in _VIEWER if tag in found},
        repaired={_KEYWORDS[tag]: repair for tag, repair in repairs.items() if tag in _KEYWORDS},
    )


def _text(value: Any) -> str:
    """Several values of what should be one are kept, joined by backslashes as in the file."""
    if value is None:
        return ""
    return "\\".join(map(str, value)) if isinstance(value, list) else str(value)


def _integer(value: Any) -> int | None:
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, int) else None


def _uid(uid: str, tag: Tag) -> str:
    """PS3.5 clause 9: at most 64 digits and dots. Leading zeroes of a component are tolerated: devices write them."""
    if len(uid) <= 64 and _UID.fullmatch(uid):
        return uid
    label = f"{name(tag.tag)} {tag.keyword}"
    if not uid:
        raise Unreadable("missing_uid", label)
    if len(uid) > 64:
        raise Unreadable("bad_uid", f"{label} has {len(uid)} characters")
    raise Unreadable("bad_uid", f"{label} is not made of digits and dots")
