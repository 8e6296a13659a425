"""A pack's index (DESIGN §4.8): the first entry of a ZIP with stored entries, which lets a series be indexed without
reading its images.

    {"instances": [{"sop_uid": "1.2…", "offset": 1234, "length": 5678, "sha256": "ab…", "header": {DICOM JSON}}, …]}

`offset` and `length` are bytes in the ZIP file, so that one signed URL and a Range serve the instance. `header` is
PS3.18 Annex F: text in UTF-8, numbers as numbers or text, and (0002,0010) beside the dataset's own attributes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timezone
from itertools import pairwise
from typing import Any, NoReturn

from chalicelib.dicom.build import build_header
from chalicelib.dicom.header import read_found
from chalicelib.dicom.scan import MAX_ITEMS, Unreadable
from chalicelib.dicom.tags import BY_KEYWORD, BY_TAG, FRAME_TIME_VECTOR, SEQUENCES, WANTED, Tag
from chalicelib.dicom.values import MAX_ALL, MAX_VALUE, MAX_VECTOR, Found, decimals, integers, shape
from chalicelib.domain.study import Header

INDEX_NAME = "index.json"
MAX_INSTANCES = 20_000
MAX_JSON = 4 * MAX_ALL  # numbers are longer as text

_SHA_256 = re.compile(r"[0-9a-f]{64}")
_NUMBERS = frozenset({"US", "SS", "UL", "SL", "FL", "FD", "UV", "SV", "US or SS"})
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


@dataclass(frozen=True, slots=True)
class PackItem:
    """One instance: where its bytes lie in the ZIP file, their SHA-256 (hex), and what the index says of it."""

    sop_uid: str
    offset: int
    length: int
    sha256: str
    header: Header


@dataclass(frozen=True, slots=True)
class PackIndex:
    """`items` in the order of their offsets: at least one, all of one series, none overlapping another."""

    items: tuple[PackItem, ...]


def read_index(index: bytes, zone: timezone) -> PackIndex:
    """Raises Unreadable("bad_pack_index") naming the first instance at fault, never a value. `zone` as in
    `read_header`. Texts in an index are UTF-8: there is nothing to repair in it."""
    try:
        read = json.loads(index, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable("bad_pack_index", "not valid JSON") from None
    instances = read.get("instances") if isinstance(read, dict) else None
    if not isinstance(instances, list) or not 0 < len(instances) <= MAX_INSTANCES:
        raise Unreadable("bad_pack_index", f"no list of 1 to {MAX_INSTANCES} instances")
    items = [_item(number, instance, zone) for number, instance in enumerate(instances)]
    items.sort(key=lambda item: item.offset)
    _check(items)
    return PackIndex(tuple(items))


def describe(file: bytes) -> dict[str, Any]:
    """The `header` of a whole DICOM file for an index: what `read_index` makes the same Header of as `read_header`
    of the file, but for what was repaired. Raises Unreadable."""
    found, _ = read_found(file, len(file))
    return {f"{tag:08X}": _to_json(BY_TAG[tag], value) for tag, value in sorted(found.items())}


def _no_constant(_: str) -> NoReturn:
    raise ValueError("JSON has no NaN")


def _item(number: int, instance: Any, zone: timezone) -> PackItem:
    def fault(detail: str) -> Unreadable:
        return Unreadable("bad_pack_index", f"instance {number}: {detail}")

    if not isinstance(instance, dict) or not isinstance(instance.get("header"), dict):
        raise fault("no header")
    offset, length, sha256 = instance.get("offset"), instance.get("length"), instance.get("sha256")
    if type(offset) is not int or type(length) is not int or offset < 0 or length < 1 or offset + length >= 2**63:
        raise fault("offset or length is no whole number in range")
    if not isinstance(sha256, str) or not _SHA_256.fullmatch(sha256):
        raise fault("sha256 is not 64 lower-case hexadecimal digits")
    found = _found(instance["header"], WANTED | SEQUENCES)
    if len(json.dumps(found, ensure_ascii=False, separators=(",", ":"))) > MAX_JSON:
        raise fault(f"a header of more than {MAX_JSON} characters")
    try:
        header = build_header(found, {}, zone)
    except Unreadable as unreadable:
        raise fault(str(unreadable)) from None
    if instance.get("sop_uid") != header.sop_instance_uid:
        raise fault("sop_uid is not its header's (0008,0018)")
    return PackItem(header.sop_instance_uid, offset, length, sha256, header)


def _check(items: list[PackItem]) -> None:
    if len({(item.header.study_instance_uid, item.header.series_instance_uid) for item in items}) > 1:
        raise Unreadable("bad_pack_index", "more than one series")
    if len({item.sop_uid for item in items}) < len(items):
        raise Unreadable("bad_pack_index", "a sop_uid twice")
    for before, after in pairwise(items):
        if before.offset + before.length > after.offset:
            raise Unreadable("bad_pack_index", f"the ranges at {before.offset} and {after.offset} overlap")


def _found(header: Mapping[str, Any], tags: Iterable[int]) -> Found:
    """The values of one DICOM JSON dataset by tag, in the same terms as those of an object."""
    found: Found = {}
    for tag in tags:
        element = header.get(f"{tag:08X}")
        values = element.get("Value") if isinstance(element, dict) else None
        if isinstance(values, list) and 0 < len(values) <= MAX_VECTOR:
            value = _value(BY_TAG[tag], values)
            if value is not None:
                found[tag] = value
    return found


def _value(tag: Tag, values: list[Any]) -> Any:
    if tag.vr == "SQ":
        items = [_found(item, WANTED) for item in values[:MAX_ITEMS] if isinstance(item, dict)]
        return [{BY_TAG[inner].keyword: value for inner, value in item.items()} for item in items] or None
    if tag.vr in _NUMBERS:
        numbers = all(type(value) in (int, float) and math.isfinite(value) for value in values)
        return shape(values, tag.tag) if numbers else None
    texts = [_text(value) for value in values]
    if sum(map(len, texts)) > (MAX_VECTOR if tag.tag == FRAME_TIME_VECTOR else MAX_VALUE) or not any(texts):
        return None
    if tag.vr in ("IS", "DS"):
        return shape(integers(texts) if tag.vr == "IS" else decimals(texts), tag.tag)
    return "\\".join(texts) if tag.vm == "1" else texts


def _text(value: Any) -> str:
    """A name's groups joined; lone surrogates, which JSON can spell and UTF-8 cannot, replaced."""
    if isinstance(value, dict):
        value = "=".join(group if isinstance(group := value.get(name), str) else "" for name in _GROUPS).rstrip("=")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value).encode("utf-8", "replace").decode()


def _to_json(tag: Tag, value: Any) -> dict[str, Any]:
    vr = "US" if tag.vr == "US or SS" else tag.vr
    if tag.vr == "SQ":
        items = [{BY_KEYWORD[key]: inner for key, inner in item.items()} for item in value]
        return {"vr": vr, "Value": [{f"{inner.tag:08X}": _to_json(inner, v) for inner, v in i.items()} for i in items]}
    values = value if isinstance(value, list) else value.split("\\") if isinstance(value, str) else [value]
    if vr == "PN":
        values = [dict(zip(_GROUPS, name.split("="), strict=False)) for name in values]
    return {"vr": vr, "Value": values}
