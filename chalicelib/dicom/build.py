"""Values, wherever they come from (an object's bytes, a pack's index) → a Header: one rule for both."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timezone
from typing import Any

from chalicelib.dicom.scan import Unreadable, name
from chalicelib.dicom.tags import INDEXED, SOP_CLASS, TIMES, UIDS, VIEWER, Tag
from chalicelib.dicom.times import read_times
from chalicelib.domain.study import Header

Value = Callable[[Tag], Any]
"""A tag's value in JSON's terms (see `values`), or None."""

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_TEXTS = [(field, tag) for field, tag in INDEXED.items() if field not in UIDS and tag.vr != "IS"]


def build_header(value: Value, zone: timezone) -> Header:
    """Raises Unreadable for a UID that is missing or bad; everything else is "" or None where it cannot be read."""
    uids: dict[str, Any] = {field: _uid(_text(value(tag)), tag) for field, tag in UIDS.items()}
    texts = {tag: _text(value(tag)) for _, tag in _TEXTS}
    viewer = {tag.keyword: found for tag in VIEWER if (found := value(tag)) is not None}
    timed = viewer | {tag.keyword: text for tag, text in texts.items()}
    timed |= {tag.keyword: value(tag) for tag in TIMES}
    timed[SOP_CLASS.keyword] = uids["sop_class_uid"]
    fields = uids | {field: texts[tag] for field, tag in _TEXTS}
    return Header(
        **fields,
        series_number=_integer(value(INDEXED["series_number"])),
        instance_number=_integer(value(INDEXED["instance_number"])),
        times=read_times(timed, zone),
        viewer=viewer,
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
    label = f"{name(tag.tag)} {tag.keyword}"
    if not uid:
        raise Unreadable("missing_uid", label)
    if len(uid) > 64:
        raise Unreadable("bad_uid", f"{label} has {len(uid)} characters")
    if not _UID.fullmatch(uid):
        raise Unreadable("bad_uid", f"{label} is not made of digits and dots")
    return uid
