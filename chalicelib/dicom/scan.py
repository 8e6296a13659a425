"""Walks the encoded elements of a DICOM object (PS3.5 clause 7) without recursion and without reading values that
nobody asked for. Bytes → raw elements; what they mean is `values` and `text`.

Why not `pydicom.filereader.read_partial`: it walks sequences of undefined length recursively and builds them, it
cannot say whether a header goes on beyond the bytes at hand, and it returns less where an object is cut off. The
rules here are its rules, element by element; the tests compare the two over every file that pydicom ships.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from pydicom.filereader import ENCODED_VR
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from chalicelib.dicom.tags import LAST_WANTED, SEQUENCES, WANTED

FIRST_RANGE = 64 * 1024
"""How much of an object is read at first: it holds the whole header of almost every one (DESIGN §4.3)."""

MAX_HEADER = 16 * 1024 * 1024
"""What an object must show of itself within: every element up to the last of group 0028."""

OPTIONAL_HEADER = 1024 * 1024
"""Beyond group 0028 nothing is indispensable: there, reading ends where it would need more than this."""

MAX_DEPTH = 64  # real structured reports nest some ten levels
SHORTEST_LEVEL = 16  # an item and a sequence in it, in implicit VR
MAX_STEPS = 200_000  # element and item headers looked at: about 0.1 s of CPU
MAX_FRAGMENTS = 1024
MAX_ITEMS = 16

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
CONTENT_SEQUENCE = 0x0040A730
AFTER_IMAGE_GROUP = 0x00290000
LAST_GROUP = LAST_WANTED >> 16
PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})

LITTLE = (Struct("<HHL").unpack_from, Struct("<HH2sH").unpack_from, Struct("<L").unpack_from)
BIG = (Struct(">HHL").unpack_from, Struct(">HH2sH").unpack_from, Struct(">L").unpack_from)
LONG_VRS = frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32)
VR_NAMES = {vr: vr.decode() for vr in ENCODED_VR}
SHORT_VRS = {vr: name for vr, name in VR_NAMES.items() if vr not in LONG_VRS}


class Unreadable(Exception):  # noqa: N818 - the design's word for the fact
    """The object cannot be indexed: `reason` is a word of `domain.quarantine.REASONS`; `detail` names the element or
    offset at fault, never a value."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class GoesOn(Exception):  # noqa: N818 - a fact, not an error: the header goes on up to `length` at least
    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


Raw = tuple[str | None, bytes]
"""One element as encoded: its VR (None in implicit VR) and its value."""

Item = dict[int, Raw]


@dataclass(frozen=True, slots=True)
class Scan:
    """What one walk found. `sequences` holds the items of the few sequences that are looked into."""

    elements: dict[int, Raw]
    sequences: dict[int, list[Item]]


