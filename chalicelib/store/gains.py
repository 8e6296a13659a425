from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from chalicelib.domain.alert import day_of
from chalicelib.domain.gains import Figures, Happening, kind_of
from chalicelib.services.gain_ports import DayFigures, DueAlert, DueDay
from chalicelib.store import batch, calls, gain_keys, items, keys
from chalicelib.store.day_keys import due_until
from chalicelib.store.pages import every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NEW = "attribute_not_exists(PK)"
SEEN_LATEST = "attribute_not_exists(PK) OR seen <= :seen"
AS_MARKED = "mark = :mark"
NOT_WOKEN = "GSI2SK = :mark"
NO_LONGER_DUE = "REMOVE GSI2PK, GSI2SK"
ALL_OF = "PK = :pk"
OF_SOURCE = "GSI1PK = :source"
ONE_OF = "PK = :pk AND SK = :sk"
DUE_IN_SHARD = "GSI2PK = :shard AND GSI2SK < :after"
KEPT: Final = timedelta(days=3 * 365)  # as reminders (store.alerts)
HOUR: Final = timedelta(hours=1)  # a day's figures are brought up to date so often at most


class DynamoGains:
    """`GAIN#{hospital}#{day}` / `{kind}#{key}#{revision}`, and beside them when the day is due; `GAINS#{day}` /
    `{hospital}`: some 80 bytes for each source hospital."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, happening: Happening, now: datetime) -> None:
        """The fact first: where the mark fails, whoever puts the fact again marks the day."""
        calls.put_if(self._client, self._table, _item(happening), ConditionExpression=NEW)
        self._client.put_item(TableName=self._table, Item=_mark(happening, now))

    def put_all(self, happenings: Collection[Happening], now: datetime) -> None:
        batch.put(self._client, self._table, [_item(one) for one in happenings])
        days = {(one.receiving, one.day): one for one in happenings}
        batch.put(self._client, self._table, [_mark(one, now) for one in days.values()])

    def of_day(self, hospital_id: str, day: str) -> tuple[Happening, ...]:
        found = self._all(gain_keys.happenings(hospital_id, day))
        return tuple(_happening(item, hospital_id, day) for item in found if "measure" in item)

    def of_source(self, hospital_id: str, day: str) -> tuple[Happening, ...]:
        found = every(
            self._client,
            TableName=self._table,
            IndexName=keys.GSI1,
            KeyConditionExpression=OF_SOURCE,
            ExpressionAttributeValues=items.expression_values({":source": gain_keys.sourced(hospital_id, day)}),
        )
        return tuple(_happening(item, items.text(item, "GSI1SK").partition("#")[0], day) for item in found)

    def due(self, shard: int, until: datetime) -> Iterator[DueDay]:
        for item in due_items(self._client, self._table, gain_keys.DAY_KIND, shard, until):
            yield DueDay(items.text(item, "hospital_id"), items.text(item, "day"), items.text(item, "mark"))

    def put_figures(self, day: DueDay, of_source: Mapping[str, Figures], seen: int, now: datetime) -> None:
        body = json.dumps({source: dict(sorted(counts.items())) for source, counts in sorted(of_source.items())})
        item = items.key(gain_keys.figures(day.day), day.hospital_id) | items.attributes(
            body=body, seen=seen, derived_at=now
        )
        values = items.expression_values({":seen": seen})
        calls.put_if(self._client, self._table, item, ConditionExpression=SEEN_LATEST, ExpressionAttributeValues=values)

    def done(self, day: DueDay) -> None:
        key = items.key(gain_keys.happenings(day.hospital_id, day.day), keys.due(gain_keys.DAY_KIND))
        calls.update_if(
            self._client,
            self._table,
            key,
            {":mark": day.mark},
            UpdateExpression=NO_LONGER_DUE,
            ConditionExpression=AS_MARKED,
        )

    def figures(self, day: str, hospital_id: str = "") -> Mapping[str, DayFigures]:
        return {item["SK"]["S"]: _figures(item) for item in self._all(gain_keys.figures(day), hospital_id)}

    def counted_until(self) -> datetime | None:
        item = calls.get(self._client, self._table, items.key(gain_keys.HOURS, gain_keys.LAST))
        return items.instant(item, "hour") if item else None

    def counted(self, hour: datetime) -> None:
        item = items.key(gain_keys.HOURS, gain_keys.LAST) | items.attributes(hour=hour)
        self._client.put_item(TableName=self._table, Item=item)

    def _all(self, pk: str, sk: str = "") -> Iterator[Any]:
        return every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=ONE_OF if sk else ALL_OF,
            ExpressionAttributeValues=items.expression_values({":pk": pk} | ({":sk": sk} if sk else {})),
            ConsistentRead=True,
        )


class DynamoDueAlerts:
    """What `store.alerts` leaves on an `ALERT#{id}` in GSI2."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def due(self, shard: int, until: datetime) -> Iterator[DueAlert]:
        for item in due_items(self._client, self._table, gain_keys.ALERT_KIND, shard, until):
            yield DueAlert(items.text(item, "hospital_id"), items.text(item, "alert_id"), items.text(item, "GSI2SK"))

    def due_again(self, alert: DueAlert, at: datetime | None) -> None:
        key = items.key(gain_keys.alerts_of(alert.hospital_id, day_of(alert.alert_id)), gain_keys.alert(alert.alert_id))
        values = {":mark": alert.mark} | ({":due": keys.due_order(at, alert.alert_id)} if at else {})
        expressions = {
            "UpdateExpression": "SET GSI2SK = :due" if at else NO_LONGER_DUE,
            "ConditionExpression": NOT_WOKEN,
        }
        calls.update_if(self._client, self._table, key, values, **expressions)


