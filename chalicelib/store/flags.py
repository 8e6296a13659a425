from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.exam import Excuse
from chalicelib.domain.flag import Flag, FlaggedExam
from chalicelib.domain.page import Page
from chalicelib.store import calls, keys
from chalicelib.store.pages import LONGEST, every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FIRST = "attribute_not_exists(PK)"
UNCHANGED = "revision = :read"
FROM_TO = "PK = :pk AND SK BETWEEN :first AND :last"
OPEN = "GSI2PK = :open"
AFTER = "~"  # follows every character of a key


class DynamoFlags:
    """Flags beside their hospital, in GSI2 while open. The exams behind one are compressed: there may be thousands."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, hospital_id: str, day: str, rule: str) -> Flag | None:
        item = calls.get(self._client, self._table, _key(hospital_id, day, rule))
        return _flag(item) if item else None

    def put(self, flag: Flag) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": FIRST}
        if flag.revision:
            values = {":read": {"N": str(flag.revision)}}
            condition = {"ConditionExpression": UNCHANGED, "ExpressionAttributeValues": values}
        return calls.put_if(self._client, self._table, _item(flag), **condition)

    def of_hospital(self, hospital_id: str, first_day: str, last_day: str) -> tuple[Flag, ...]:
        first, last = keys.flag(first_day, ""), keys.flag(last_day, AFTER)
        items = _between(self._client, self._table, keys.hospital(hospital_id), first, last)
        return tuple(_flag(item) for item in items)

    def open(self, token: str, limit: int) -> Page[Flag]:
        start: Any = {"ExclusiveStartKey": _start(token)} if token else {}
        answer = self._client.query(
            TableName=self._table,
            IndexName=keys.GSI2,
            KeyConditionExpression=OPEN,
            ExpressionAttributeValues={":open": {"S": keys.OPEN_FLAGS}},
            Limit=limit,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        return Page(tuple(_flag(item) for item in answer["Items"]), _token(last["GSI2SK"]["S"]) if last else "")


class DynamoExcuses:
    """`HOSPITAL#{id}` / `EXCUSE#{end}#{digest}`: by their end, so that those long over are never read."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, excuse: Excuse) -> None:
        values = {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(excuse).items()
        }
        item = {
            "PK": {"S": keys.hospital(excuse.hospital_id)},
            "SK": {"S": keys.excuse(excuse.to_at, excuse.digest)},
            **{name: {"S": value} for name, value in values.items()},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def overlapping(self, hospital_id: str, from_at: datetime, to_at: datetime) -> tuple[Excuse, ...]:
        first, last = keys.excuses_from(from_at), f"{keys.EXCUSE}{AFTER}"
        items = _between(self._client, self._table, keys.hospital(hospital_id), first, last)
        return tuple(excuse for excuse in map(_excuse, items) if excuse.from_at <= to_at)


def _between(client: DynamoDBClient, table: str, partition: str, first: str, last: str) -> Iterator[Any]:
    return every(
        client,
        TableName=table,
        KeyConditionExpression=FROM_TO,
        ExpressionAttributeValues={":pk": {"S": partition}, ":first": {"S": first}, ":last": {"S": last}},
        ConsistentRead=True,
    )


def _key(hospital_id: str, day: str, rule: str) -> dict[str, Any]:
    return {"PK": {"S": keys.hospital(hospital_id)}, "SK": {"S": keys.flag(day, rule)}}


def _item(flag: Flag) -> dict[str, Any]:
    exams = [
        [e.accession, e.use, e.standing, *(at.isoformat() if at else None for at in (e.due_at, e.completed_at))]
        for e in flag.exams
    ]
    item = {
        **_key(flag.hospital_id, flag.day, flag.rule),
        "hospital_id": {"S": flag.hospital_id},
        "day": {"S": flag.day},
        "rule": {"S": flag.rule},
        "state": {"S": flag.state},
        "raised_at": {"S": flag.raised_at.isoformat()},
        "raises": {"N": str(flag.raises)},
        "published": {"N": str(flag.published)},
        "revision": {"N": str(flag.revision + 1)},
        "body": {"B": zlib.compress(json.dumps(exams, separators=(",", ":")).encode())},
    }
    if flag.state == "open":
        item["GSI2PK"] = {"S": keys.OPEN_FLAGS}
        item["GSI2SK"] = {"S": f"{flag.day}#{flag.hospital_id}#{flag.rule}"}
    return item


def _flag(item: Mapping[str, Any]) -> Flag:
    exams = json.loads(zlib.decompress(item["body"]["B"]))
    return Flag(
        hospital_id=item["hospital_id"]["S"],
        day=item["day"]["S"],
        rule=item["rule"]["S"],
        state=item["state"]["S"],
        exams=tuple(
            FlaggedExam(accession, use, standing, _instant(due_at), _instant(completed_at))
            for accession, use, standing, due_at, completed_at in exams
        ),
        raised_at=datetime.fromisoformat(item["raised_at"]["S"]),
        raises=int(item["raises"]["N"]),
        published=int(item["published"]["N"]),
        revision=int(item["revision"]["N"]),
    )


def _excuse(item: Mapping[str, Any]) -> Excuse:
    return Excuse(
        hospital_id=item["hospital_id"]["S"],
        from_at=datetime.fromisoformat(item["from_at"]["S"]),
        to_at=datetime.fromisoformat(item["to_at"]["S"]),
        reason=item["reason"]["S"],
        made_by=item["made_by"]["S"],
        made_at=datetime.fromisoformat(item["made_at"]["S"]),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _token(sort_key: str) -> str:
    return base64.urlsafe_b64encode(sort_key.encode()).decode()


def _start(token: str) -> dict[str, Any]:
    try:
        sort_key = base64.b64decode(token, altchars=b"-_", validate=True).decode()
        day, hospital_id, rule = sort_key.split("#")
    except (binascii.Error, ValueError) as error:
        raise ValueError("not a continuation token") from error
    if len(sort_key) > LONGEST:
        raise ValueError("not a continuation token")
    return {**_key(hospital_id, day, rule), "GSI2PK": {"S": keys.OPEN_FLAGS}, "GSI2SK": {"S": sort_key}}
