"""A QIDO-RS query: its parameters read strictly, and matched as PS3.4 C.2.2.2 says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.dicom.attributes import ABSENT_WHEN_EMPTY, ATTRIBUTES, DEPTH, Attribute, Level, Match, matchable
from chalicelib.dicom.json_model import element

USUAL, MOST = 200, 1000  # results in one answer: unless asked for, and at most
_NUMBER = re.compile(r"[0-9]{1,7}")
_NAMES_ATTRIBUTE = re.compile(r"([0-9A-Fa-f]{8}|[A-Z][A-Za-z0-9]{1,63})(\.([0-9A-Fa-f]{8}|[A-Z][A-Za-z0-9]{1,63}))*")
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_DATE = re.compile(r"[0-9]{8}|[0-9]{4}\.[0-9]{2}\.[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}(:?[0-9]{2}(:?[0-9]{2}(\.[0-9]{1,6})?)?)?")
_LONGEST = 1024

FUZZY = "The fuzzymatching parameter is not supported. Only literal matching has been performed."
UNMATCHED = "An attribute that was named is not supported here and was not used."
MORE = "There are {left} additional results that can be requested"

Values = Mapping[str, Any]
Test = Callable[[Any], bool]


class BadQuery(Exception):  # noqa: N818 - named by the fact
    """A parameter is not as it must be. Names the parameter, never its value."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Query:
    """`keys`: what must match. `asked`: attributes beyond the usual ones; `everything` that there is."""

    level: Level
    keys: tuple[tuple[Attribute, Test], ...]
    asked: frozenset[str]
    everything: bool
    limit: int
    offset: int
    warnings: tuple[str, ...]

    def matches(self, values: Values, level: Level) -> bool:
        """Whether the keys of one level match."""
        return all(test(values.get(row.field)) for row, test in self.keys if row.level == level)

    def answer(self, values: Values, *, relational: bool) -> dict[str, Any]:
        """One result. `relational`: no study stands in the path, so what is above is told too (§10.6.3.3)."""
        told: dict[str, Any] = {}
        for row in ATTRIBUTES:
            if not self._tells(row, relational=relational):
                continue
            value = values.get(row.field) if row.field else None
            if value in (None, "") and row.keyword in ABSENT_WHEN_EMPTY:
                continue
            told[row.tag] = element(row.vr, value)
        return dict(sorted(told.items()))

    def _tells(self, row: Attribute, *, relational: bool) -> bool:
        if DEPTH[row.level] > DEPTH[self.level]:
            return False
        own = row.level == self.level or row.keyword in ("SpecificCharacterSet", "StudyInstanceUID")
        own = own or (self.level == "instance" and row.keyword == "SeriesInstanceUID")
        return (
            (row.told == "always" and (own or relational))
            or row.keyword in self.asked
            or (self.everything and bool(row.field))
        )


def read_query(params: Iterable[tuple[str, str]], level: Level) -> Query:
    """Raises BadQuery. An attribute that we do not know is no error: it is not used, and a warning says so."""
    known, reading = matchable(level), _Reading()
    for name, value in params:
        if len(value) > _LONGEST:
            raise BadQuery(name if name in known else "query")
        if name in _PARAMETERS:
            _PARAMETERS[name](reading, name, value)
        elif name in known and known[name].match:
            reading.key(known[name], value)
        elif _NAMES_ATTRIBUTE.fullmatch(name):
            reading.warn(UNMATCHED)
        else:
            raise BadQuery("query")
    asked = frozenset(known[name].keyword for name in reading.fields if name in known)
    if any(name not in known for name in reading.fields):
        reading.warn(UNMATCHED)
    keys, more = tuple(reading.keys), {row.keyword for row, _ in reading.keys}
    return Query(level, keys, asked | more, reading.everything, reading.limit, reading.offset, tuple(reading.warnings))


class _Reading:
    """What has been read of a query so far."""

    def __init__(self) -> None:
        self.keys: list[tuple[Attribute, Test]] = []
        self.fields: list[str] = []
        self.warnings: list[str] = []
        self.everything = False
        self.limit, self.offset = USUAL, 0

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def key(self, row: Attribute, value: str) -> None:
        self.keys.append((row, _TESTS[row.match](row, value)))

    def include(self, _name: str, value: str) -> None:
        for field in filter(None, (part.strip() for part in value.split(","))):
            if field == "all":
                self.everything = True
            elif _NAMES_ATTRIBUTE.fullmatch(field):
                self.fields.append(field)
            else:
                raise BadQuery("includefield")

    def number(self, name: str, value: str) -> None:
        if not _NUMBER.fullmatch(value) or (name == "limit" and int(value) < 1):
            raise BadQuery(name)
        if name == "offset":
            self.offset = int(value)
        else:
            self.limit = min(int(value), MOST)

    def fuzzy(self, name: str, value: str) -> None:
        if value not in ("true", "false"):
            raise BadQuery(name)
        if value == "true":
            self.warn(FUZZY)


