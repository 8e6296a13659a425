"""Plain values to DynamoDB attributes and back. What is empty is left out, and reads as empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.store import keys

Item = Mapping[str, Any]
Value = str | bool | int | bytes | datetime | tuple[str, ...] | None


def attributes(**values: Value) -> dict[str, Any]:
    """Text as S, numbers as N, bytes as B, truth as BOOL, tuples of text as L, instants as fixed-width UTC text."""
    return {name: attribute(value) for name, value in values.items() if value not in ("", None, ())}


def attribute(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case datetime():
            return {"S": keys.instant(value.astimezone(UTC))}
        case tuple():
            return {"L": [{"S": text} for text in value]}
        case _:
            return {"S": value}


def expression_values(values: Mapping[str, Value]) -> dict[str, Any]:
    """What the `:names` of an expression stand for: empty values are values here."""
    return {name: attribute(value) for name, value in values.items()}


def key(pk: str, sk: str) -> dict[str, Any]:
    return {"PK": {"S": pk}, "SK": {"S": sk}}


def text(item: Item, name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def texts(item: Item, name: str) -> tuple[str, ...]:
    return tuple(value["S"] for value in item[name]["L"]) if name in item else ()


def number(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def truth(item: Item, name: str) -> bool:
    return name in item and bool(item[name]["BOOL"])


def instant(item: Item, name: str) -> datetime:
    return datetime.fromisoformat(item[name]["S"])


def instant_or_none(item: Item, name: str) -> datetime | None:
    return instant(item, name) if name in item else None


def at_revision(read: int) -> dict[str, Any]:
    """The condition that an item still is as it was read: at that revision, or absent for 0."""
    if not read:
        return {"ConditionExpression": "attribute_not_exists(PK)"}
    return {"ConditionExpression": "revision = :read", "ExpressionAttributeValues": {":read": attribute(read)}}


LOST_RACE = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


def lost_race(response: Mapping[str, Any]) -> bool:
    """Whether a transaction was cancelled only because others wrote: a typed answer, not an error."""
    codes = {reason.get("Code", "None") for reason in response.get("CancellationReasons", [])} - {"None"}
    return bool(codes) and codes <= LOST_RACE
