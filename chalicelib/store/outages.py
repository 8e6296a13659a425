from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast, get_args

from chalicelib.domain.exam import Excuse, counting
from chalicelib.domain.outage import Outage, Scope
from chalicelib.domain.page import Page, opaque, place
from chalicelib.store import calls, day_keys, items, keys
from chalicelib.store.pages import LONGEST, every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EXCUSE_KIND, OUTAGE_KIND = "excuse", "outage"
FROM_TO = "PK = :pk AND SK BETWEEN :first AND :last"
ALL_OF = "PK = :pk"
DUE = "GSI2PK = :due"


class DynamoExcuses:
    """`HOSPITAL#{id}` / `EXCUSE#{end}#{digest}`, and `…#WITHDRAWN` where it is: by their end, so that those long over
    are never read. In GSI2 until the rows are derived again that they touch."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, excuse: Excuse) -> None:
        owner = keys.hospital(excuse.hospital_id)
        due = {
            "GSI2PK": {"S": keys.due(EXCUSE_KIND)},
            "GSI2SK": {"S": keys.due_order(excuse.made_at, f"{owner}#{excuse.digest}")},
        }
        self._client.put_item(TableName=self._table, Item=_excuse_item(excuse) | due)

    def has(self, excuse: Excuse) -> bool:
        accepted = items.key(keys.hospital(excuse.hospital_id), keys.excuse(excuse.to_at, excuse.digest))
        return calls.get(self._client, self._table, accepted) is not None

    def applied(self, excuse: Excuse) -> None:
        self._client.put_item(TableName=self._table, Item=_excuse_item(excuse))

    def due(self) -> Iterator[Excuse]:
        return map(_excuse, _due(self._client, self._table, EXCUSE_KIND))

    def overlapping(self, hospital_id: str, from_at: datetime, to_at: datetime) -> tuple[Excuse, ...]:
        first, last = keys.excuses_from(from_at), f"{keys.EXCUSE}~"
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=FROM_TO,
            ExpressionAttributeValues=items.expression_values(
                {":pk": keys.hospital(hospital_id), ":first": first, ":last": last}
            ),
            ConsistentRead=True,
        )
        return tuple(excuse for excuse in counting(map(_excuse, found)) if excuse.from_at <= to_at)


class DynamoOutages:
    """`OUTAGES` / `{beginning}#{id}`: hundreds in a year. In GSI2 until every hospital has its excuse. `WITHDRAWN` /
    the same, of those that were."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, outage: Outage) -> None:
        held = calls.get(self._client, self._table, _outage_key(outage))
        if held and outage.withdrawal:
            return
        revision = items.number(held, "revision") if held else 0
        self._client.put_item(TableName=self._table, Item=_outage_item(replace(outage, revision=revision)))

    def come(self, outage: Outage) -> bool:
        return calls.put_if(self._client, self._table, _outage_item(outage), **items.at_revision(outage.revision))

    def due(self) -> Iterator[Outage]:
        return map(_outage, _due(self._client, self._table, OUTAGE_KIND))

    def list(self, token: str, limit: int) -> Page[Outage]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression=ALL_OF,
            ExpressionAttributeValues=items.expression_values({":pk": day_keys.OUTAGES}),
            ScanIndexForward=False,
            Limit=limit,
            **_after(token),
        )
        last = answer.get("LastEvaluatedKey")
        return Page(tuple(map(_outage, answer["Items"])), opaque(last["SK"]["S"]) if last else "")

    def find(self, outage_id: str) -> Outage | None:
        values = items.expression_values({":pk": day_keys.OUTAGES})
        query = {"KeyConditionExpression": ALL_OF, "ExpressionAttributeValues": values}
        found = map(_outage, every(self._client, TableName=self._table, ConsistentRead=True, **query))
        return next((outage for outage in found if outage.outage_id == outage_id), None)

    def withdrawals(self, outages: Sequence[Outage]) -> Mapping[str, Outage]:
        wanted = sorted(day_keys.outage(outage.from_at, outage.outage_id) for outage in outages)
        if not wanted:
            return {}
        values = items.expression_values({":pk": day_keys.WITHDRAWN, ":first": wanted[0], ":last": wanted[-1]})
        query = {"KeyConditionExpression": FROM_TO, "ExpressionAttributeValues": values}
        found = map(_outage, every(self._client, TableName=self._table, ConsistentRead=True, **query))
        ids = {outage.outage_id for outage in outages}
        return {outage.outage_id: outage for outage in found if outage.outage_id in ids}


