"""A file of notices in whatever form → what can be sent, what is refused and where, and what is no exam of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from . import hl7_message, notice_hl7, notice_table
from .hl7_tables import ADVICE
from .notice_check import MOST_BYTES, TOO_LARGE, BadFieldError, check
from .notice_draft import BadPlaceError, Draft, PassedOver, Reading
from .notice_text import NotTextError, decode
from .tongue import Language, Said

MOST_FILE: Final = 256 * 1024 * 1024

NOT_TEXT = Said(
    "neither UTF-8 nor GB18030 (nor what MSH-18 declares): send one of them",
    "既不是 UTF-8 也不是 GB18030（也不是 MSH-18 所声明的）：请改用其一",
)
NOT_HL7 = Said("no HL7 v2 message: it must begin with MSH", "不是 HL7 v2 消息：必须以 MSH 开头")
NOT_JSON = Said("no valid JSON", "不是有效的 JSON")
FILE_TOO_LARGE = Said("the file is larger than 256 MiB: split it", "文件大于 256 MiB：请拆分")
EMPTY = Said("the file is empty", "文件为空")
FILE = Said("file", "文件")
MESSAGE = Said("message {number}", "第 {number} 条消息")
LINE = Said("line {number}", "第 {number} 行")
OBJECT = Said("object {number}", "第 {number} 个对象")


@dataclass(frozen=True)
class Kept:
    """A notice as it is sent: JSON in UTF-8."""

    body: bytes


@dataclass(frozen=True)
class Refused:
    """`unit` says which message, line or object of the file; `place` which segment and field, or column; `piece` is
    what was refused, as text, to be mended and sent again. `place`, `what` and `advice` hold no value of it."""

    unit: Said
    place: str
    what: Said
    values: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    piece: str = field(default="", repr=False)
    number: int = 0

    def sentence(self, language: Language) -> str:
        """Such as "message 3: OBR-8 / OBR-7 (performed_at) is missing: send when the last image was taken"."""
        name = f" ({self.path})" if self.path and self.path != self.place else ""
        advice = ADVICE.get(self.path)
        colon = "：" if language == "zh" else ": "
        told = f"{self.place}{name} {self.what.in_(language, **self.values)}"
        return colon.join(
            [self.unit.in_(language, number=self.number), told, *([advice.in_(language)] if advice else [])]
        )


Outcome = Kept | Refused | PassedOver


def read(raw: bytes, reading: Reading) -> Iterator[Outcome]:
    """In the order of the file. Never raises for what the file holds."""
    if not raw.strip():
        yield Refused(FILE, "-", EMPTY)
    elif len(raw) > MOST_FILE:
        yield Refused(FILE, "-", FILE_TOO_LARGE)
    elif raw.lstrip(b"\xef\xbb\xbf\x0b \r\n\t").startswith((b"MSH", b"FHS", b"BHS")):
        yield from _hl7(raw, reading)
    else:
        try:
            text = decode(raw).lstrip("\ufeff")
        except NotTextError:
            yield Refused(FILE, "-", NOT_TEXT)
            return
        yield from _json(text) if text.lstrip()[:1] in ("{", "[") else _table(text, reading)


def _hl7(raw: bytes, reading: Reading) -> Iterator[Outcome]:
    try:
        messages = hl7_message.messages(raw)
    except NotTextError:
        yield Refused(FILE, "MSH-18", NOT_TEXT)
        return
    except hl7_message.NotHl7Error:
        yield Refused(FILE, "MSH", NOT_HL7)
        return
    for number, message in enumerate(messages, 1):
        yield from of_message(message, reading, number)


def of_message(message: str, reading: Reading, number: int = 1) -> Iterator[Outcome]:
    """All notices of one HL7 message, or one Refused."""
    try:
        read = notice_hl7.read(message, reading)
        outcomes = [told if isinstance(told, PassedOver) else _kept(told) for told in read]
    except hl7_message.NotHl7Error:
        yield Refused(MESSAGE, "MSH", NOT_HL7, piece=message, number=number)
    except BadPlaceError as bad:
        yield Refused(MESSAGE, bad.place, bad.what, path=bad.path, piece=message, number=number)
    except _FaultError as fault:
        yield fault.refused(MESSAGE, number, message)
    else:
        yield from outcomes


def _table(text: str, reading: Reading) -> Iterator[Outcome]:
    try:
        for row in notice_table.rows(text, reading.zone):
            told = row.told
            if isinstance(told, BadPlaceError):
                yield Refused(LINE, told.place, told.what, path=told.path, piece=row.piece, number=row.line)
                continue
            try:
                yield _kept(told)
            except _FaultError as fault:
                yield fault.refused(LINE, row.line, row.piece)
    except BadPlaceError as bad:
        yield Refused(LINE, bad.place, bad.what, piece=text[:10_000], number=1)


def _json(text: str) -> Iterator[Outcome]:
    """One object, an array of them, or one on each line."""
    try:
        told = json.loads(text, parse_constant=_no_constant)
        objects = told if isinstance(told, list) else [told]
    except (ValueError, RecursionError):
        objects = [_object(line) for line in text.splitlines() if line.strip()]
    for number, notice in enumerate(objects, 1):
        piece = notice if isinstance(notice, str) else json.dumps(notice, ensure_ascii=False)
        if not isinstance(notice, dict):
            yield Refused(OBJECT, "-", NOT_JSON, piece=piece, number=number)
            continue
        try:
            yield _kept(Draft(notice))
        except _FaultError as fault:
            yield fault.refused(OBJECT, number, piece)


def _object(line: str) -> Any:
    try:
        return json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return line


def _kept(draft: Draft) -> Kept:
    try:
        check(draft.notice)
        body = json.dumps(draft.notice, ensure_ascii=False, separators=(",", ":")).encode()
    except BadFieldError as bad:
        raise _FaultError(draft.places.get(bad.path, bad.path), bad) from None
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
        raise _FaultError("-", BadFieldError("json", NOT_JSON)) from None
    if len(body) > MOST_BYTES:
        raise _FaultError("-", BadFieldError("report", TOO_LARGE))
    return Kept(body)


class _FaultError(Exception):
    def __init__(self, place: str, bad: BadFieldError) -> None:
        super().__init__(place)
        self.place, self.bad = place, bad

    def refused(self, unit: Said, number: int, piece: str) -> Refused:
        return Refused(unit, self.place, self.bad.what, self.bad.values, self.bad.path, piece, number)


def _no_constant(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are not JSON
