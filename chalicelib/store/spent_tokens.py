from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.store import items, keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NEVER_SPENT = "attribute_not_exists(PK)"
FORGET_AFTER = timedelta(hours=1)  # well past every leeway: by then its own expiry refuses the token


class DynamoSpentTokens:
    """One item per single-use token, put if there is none; TTL takes it once the token has long expired."""

    def __init__(self, client: DynamoDBClient, table: str, random: Callable[[int], bytes]) -> None:
        self._client = client
        self._table = table
        self._random = random

    def spend(self, issuer: str, jti: str, expires_at: datetime) -> bool:
        """`by` tells our own put, which the client sends again when its answer was lost, from a second use."""
        forget_at = int((expires_at + FORGET_AFTER).timestamp())
        values = items.attributes(by=self._random(16), expires_at=forget_at)
        item = {"PK": {"S": keys.spent_token(issuer, jti)}, "SK": {"S": keys.SPENT}, **values}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=NEVER_SPENT,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as failed:
            first: items.Item = failed.response.get("Item", {})  # type: ignore[assignment] # the stubs lack it
            return bool(first.get("by") == item["by"])
        return True