def name(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


class Walker:
    """Over `data`, the leading bytes of an encoded dataset that is `size` bytes long (a deflated one may not know)."""

    def __init__(self, data: bytes, size: int, *, little: bool) -> None:
        self._data = data
        self._size = size
        self._limit = min(len(data), MAX_HEADER)
        self._region = MAX_HEADER
        self._implicit, self._explicit, self._long = LITTLE if little else BIG
        self._little = little
        self.steps_left = MAX_STEPS
        self._elements: dict[int, Raw] = {}
        self._sequences: dict[int, list[Item]] = {}

    def scan(self, pos: int, *, implicit: bool) -> Scan:
        """Every wanted element from `pos` on. Raises Unreadable, or GoesOn when `data` is too short."""
        try:
            self._dataset(pos, implicit)
        except GoesOn as more:
            if more.length <= self._region:
                raise
            if self._region == MAX_HEADER:
                raise Unreadable("header_too_long", f"more than {MAX_HEADER} bytes") from None
        return Scan(self._elements, self._sequences)

    def _dataset(self, pos: int, implicit: bool) -> None:  # noqa: FBT001 - the encoding, handed down everywhere
        while not self._at_end(pos := pos if implicit else self._plain_elements(pos)):
            tag, vr, length, at = self.element(pos, implicit)
            if tag in PIXELS:
                return self._check_pixels(tag, length, at)
            if tag in (0, ITEM_END):  # trailing zeroes; pydicom ends a dataset at a stray delimiter too
                return None
            if tag >= AFTER_IMAGE_GROUP:
                self._enter(OPTIONAL_HEADER if tag <= LAST_WANTED else FIRST_RANGE)
            if length != UNDEFINED:
                pos = self._jump(tag, at, length, implicit)
            elif tag > LAST_WANTED or tag == CONTENT_SEQUENCE:
                return None
            else:
                pos = self._skip_sequence(at, implicit)
            if tag in SEQUENCES:
                self.need(pos)
                self._sequences[tag] = self._items(at, pos, implicit)
            elif tag in WANTED and length != UNDEFINED:
                self.need(pos)
                self._elements[tag] = (vr, self._data[at:pos])
        return None

    def _plain_elements(self, pos: int) -> int:
        """The common case, quickly: explicit VR, a short length, the value at hand, nothing to decide. The offset of
        the first element that is not so."""
        data, elements, explicit = self._data, self._elements, self._explicit
        limit = min(self._limit, OPTIONAL_HEADER)
        steps = self.steps_left
        while pos + 8 <= limit and steps > 0:
            steps -= 1
            group, element, vr, length = explicit(data, pos)
            end = pos + 8 + length
            if vr not in SHORT_VRS or end > limit or not 0 < group < LAST_GROUP:
                break
            tag = group << 16 | element
            if tag in WANTED:
                elements[tag] = (SHORT_VRS[vr], data[pos + 8 : end])
            pos = end
        self.steps_left = steps
        return pos

    def _at_end(self, pos: int) -> bool:
        if pos + 8 <= self._size:
            return False
        if pos < self._size:
            self.need(self._size)
            if any(self._data[pos : self._size]):
                raise Unreadable("truncated", f"{self._size - pos} bytes at offset {pos} are no element")
        return True

    def _enter(self, region: int) -> None:
        self._region = region
        self._limit = min(len(self._data), region)

    def need(self, end: int) -> None:
        if end > self._limit:
            if end > self._size:
                raise Unreadable("truncated", f"the object ends at offset {self._size}, inside an element")
            raise GoesOn(end)

    def past(self, tag: int, at: int, length: int) -> int:
        end = at + length
        if end > self._size:
            raise Unreadable("truncated", f"{name(tag)} at offset {at} passes the end at {self._size}")
        return end

    def element(self, pos: int, implicit: bool) -> tuple[int, str | None, int, int]:  # noqa: FBT001 - as above
        """(tag, vr or None, length, where the value begins); the choices are those of pydicom's generator."""
        self.steps_left -= 1
        if self.steps_left < 0:
            raise Unreadable("header_too_long", f"more than {MAX_STEPS} elements")
        if pos + 8 > self._limit:
            self.need(pos + 8)
        if not implicit:
            group, element, vr, length = self._explicit(self._data, pos)
            if vr in LONG_VRS:
                self.need(pos + 12)
                return group << 16 | element, VR_NAMES[vr], self._long(self._data, pos + 8)[0], pos + 12
            if vr in VR_NAMES:
                return group << 16 | element, VR_NAMES[vr], length, pos + 8
            if b"AA" <= vr <= b"ZZ" and group != 0xFFFE:
                return group << 16 | element, None, length, pos + 8
        group, element, length = self._implicit(self._data, pos)
        return group << 16 | element, None, length, pos + 8

    def _skip_sequence(self, pos: int, implicit: bool) -> int:  # noqa: FBT001 - as above
        """Where a sequence of undefined length ends. Items of defined length are jumped over."""
        open_: list[tuple[bool, bool]] = [(True, implicit)]  # (a sequence, or an item; implicit VR)
        while open_:
            if len(open_) > 2 * MAX_DEPTH:
                raise Unreadable("nested_too_deep", f"more than {MAX_DEPTH} sequences at offset {pos}")
            is_sequence, implicit = open_[-1]
            tag, _, length, at = self.element(pos, implicit or is_sequence)
            if is_sequence and tag not in (ITEM, SEQUENCE_END):
                raise Unreadable("malformed", f"{name(tag)} at offset {at} where a sequence item belongs")
            pos = at if length == UNDEFINED else self.past(tag, at, length)
            if tag in (ITEM_END, SEQUENCE_END):
                open_.pop()
                pos = at
            elif length == UNDEFINED:
                open_.append((not is_sequence, self._item_is_implicit(pos, implicit) if is_sequence else implicit))
        return pos

    def _jump(self, tag: int, at: int, length: int, implicit: bool) -> int:  # noqa: FBT001 - as above
        """Where a value of defined length ends. What is in it stays unseen, but for first item in first item going on
        and on: no viewer survives that. (Other long values do not begin with an item.)"""
        end = self.past(tag, at, length)
        if length < SHORTEST_LEVEL * MAX_DEPTH:
            return end
        for _ in range(MAX_DEPTH + 1):
            if at + SHORTEST_LEVEL + 4 > min(end, self._limit):
                return end
            tag, _, _, at = self.element(at, implicit=True)
            if tag != ITEM:
                return end
            *_, at = self.element(at, self._item_is_implicit(at, implicit))
        raise Unreadable("nested_too_deep", f"more than {MAX_DEPTH} sequences at offset {at}")

    def _item_is_implicit(self, pos: int, implicit: bool) -> bool:  # noqa: FBT001 - as above
        """A sequence inside explicit VR may be encoded in implicit VR (PS3.5 6.2.2, for UN)."""
        self.need(pos + 8)
        return implicit or not is_vr(self._data[pos + 4 : pos + 6])

    def _items(self, at: int, end: int, implicit: bool) -> list[Item]:  # noqa: FBT001 - as above
        """The wanted elements of a sequence's first items; what is malformed inside a value is left out."""
        items: list[Item] = []
        try:
            while at + 8 <= end and len(items) < MAX_ITEMS:
                tag, _, length, at = self.element(at, implicit=True)
                if tag != ITEM:
                    break
                stop = end if length == UNDEFINED else min(at + length, end)
                if at + 8 > stop:
                    items.append({})
                    at = stop
                    continue
                item, at = self._item(at, stop, self._item_is_implicit(at, implicit))
                items.append(item)
        except (Unreadable, GoesOn):
            return items
        return items

    def _item(self, at: int, stop: int, implicit: bool) -> tuple[Item, int]:  # noqa: FBT001 - as above
        item: Item = {}
        while at + 8 <= stop:
            tag, vr, length, at = self.element(at, implicit)
            if tag == ITEM_END:
                return item, at
            if length == UNDEFINED:
                at = self._skip_sequence(at, implicit)
            else:
                if tag in WANTED and at + length <= stop:
                    item[tag] = (vr, self._data[at : at + length])
                at += length
        return item, stop

    def _check_pixels(self, tag: int, length: int, at: int) -> None:
        """Declared lengths against the object's, from the bytes at hand: pixels are never fetched for it."""
        if length != UNDEFINED:
            self.past(tag, at, length)
            return
        self._enter(FIRST_RANGE)
        for _ in range(MAX_FRAGMENTS):
            if at + 8 > self._limit:
                if at + 8 <= min(self._size, FIRST_RANGE):
                    raise GoesOn(at + 8)
                break
            group, element, length = self._implicit(self._data, at)
            if (group << 16 | element) != ITEM:  # the end, or a device's own idea of encapsulation
                return
            at = self.past(tag, at + 8, length)
        if at + 8 > self._size:
            raise Unreadable("truncated", f"the fragments of {name(tag)} have no end")


def is_vr(two: bytes) -> bool:
    """Whether two bytes look like a VR; pydicom's test, which tells implicit from explicit VR."""
    return len(two) == 2 and 0x40 < two[0] < 0x5B and 0x40 < two[1] < 0x5B
