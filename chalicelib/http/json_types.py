"""What views are annotated with, as JSON Schema: TypedDicts, lists, literals, and what `Annotated` adds to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Shape = dict[str, Any]

# How times and days are told
Instant = Annotated[str, ("format", "date-time")]
Day = Annotated[str, ("format", "date")]

_PLAIN: Mapping[Any, Shape] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    Any: {},
    object: {},
}


class Described:
    """Schemas by the names of their types; no two types may have one name."""

    def __init__(self, *, closed: bool) -> None:
        self.closed = closed
        self.schemas: dict[str, Shape] = {}
        self._types: dict[str, Any] = {}

    def schema(self, told: Any) -> Shape:
        """Raises TypeError for a type that JSON has not, or whose name another type has."""
        if told in _PLAIN:
            return _PLAIN[told]
        if is_typeddict(told):
            return self._named(told)
        made = _MADE.get(get_origin(told))
        if made is None:
            raise TypeError(f"{told} is nothing that JSON has")
        return made(self, get_args(told))

    def _named(self, told: Any) -> Shape:
        name = told.__name__
        if self._types.setdefault(name, told) is not told:
            raise TypeError(f"two types are named {name}: {told.__module__}, {self._types[name].__module__}")
        if name not in self.schemas:
            self.schemas[name] = {}  # for one that holds itself
            self.schemas[name] = self._fields(told)
        return {"$ref": f"#/components/schemas/{name}"}

    def _fields(self, told: Any) -> Shape:
        hints = get_type_hints(told, include_extras=True)
        made: Shape = {
            "type": "object",
            "properties": {name: self.schema(hint) for name, hint in hints.items()},
            "required": [name for name in hints if _is_required(told, name, hints[name])],
        }
        if self.closed:
            made["additionalProperties"] = False
        says = (told.__doc__ or "").strip()
        return {"description": " ".join(says.split()), **made} if says else made


def _is_required(told: Any, name: str, hint: Any) -> bool:
    """By the hint itself: a TypedDict whose annotations are postponed does not know of NotRequired."""
    return get_origin(hint) is not NotRequired and name in told.__required_keys__


def _listed(described: Described, parts: tuple[Any, ...]) -> Shape:
    return {"type": "array", "items": described.schema(parts[0])}


def _mapped(described: Described, parts: tuple[Any, ...]) -> Shape:
    return {"type": "object", "additionalProperties": described.schema(parts[1])}


def _either(described: Described, parts: tuple[Any, ...]) -> Shape:
    return {"anyOf": [described.schema(part) for part in parts]}


_MADE: Mapping[Any, Callable[[Described, tuple[Any, ...]], Shape]] = {
    Annotated: lambda described, parts: {**described.schema(parts[0]), **dict(parts[1:])},
    NotRequired: lambda described, parts: described.schema(parts[0]),
    Literal: lambda _described, parts: {"enum": [*parts]},
    Union: _either,
    UnionType: _either,
    list: _listed,
    Sequence: _listed,
    dict: _mapped,
    Mapping: _mapped,
}