def due_items(client: DynamoDBClient, table: str, kind: str, shard: int, until: datetime) -> Iterator[items.Item]:
    values = {":shard": keys.due_shard(kind, shard), ":after": due_until(until)}
    return every(
        client,
        TableName=table,
        IndexName=keys.GSI2,
        KeyConditionExpression=DUE_IN_SHARD,
        ExpressionAttributeValues=items.expression_values(values),
    )


def _place(one: Happening) -> tuple[str, str]:
    pk = gain_keys.happenings(one.receiving, one.day)
    return pk, gain_keys.happening(kind_of(one.measure), one.key, one.revision)


def _mark(one: Happening, now: datetime) -> dict[str, Any]:
    """That its day is due; it names the fact, so that no two marks are the same."""
    pk, sk = _place(one)
    owner = f"{one.receiving}#{one.day}"
    due_at = now.replace(minute=0, second=0, microsecond=0) + HOUR
    return items.key(pk, keys.due(gain_keys.DAY_KIND)) | items.attributes(
        mark=f"{keys.instant(now)}#{sk}",
        hospital_id=one.receiving,
        day=one.day,
        GSI2PK=keys.due_shard(gain_keys.DAY_KIND, keys.shard(owner)),
        GSI2SK=keys.due_order(due_at, owner),
    )


def _item(one: Happening) -> dict[str, Any]:
    return items.key(*_place(one)) | items.attributes(
        expires_at=int((one.at + KEPT).timestamp()),
        measure=one.measure,
        happening=one.key,
        at=one.at,
        source=one.source,
        encounter_id=one.encounter_id,
        modality_group=one.group,
        regions=one.parts,
        revision=one.revision,
        GSI1PK=gain_keys.sourced(one.source, one.day),
        GSI1SK=f"{one.receiving}#{gain_keys.happening(kind_of(one.measure), one.key, one.revision)}",
    )


def _happening(item: items.Item, hospital_id: str, day: str) -> Happening:
    return Happening(
        measure=items.text(item, "measure"),
        key=items.text(item, "happening"),
        day=day,
        at=items.instant(item, "at"),
        receiving=hospital_id,
        source=items.text(item, "source"),
        encounter_id=items.text(item, "encounter_id"),
        group=items.text(item, "modality_group"),
        parts=items.texts(item, "regions"),
        revision=items.number(item, "revision"),
    )


def _figures(item: items.Item) -> DayFigures:
    return DayFigures(json.loads(items.text(item, "body")), items.instant(item, "derived_at").astimezone(UTC))
