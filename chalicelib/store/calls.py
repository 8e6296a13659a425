"""DynamoDB's calls for one item, and for several together: a lost race is an answer, every other error stays one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.store import items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def get(client: DynamoDBClient, table: str, key: items.Item) -> items.Item | None:
    """The item, strongly consistent; None when there is none."""
    return client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


def put_if(client: DynamoDBClient, table: str, item: items.Item, **condition: Any) -> bool:
    """Whether the condition held: ConditionExpression, and its values when it has any."""
    try:
        client.put_item(TableName=table, Item=item, **condition)
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def update_if(
    client: DynamoDBClient, table: str, key: items.Item, values: Mapping[str, items.Value], **expressions: Any
) -> items.Item | None:
    """The item after the update; None when the condition did not hold. UpdateExpression and ConditionExpression."""
    try:
        answer = client.update_item(
            TableName=table,
            Key=key,
            ExpressionAttributeValues=items.expression_values(values),
            ReturnValues="ALL_NEW",
            **expressions,
        )
    except client.exceptions.ConditionalCheckFailedException:
        return None
    return answer["Attributes"]


def together(client: DynamoDBClient, writes: Sequence[Any]) -> bool:
    """All of them or, when others wrote, none."""
    try:
        client.transact_write_items(TransactItems=writes)
    except client.exceptions.TransactionCanceledException as cancelled:
        if items.lost_race(cancelled.response):
            return False
        raise
    return True