def _after(token: str) -> Any:
    if not token:
        return {}
    sort_key = place(token, LONGEST)
    if not (sort_key and sort_key.isascii()):
        raise ValueError("not a continuation token")
    return {"ExclusiveStartKey": items.key(day_keys.OUTAGES, sort_key)}


def _due(client: DynamoDBClient, table: str, kind: str) -> Iterator[Any]:
    return every(
        client,
        TableName=table,
        IndexName=keys.GSI2,
        KeyConditionExpression=DUE,
        ExpressionAttributeValues=items.expression_values({":due": keys.due(kind)}),
    )


def _excuse_item(excuse: Excuse) -> dict[str, Any]:
    order = keys.excuse(excuse.to_at, excuse.digest, withdrawn=excuse.withdrawn)
    return items.key(keys.hospital(excuse.hospital_id), order) | items.attributes(
        hospital_id=excuse.hospital_id,
        from_at=excuse.from_at,
        to_at=excuse.to_at,
        reason=excuse.reason,
        made_by=excuse.made_by,
        made_at=excuse.made_at,
        outage_id=excuse.outage_id,
        withdrawn=excuse.withdrawn,
    )


def _excuse(item: items.Item) -> Excuse:
    return Excuse(
        hospital_id=items.text(item, "hospital_id"),
        from_at=items.instant(item, "from_at"),
        to_at=items.instant(item, "to_at"),
        reason=items.text(item, "reason"),
        made_by=items.text(item, "made_by"),
        made_at=items.instant(item, "made_at"),
        outage_id=items.text(item, "outage_id"),
        withdrawn=items.truth(item, "withdrawn"),
    )


def _outage_key(outage: Outage) -> dict[str, Any]:
    kind = day_keys.WITHDRAWN if outage.withdrawal else day_keys.OUTAGES
    return items.key(kind, day_keys.outage(outage.from_at, outage.outage_id))


def _outage_item(outage: Outage) -> dict[str, Any]:
    """As it stands after this write."""
    item = _outage_key(outage) | items.attributes(
        scope=outage.scope,
        of=outage.of,
        from_at=outage.from_at,
        to_at=outage.to_at,
        reason=outage.reason,
        made_by=outage.made_by,
        made_at=outage.made_at,
        after=outage.after,
        hospitals=outage.hospitals,
        spread_at=outage.spread_at,
        withdrawal=outage.withdrawal,
        revision=outage.revision + 1,
    )
    if outage.spread_at is None:
        item["GSI2PK"] = {"S": keys.due(OUTAGE_KIND)}
        item["GSI2SK"] = {"S": keys.due_order(outage.made_at, outage.outage_id)}
    return item


def _outage(item: items.Item) -> Outage:
    scope = items.text(item, "scope")
    if scope not in get_args(Scope):
        raise ValueError("not a scope of ours")
    return Outage(
        scope=cast(Scope, scope),
        of=items.text(item, "of"),
        from_at=items.instant(item, "from_at"),
        to_at=items.instant(item, "to_at"),
        reason=items.text(item, "reason"),
        made_by=items.text(item, "made_by"),
        made_at=items.instant(item, "made_at"),
        after=items.text(item, "after"),
        hospitals=items.number(item, "hospitals"),
        spread_at=items.instant_or_none(item, "spread_at"),
        withdrawal=items.text(item, "withdrawal"),
        revision=items.number(item, "revision"),
    )
