from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from typing import TYPE_CHECKING, Any

from chalicelib.domain.seal import Record
from chalicelib.store import keys
from chalicelib.store.pages import every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OF_PARTITION = "PK = :partition"
KEY = frozenset({"PK", "SK"})


class DynamoAuditHours:
    """The audit table read by the hour: sixteen partitions, strongly consistent, every attribute."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def of_hour(self, hour: datetime) -> tuple[Record, ...]:
        return tuple(record for partition in keys.audit_hour(hour) for record in self._records(partition))

    def in_order(self, hour: datetime) -> Iterator[Record]:
        """A partition is in the order of its ids."""
        parts = [self._records(partition) for partition in keys.audit_hour(hour)]
        return merge(*parts, key=lambda record: (record.event_id, record.partition))

    def holds_any(self, hour: datetime) -> bool:
        return any(
            self._client.query(**self._query(partition), Limit=1)["Items"] for partition in keys.audit_hour(hour)
        )

    def _records(self, partition: str) -> Iterator[Record]:
        return map(_record, every(self._client, **self._query(partition)))

    def _query(self, partition: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": OF_PARTITION,
            "ExpressionAttributeValues": {":partition": {"S": partition}},
            "ConsistentRead": True,
        }


def _record(item: Any) -> Record:
    values = {name: _plain(value) for name, value in item.items() if name not in KEY}
    return Record(item["SK"]["S"], item["PK"]["S"], values)


def _plain(value: Any) -> Any:
    """Text, truth and lists as themselves; every other type by its letter, so that no two values look alike."""
    ((letter, held),) = value.items()
    if letter in {"S", "BOOL"}:
        return held
    if letter == "L":
        return [_plain(one) for one in held]
    return {letter: _by_letter(letter, held)}


def _by_letter(letter: str, held: Any) -> Any:
    match letter:
        case "M":
            return {name: _plain(one) for name, one in held.items()}
        case "B":
            return base64.b64encode(held).decode()
        case "BS":
            return sorted(base64.b64encode(one).decode() for one in held)
        case "SS" | "NS":
            return sorted(held)
    return held