_PARAMETERS: Mapping[str, Callable[[_Reading, str, str], None]] = {
    "includefield": _Reading.include,
    "limit": _Reading.number,
    "offset": _Reading.number,
    "fuzzymatching": _Reading.fuzzy,
}


# How values are compared


def _anything(_value: Any) -> bool:
    return True


def _several(value: Any) -> Sequence[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)] if value is not None else []


def _text(row: Attribute, value: str) -> Test:
    if value in ("", "*"):
        return _anything
    wanted = value.split("\\") if row.keyword != "ModalitiesInStudy" else re.split(r"[\\,]", value)
    return lambda held: any(_like(one, wish) for one in _several(held) for wish in wanted)


def _like(held: str, pattern: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return held.strip() == pattern.strip()
    return _glob(held.strip(), pattern.strip())


def _glob(held: str, pattern: str) -> bool:
    """Greedy by pieces between stars, so that no pattern of a stranger costs more than their product."""
    pieces = pattern.split("*")
    if len(pieces) == 1:
        return len(held) == len(pattern) and _same(held, pattern)
    first, *middle, last = pieces
    if len(held) < len(first) + len(last) or not _same(held[: len(first)], first):
        return False
    end = len(held) - len(last)
    if not _same(held[end:], last):
        return False
    at = len(first)
    for piece in middle:
        found = next((i for i in range(at, end - len(piece) + 1) if _same(held[i : i + len(piece)], piece)), None)
        if found is None:
            return False
        at = found + len(piece)
    return True


def _same(held: str, piece: str) -> bool:
    return len(held) == len(piece) and all(q in ("?", c) for c, q in zip(held, piece, strict=True))


def _name(_row: Attribute, value: str) -> Test:
    """A name's whole, or any of its groups, whatever its letters' case (PS3.4 C.2.2.2.1)."""
    if value in ("", "*"):
        return _anything
    wish = value.casefold().rstrip("^")

    def test(held: Any) -> bool:
        whole = str(held or "").casefold()
        return any(_like(one.rstrip("^"), wish) for one in (whole, *whole.split("=")) if one)

    return test


def _uid(row: Attribute, value: str) -> Test:
    """One, or a list of them (C.2.2.2.2)."""
    if value in ("", "*"):
        return _anything
    wanted = frozenset(re.split(r"[\\,]", value))
    if not all(len(uid) <= 64 and _UID.fullmatch(uid) for uid in wanted):
        raise BadQuery(row.keyword)
    return lambda held: held in wanted


def _numeric(row: Attribute, value: str) -> Test:
    if value in ("", "*"):
        return _anything
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", value):
        raise BadQuery(row.keyword)
    return lambda held: held is not None and held == int(value)


def _date(row: Attribute, value: str) -> Test:
    return _range(row, value, _DATE, lambda text: (_digits(text), _digits(text)))


def _time(row: Attribute, value: str) -> Test:
    """A time of less precision stands for all that begin with it."""
    return _range(
        row,
        value,
        _TIME,
        lambda text: (_digits(text).ljust(12, "0"), (_digits(text) + "235959999999"[len(_digits(text)) :])),
    )


def _range(row: Attribute, value: str, shape: re.Pattern[str], bounds: Callable[[str], tuple[str, str]]) -> Test:
    """`a-b`, `a-`, `-b`, or one value (C.2.2.2.5). What has no value matches only a key without one."""
    if value in ("", "*"):
        return _anything
    first, dash, last = value.partition("-")
    if not (first or last) or not all(shape.fullmatch(one) for one in (first, last) if one):
        raise BadQuery(row.keyword)
    low = bounds(first)[0] if first else ""
    high = bounds(last if dash else first)[1] if (last or not dash) else "~"

    def test(held: Any) -> bool:
        text = str(held or "").strip()
        return bool(shape.fullmatch(text)) and low <= bounds(text)[0] <= high

    return test


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


_TESTS: Mapping[Match, Callable[[Attribute, str], Test]] = {
    "text": _text,
    "name": _name,
    "uid": _uid,
    "number": _numeric,
    "date": _date,
    "time": _time,
}
