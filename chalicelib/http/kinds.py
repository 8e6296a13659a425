"""What a field of a request may be, as JSON Schema (2020-12): said once, read by `http.asked` and told by
`http.openapi`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """`default` stands where an optional field is absent, null or, of a text, empty; so of a list whose default is."""

    schema: Schema
    required: bool = True
    default: Any = None
    fields: Mapping[str, Kind] = field(default_factory=dict)  # of an object, and of each in a list

    def told(self) -> Schema:
        """As the document tells it: null and, of a text, empty are as good as absent."""
        if self.required:
            return self.schema
        empty: list[Schema] = [{"type": "null"}]
        if self.schema.get("type") == "string":
            empty.append({"const": ""})
        if self.default == []:
            empty.append({"const": []})
        told: dict[str, Any] = {"anyOf": [self.schema, *empty]}
        return told if self.default is None else {**told, "default": self.default}


Kinds = Mapping[str, Kind]

_PRINTED: Final = r"[^\x00-\x1f\x7f-\x9f]"


def text(longest: int = 256) -> Kind:
    """Not blank, without control characters; nor lone surrogates, which JSON can escape but nobody can keep."""
    pattern = rf"^{_PRINTED}*[^\s\x00-\x1f\x7f-\x9f]{_PRINTED}*$"
    return Kind({"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern})


def matching(pattern: str, longest: int) -> Kind:
    return Kind({"type": "string", "maxLength": longest, "pattern": f"^{pattern}$"})


def one_of(choices: Collection[str]) -> Kind:
    return Kind({"type": "string", "enum": [*choices]})


def whole(least: int = 0, most: int = 2**53) -> Kind:
    return Kind({"type": "integer", "minimum": least, "maximum": most})


def thing(**fields: Kind) -> Kind:
    """An object within."""
    return Kind(of(fields), fields=fields)


def listed(kind: Kind, most: int, least: int = 1) -> Kind:
    schema = {"type": "array", "items": kind.schema, "minItems": least, "maxItems": most}
    return Kind(schema, fields=kind.fields)


def optional(kind: Kind, default: Any = None) -> Kind:
    return replace(kind, required=False, default=default)


def of(fields: Kinds) -> Schema:
    """The object of these fields. What else it holds is ignored."""
    required = [name for name, kind in fields.items() if kind.required]
    told = {"type": "object", "properties": {name: kind.told() for name, kind in fields.items()}}
    return {**told, "required": required} if required else told


HOSPITAL: Final = matching("[A-Z0-9]{1,16}", 16)
UID: Final = matching(r"[0-9]+(\.[0-9]+)*", 64)
ULID: Final = matching("[0-9A-Z]{26}", 26)
DAY: Final = Kind({"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"})
INSTANT: Final = Kind({"type": "string", "format": "date-time", "maxLength": 40})
MONTH: Final = matching(r"\d{4}-(0[1-9]|1[0-2])", 7)
FLAG: Final = Kind({"type": "boolean"})
STUDY: Final = thing(hospital_id=HOSPITAL, study_instance_uid=UID)
ANY: Final = Kind({})
TOKEN: Final = optional(text(2048), "")  # how a list goes on: what `next_token` said
