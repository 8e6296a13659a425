from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from chalicelib.domain.compliance import Figures
from chalicelib.store import calls, day_keys, items, keys
from chalicelib.store.pages import every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FROM_TO = "PK = :pk AND SK BETWEEN :first AND :last"
SEEN_LATEST = "attribute_not_exists(PK) OR seen <= :seen"
ALL_OWED = "PK = :reports"
AS_READ = "ticket = :ticket"


class DynamoFigures:
    """`HOSPITAL#{id}` / `FIGURES#{day}`: counts and delays, compressed: some 300 bytes for 200 exams."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, hospital_id: str, day: str, figures: Figures, seen: int) -> None:
        item = items.key(keys.hospital(hospital_id), day_keys.figures(day)) | items.attributes(
            day=day, body=zlib.compress(figures.to_json()), seen=seen
        )
        values = items.expression_values({":seen": seen})
        calls.put_if(self._client, self._table, item, ConditionExpression=SEEN_LATEST, ExpressionAttributeValues=values)

    def between(self, hospital_id: str, first_day: str, last_day: str) -> Mapping[str, Figures]:
        values = {
            ":pk": keys.hospital(hospital_id),
            ":first": day_keys.figures(first_day),
            ":last": day_keys.figures(last_day),
        }
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=FROM_TO,
            ExpressionAttributeValues=items.expression_values(values),
            ConsistentRead=True,
        )
        return {items.text(item, "day"): Figures.from_json(zlib.decompress(item["body"]["B"])) for item in found}


class DynamoOwedReports:
    """`REPORTS` / `{period}`: some 2,100 writes a day, nearly all within the minutes after noon."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def owe(self, period: str, token: str) -> None:
        item = items.key(day_keys.REPORTS, period) | items.attributes(period=period, ticket=token)
        self._client.put_item(TableName=self._table, Item=item)

    def owed(self) -> Sequence[tuple[str, str]]:
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=ALL_OWED,
            ExpressionAttributeValues=items.expression_values({":reports": day_keys.REPORTS}),
            ConsistentRead=True,
        )
        return [(items.text(item, "period"), items.text(item, "ticket")) for item in found]

    def made(self, period: str, token: str) -> None:
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.delete_item(
                TableName=self._table,
                Key=items.key(day_keys.REPORTS, period),
                ConditionExpression=AS_READ,
                ExpressionAttributeValues=items.expression_values({":ticket": token}),
            )
