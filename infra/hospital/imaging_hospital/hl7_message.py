"""HL7 v2 messages: a file into its messages, a message into its order groups, a place such as OBR-7.4 into its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import hl7

from .notice_text import DECLARED, decode

MOST_SEGMENTS: Final = 20_000
_ENVELOPE = re.compile(r"(?:FHS|BHS|BTS|FTS)\b")  # files and batches (2.10.3)
_DECLARED = re.compile(  # MSH-18 by its words: before decoding, fields cannot be counted
    rb"MSH[^\r\n]*?\|(" + b"|".join(re.escape(name.encode()) for name in DECLARED) + rb")(?:[~|\r\n]|$)"
)
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})-(\d+)(?:\.(\d+))?")
_ESCAPE = re.compile(r"\\([^\\]{0,20})\\")


class NotHl7Error(ValueError):
    """No message in it that could be read."""


@dataclass(frozen=True)
class Group:
    """One ordered exam: the segments from its ORC, or from an OBR without one, to the next. `common` are those before
    the first group (MSH, PID, PV1), which all share."""

    common: Sequence[hl7.Segment]
    own: Sequence[hl7.Segment] = field(default_factory=list)

    def segments(self, name: str) -> list[hl7.Segment]:
        return [segment for segment in (*self.own, *self.common) if _name(segment) == name]

    def text(self, place: str, repetition: int = 1) -> str:
        """The text at a place such as PID-5.1 or PV1-2 (its first component), "" where there is none. `""` in a
        message, which deletes what was told before, counts as none (2.5.3)."""
        found = _PLACE.fullmatch(place)
        if found is None:
            raise ValueError(place)
        name, number, component = found[1], int(found[2]), int(found[3] or 1)
        for segment in self.segments(name)[:1]:
            text = _plain(_component(segment, number, repetition, component)).strip()
            return "" if text == '""' else text
        return ""

    def repetitions(self, name: str, number: int) -> int:
        segments = self.segments(name)[:1]
        return len(segments[0](number)) if segments and number < len(segments[0]) else 0


def messages(raw: bytes) -> list[str]:
    """Each message of a file, its segments separated by carriage returns. Raises NotTextError or NotHl7Error.

    Files are written with line feeds, carriage returns or both, with or without the frame of MLLP.
    """
    declared = _DECLARED.search(raw)
    text = decode(raw, declared[1].decode() if declared else "")
    lines = [line.strip("\x0b\x1c \t\ufeff") for line in re.split(r"[\r\n]+", text)]
    found: list[list[str]] = []
    for line in lines:
        if not line or _ENVELOPE.match(line):
            continue
        if line.startswith("MSH"):
            found.append([])
        if not found:
            raise NotHl7Error
        found[-1].append(line)
    if not found:
        raise NotHl7Error
    return ["\r".join(message) for message in found]


def groups(message: str) -> Iterator[Group]:
    """The exams of one message; one Group without segments of its own where it names none. Raises NotHl7Error."""
    if message.count("\r") > MOST_SEGMENTS:
        raise NotHl7Error
    try:
        segments = [segment for segment in _parsed(message) if _name(segment)]
    except (hl7.HL7Exception, ValueError, LookupError, AssertionError, TypeError):
        raise NotHl7Error from None
    starts = _starts([_name(segment) for segment in segments])
    common = segments[: starts[0]] if starts else segments
    uids = [segment for segment in segments if _name(segment) == "ZDS"]
    if len(uids) == 1:  # IHE's study UID stands once, after the last order (RAD-4)
        common = [*common, *uids]
    if not starts:
        yield Group(common)
        return
    for start, end in zip(starts, [*starts[1:], len(segments)], strict=True):
        yield Group(common, segments[start:end])


def _parsed(message: str) -> hl7.Message:
    parsed: hl7.Message = hl7.parse(message)  # type: ignore[no-untyped-call]  # the library has no types
    return parsed


def _starts(names: Sequence[str]) -> list[int]:
    starts: list[int] = []
    ordered = False  # the last ORC has its OBR
    for index, name in enumerate(names):
        if name == "ORC" or (name == "OBR" and (not starts or ordered)):
            starts.append(index)
            ordered = name == "OBR"
        elif name == "OBR":
            ordered = True
    return starts


def _name(segment: hl7.Segment) -> str:
    return str(segment[0]) if len(segment) else ""


def _component(segment: hl7.Segment, number: int, repetition: int, component: int) -> str:
    """As sent, escapes and all. What is not divided further is its own first part (2.7)."""
    try:
        value = segment(number)(repetition)
        if isinstance(value, hl7.Repetition):
            value = value(component)
            if isinstance(value, hl7.Component):
                value = value(1)
        elif component > 1:
            return ""
    except IndexError:
        return ""
    return str(value)


def _plain(text: str) -> str:
    """Without escape sequences (2.7): delimiters as themselves, a line break as one, hexadecimal as UTF-8 or GB18030,
    highlighting and the rest as nothing."""
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code in ("F", "S", "R", "T", "E"):
        return {"F": "|", "S": "^", "R": "~", "T": "&", "E": "\\"}[code]
    if code.startswith((".br", ".sp", ".ce")):
        return "\n"
    if code[:1] == "X":
        try:
            return decode(bytes.fromhex(code[1:]))
        except ValueError:
            return ""
    return ""
