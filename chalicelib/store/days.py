from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.hospital_day import DayMark
from chalicelib.domain.warning import Told, Warned
from chalicelib.store import calls, day_keys, items, keys
from chalicelib.store.pages import every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KIND = "day"
TOUCHED = "SET due_at = :due_at, GSI2PK = :GSI2PK, GSI2SK = :GSI2SK ADD revision :one"
FROM_TO = "PK = :pk AND SK BETWEEN :first AND :last"
DUE = "GSI2PK = :due AND GSI2SK < :end"


class DynamoDays:
    """`HOSPITAL#{id}` / `DAY#{day}`, in GSI2 while the day must be looked at: a few thousand writes a day, so one
    partition does."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, hospital_id: str, day: str) -> DayMark | None:
        item = calls.get(self._client, self._table, items.key(keys.hospital(hospital_id), day_keys.day(day)))
        return _mark(item) if item else None

    def put(self, mark: DayMark) -> bool:
        return calls.put_if(self._client, self._table, _item(mark), **items.at_revision(mark.revision))

    def touch(self, mark: DayMark, due_at: datetime) -> None:
        due = _due(mark.hospital_id, mark.day, due_at)
        self._client.update_item(
            TableName=self._table,
            Key=items.key(keys.hospital(mark.hospital_id), day_keys.day(mark.day)),
            UpdateExpression=TOUCHED,
            ExpressionAttributeValues={f":{name}": value for name, value in {**due, "one": {"N": "1"}}.items()},
        )

    def between(self, hospital_id: str, first_day: str, last_day: str) -> tuple[DayMark, ...]:
        values = {":pk": keys.hospital(hospital_id), ":first": day_keys.day(first_day), ":last": day_keys.day(last_day)}
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=FROM_TO,
            ExpressionAttributeValues=items.expression_values(values),
            ConsistentRead=True,
        )
        return tuple(map(_mark, found))

    def due(self, until: datetime) -> Iterator[tuple[str, str]]:
        found = every(
            self._client,
            TableName=self._table,
            IndexName=keys.GSI2,
            KeyConditionExpression=DUE,
            ExpressionAttributeValues=items.expression_values(
                {":due": keys.due(KIND), ":end": day_keys.due_until(until)}
            ),
        )
        for item in found:
            yield items.text(item, "hospital_id"), items.text(item, "day")

    def opened_until(self) -> str:
        item = calls.get(self._client, self._table, items.key(day_keys.OPENED, day_keys.OPENED))
        return items.text(item, "day") if item else ""

    def put_opened_until(self, day: str) -> None:
        self._client.put_item(
            TableName=self._table, Item=items.key(day_keys.OPENED, day_keys.OPENED) | items.attributes(day=day)
        )


def _item(mark: DayMark) -> dict[str, Any]:
    """As it stands after this write."""
    item = items.key(keys.hospital(mark.hospital_id), day_keys.day(mark.day)) | items.attributes(
        hospital_id=mark.hospital_id,
        day=mark.day,
        watched=mark.watched,
        closed=mark.closed,
        excused=mark.excused,
        exams=mark.exams,
        usual=mark.usual,
        revision=mark.revision + 1,
    )
    return item | (_due(mark.hospital_id, mark.day, mark.due_at) if mark.due_at else {})


def _due(hospital_id: str, day: str, due_at: datetime) -> dict[str, Any]:
    order = keys.due_order(due_at, f"{keys.hospital(hospital_id)}#{day}")
    return items.attributes(due_at=due_at, GSI2PK=keys.due(KIND), GSI2SK=order)


def _mark(item: items.Item) -> DayMark:
    return DayMark(
        hospital_id=items.text(item, "hospital_id"),
        day=items.text(item, "day"),
        due_at=items.instant_or_none(item, "due_at"),
        watched=items.truth(item, "watched"),
        closed=items.truth(item, "closed"),
        excused=items.truth(item, "excused"),
        exams=items.number(item, "exams") if "exams" in item else None,
        usual=items.number(item, "usual") if "usual" in item else None,
        revision=items.number(item, "revision"),
    )


class DynamoWarnings:
    """`HOSPITAL#{id}` / `WARNED`: digests of what is due within two hours, a few hundred at a large hospital."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, hospital_id: str) -> Warned:
        item = calls.get(self._client, self._table, items.key(keys.hospital(hospital_id), day_keys.WARNED))
        if item is None:
            return Warned()
        told, excused = (_told(item[name]["B"]) if name in item else frozenset() for name in ("told", "excused"))
        return Warned(told, excused, items.number(item, "revision"))

    def put(self, hospital_id: str, warned: Warned) -> bool:
        item = items.key(keys.hospital(hospital_id), day_keys.WARNED) | items.attributes(
            told=_packed(warned.told), excused=_packed(warned.excused), revision=warned.revision + 1
        )
        return calls.put_if(self._client, self._table, item, **items.at_revision(warned.revision))


def _packed(told: Iterable[Told]) -> bytes:
    values = [[due_at.isoformat(), name] for due_at, name in sorted(told)]
    return zlib.compress(json.dumps(values, separators=(",", ":")).encode())


def _told(packed: bytes) -> frozenset[Told]:
    return frozenset((datetime.fromisoformat(due_at), name) for due_at, name in json.loads(zlib.decompress(packed)))
