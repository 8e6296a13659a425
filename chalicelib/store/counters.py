from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.domain.code import Counter
from chalicelib.store import items, keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BELOW_LIMIT = "attribute_not_exists(taken) OR taken < :limit"
TAKE = "SET expires_at = :forget ADD taken :one"
SOME_TAKEN = "taken > :none"
GIVE_BACK = "ADD taken :minus_one"


class DynamoCounters:
    """`COUNT#{kind}#{window}` under person or doctor: condition and addition are one write, so no crowd beats them."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def take(self, counter: Counter) -> int | None:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(counter),
                UpdateExpression=TAKE,
                ConditionExpression=BELOW_LIMIT,
                ExpressionAttributeValues={
                    ":one": items.attribute(1),
                    ":limit": items.attribute(counter.limit),
                    ":forget": items.attribute(int(counter.forget_at.timestamp())),
                },
                ReturnValues="UPDATED_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return counter.limit - items.number(answer["Attributes"], "taken")

    def give_back(self, counter: Counter) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(counter),
                UpdateExpression=GIVE_BACK,
                ConditionExpression=SOME_TAKEN,
                ExpressionAttributeValues={":minus_one": items.attribute(-1), ":none": items.attribute(0)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # nothing was taken: the window is over and forgotten


def _key(counter: Counter) -> dict[str, Any]:
    owner = keys.person(counter.holder_id) if counter.holder == "person" else keys.doctor(counter.holder_id)
    return {"PK": {"S": owner}, "SK": {"S": keys.count(keys.text(counter.kind), counter.window)}}
