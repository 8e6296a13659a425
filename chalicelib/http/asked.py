"""What a request asks, parsed strictly: a missing field or one of the wrong type is `bad_request` naming the field."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote

from chalicelib.domain.access import Caller
from chalicelib.domain.period import Period
from chalicelib.domain.session import is_subject
from chalicelib.domain.study import StudyRef
from chalicelib.http.kinds import Kinds, Schema

if TYPE_CHECKING:
    from chalice.app import Request

CALLER = "imaging_cloud.caller"  # where the door leaves whom it let in, in the request's context
YEARS = range(1901, 2200)  # a zone or twelve hours added to others can leave the calendar
LONGEST_PARAMETER = 2048  # characters, where its kind says nothing of it
MAX_BODY = 4_500_000  # bytes: a function is handed 6 MiB, of which base64 takes a quarter
_HOSPITAL = re.compile(r"[A-Z0-9]{1,16}")
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_REFERENCE = re.compile(r"[0-9A-Z]{26}")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class BadRequest(Exception):  # noqa: N818 - named by the fact
    """A field is missing or not what it must be. Names the field, never its value."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def _refuse(field: str) -> NoReturn:
    raise BadRequest(field) from None


class Fields:
    """A JSON object of a request, read by what its route says of it (`Routes`): each field by the kind it has there.
    Where a field may be left out, the default of its kind stands for it."""

    def __init__(self, values: Mapping[str, Any], declared: Kinds) -> None:
        self.values = values
        self.kinds = declared

    def text(self, name: str) -> str:
        """A text that is not blank and has no control characters."""
        kind, value = self.kinds[name], self.values.get(name)
        if not kind.required and value in (None, ""):
            return str(kind.default or "")
        return _text(value, name, kind.schema["maxLength"])

    def subject(self, name: str) -> str:
        """Who signs in by this name: a text that a token may carry."""
        text = self.text(name)
        return text if is_subject(text) else _refuse(name)

    def choice(self, name: str) -> str:
        """One of the words that its kind names."""
        kind, value = self.kinds[name], self.values.get(name)
        if not kind.required and value in (None, ""):
            return str(kind.default or "")
        return value if isinstance(value, str) and value in kind.schema["enum"] else _refuse(name)

    def number(self, name: str) -> int:
        kind, value = self.kinds[name], self.values.get(name)
        if not kind.required and value is None:
            return int(kind.default)
        return _whole(value, name, kind.schema)

    def numbers(self, name: str) -> list[int]:
        """A list of whole numbers; empty where it may be left out."""
        return [_whole(one, name, self.kinds[name].schema["items"]) for one in self._list(name)]

    def flag(self, name: str) -> bool:
        kind, value = self.kinds[name], self.values.get(name)
        if not kind.required and value is None:
            return bool(kind.default)
        return value if isinstance(value, bool) else _refuse(name)

    def day(self, name: str) -> date:
        """A date as YYYY-MM-DD."""
        return _day(self.values.get(name), name)

    def instant(self, name: str) -> datetime:
        """ISO 8601 with a zone, of a year in YEARS."""
        try:
            at = datetime.fromisoformat(_text(self.values.get(name), name, 40))
        except ValueError:
            _refuse(name)
        return at.astimezone(UTC) if at.tzinfo and at.year in YEARS else _refuse(name)

    def hospital(self, name: str) -> str:
        return _hospital(self.values.get(name), name)

    def uid(self, name: str) -> str:
        """A DICOM UID."""
        return _uid(self.values.get(name), name)

    def study(self) -> StudyRef:
        """The StudyRef that hospital_id and study_instance_uid name."""
        return StudyRef(self.hospital("hospital_id"), self.uid("study_instance_uid"))

    def has(self, name: str) -> bool:
        """Whether it is there, and neither null nor empty."""
        return self.values.get(name) not in (None, "")

    def part(self, name: str) -> Fields:
        """An object within."""
        value = self.values.get(name)
        return Fields(value, self.kinds[name].fields) if isinstance(value, dict) else _refuse(name)

    def parts(self, name: str) -> list[Fields]:
        """A list of objects; empty where it may be left out."""
        within = self.kinds[name].fields
        return [Fields(one, within) if isinstance(one, dict) else _refuse(name) for one in self._list(name)]

    def _list(self, name: str) -> list[Any]:
        kind, values = self.kinds[name], self.values.get(name)
        if not kind.required and values in (None, kind.default):
            return []
        least, most = kind.schema["minItems"], kind.schema["maxItems"]
        return values if isinstance(values, list) and least <= len(values) <= most else _refuse(name)

    def text_or_part(self, name: str) -> str | dict[str, Any]:
        """A text, with line breaks too, or an object: as it came, for who knows its form."""
        value = self.values.get(name)
        return value if isinstance(value, str | dict) else _refuse(name)

    def studies(self, name: str) -> frozenset[StudyRef] | None:
        """A non-empty list of {hospital_id, study_instance_uid}; None where the field is absent or null."""
        if self.values.get(name) is None:
            return None
        try:
            return frozenset(one.study() for one in self.parts(name))
        except BadRequest:
            _refuse(name)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request past the door. `caller` is None only on open routes."""

    request: Request
    path: Mapping[str, str]
    now: datetime
    body: Kinds  # what its route says of them
    queries: Kinds

    @property
    def caller(self) -> Caller:
        """Whom the door let in."""
        caller: Caller = self.request.context[CALLER]
        return caller

    def study(self) -> StudyRef:
        """The StudyRef that the path names: {hospital_id}, or the caller's own hospital, and {uid}."""
        return StudyRef(self.hospital() if "hospital_id" in self.path else self.caller.hospital_id, self.uid())

    def hospital(self) -> str:
        return _hospital(unquote(self.path["hospital_id"]), "hospital_id")

    def ulid(self, part: str) -> str:
        """A part of the path that is an id of ours."""
        return self.path[part] if _REFERENCE.fullmatch(self.path[part]) else _refuse(part)

    def day(self, part: str) -> date:
        """A part of the path that is a date."""
        return _day(self.path[part], part)

    def period(self) -> Period:
        """{period} of the path: 2026-11-20, 2026-W47 or 2026-11."""
        try:
            return Period.of(self.path["period"])
        except ValueError:
            _refuse("period")

    def day_asked(self) -> date:
        """?day=YYYY-MM-DD"""
        return _day(self.query("day"), "day")

    def hospital_asked(self) -> str:
        """?hospital_id="""
        return _hospital(self.query("hospital_id"), "hospital_id")

    def uid(self, part: str = "uid") -> str:
        """A part of the path that is a DICOM UID."""
        return _uid(unquote(self.path[part]), part)

    def uid_asked(self, name: str) -> str:
        """A DICOM UID in the query."""
        return _uid(self.query(name), name)

    def month(self) -> str:
        """?month=YYYY-MM; this month where nothing is asked (UTC)."""
        month = self.query("month") or f"{self.now:%Y-%m}"
        return month if _MONTH.fullmatch(month) else _refuse("month")

    def name(self, part: str, max_length: int = 128) -> str:
        """A part of the path that is free text, such as a hospital's encounter id."""
        try:
            return _text(unquote(self.path[part], errors="strict"), part, max_length)
        except UnicodeDecodeError:
            _refuse(part)

    def ward(self) -> str:
        """Which ward a guardian acts for: the reference in X-Ward, which says nothing to anyone else. A header, for
        paths and queries end up in logs."""
        value: str = self.request.headers.get("x-ward", "")
        return value if _REFERENCE.fullmatch(value) else _refuse("x-ward")

    def query(self, name: str) -> str:
        """A query parameter, or the default of its kind, "" where it has none; given twice it means nothing."""
        kind, params = self.queries[name], self.request.query_params
        if params is None or name not in params:
            return str(kind.default or "") if not kind.required else _refuse(name)
        given, choices = params.getlist(name), kind.schema.get("enum")
        once = given[0] if len(given) == 1 else None
        text = _text(once, name, kind.schema.get("maxLength", LONGEST_PARAMETER))
        return text if choices is None or text in choices else _refuse(name)

    def pairs(self) -> list[tuple[str, str]]:
        """All query parameters, in any order: a standard's own query, for who knows that standard."""
        params = self.request.query_params
        return [(name, value) for name in params for value in params.getlist(name)] if params else []

    @contextmanager
    def own_token(self) -> Iterator[None]:
        """Around a list's read: lists raise ValueError for a continuation token that none of them made."""
        token = self.query("token")
        try:
            yield
        except ValueError:
            if token:
                _refuse("token")
            raise

    def days(self, default: timedelta | None = None) -> tuple[date, date]:
        """?from=&to=, inclusive days; with a default, what is left out is so long until tomorrow (UTC)."""
        if default and not (self.query("from") or self.query("to")):
            tomorrow = self.now.date() + timedelta(days=1)
            return tomorrow - default, tomorrow
        first, last = _day(self.query("from"), "from"), _day(self.query("to"), "to")
        return (first, last) if first <= last else _refuse("to")

    def raw(self) -> bytes:
        body = self.request.raw_body
        raw = body.encode() if isinstance(body, str) else body
        return raw if len(raw) <= MAX_BODY else _refuse("body")

    def fields(self) -> Fields:
        """The body as a JSON object."""
        try:
            values = json.loads(self.raw(), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            _refuse("body")
        return Fields(values, self.body) if isinstance(values, dict) else _refuse("body")


def _text(value: Any, name: str, max_length: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > max_length:
        _refuse(name)
    # Controls, and lone surrogates, which cannot be stored
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        _refuse(name)
    return value


def _whole(value: Any, name: str, schema: Schema) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 1.0 is a whole number in JSON Schema
    return value if type(value) is int and schema["minimum"] <= value <= schema["maximum"] else _refuse(name)


def _hospital(value: Any, name: str) -> str:
    return value if isinstance(value, str) and _HOSPITAL.fullmatch(value) else _refuse(name)


def _uid(value: Any, name: str) -> str:
    return value if isinstance(value, str) and len(value) <= 64 and _UID.fullmatch(value) else _refuse(name)


def _day(value: Any, name: str) -> date:
    try:
        return date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except (TypeError, ValueError):
        _refuse(name)


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")
