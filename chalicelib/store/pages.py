"""Pages of a query: all of them, or one and a token for the next."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


BENEATH = "PK = :pk AND begins_with(SK, :kind)"
LONGEST = 512  # characters of a sort key in a token; DynamoDB takes 1,024 bytes, and refuses more as our fault


def every(client: DynamoDBClient, **query: Any) -> Iterator[Any]:
    """All items of a query, page by page (DynamoDB answers at most 1 MB at a time) as they are asked for."""
    while True:
        answer = client.query(**query)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def beneath(client: DynamoDBClient, table: str, pk: str, kind: str) -> Iterator[Any]:
    """All items of one kind in a partition, strongly consistent, in the order of their sort keys."""
    return every(
        client,
        TableName=table,
        KeyConditionExpression=BENEATH,
        ExpressionAttributeValues={":pk": {"S": pk}, ":kind": {"S": kind}},
        ConsistentRead=True,
    )


def page_token(last: Mapping[str, Any] | None, kind: str) -> str:
    """The token after the LastEvaluatedKey of a query for this kind: its sort key without the kind; "" at the end."""
    if not last:
        return ""
    sk: str = last["SK"]["S"]
    return base64.urlsafe_b64encode(sk.removeprefix(kind).encode()).decode().rstrip("=")


def after_key(pk: str, kind: str, token: str) -> dict[str, Any]:
    """The ExclusiveStartKey argument; empty without a token. ValueError: not a token of ours."""
    if not token:
        return {}
    try:
        sk = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise ValueError("not a continuation token") from None
    if not sk.isprintable() or "#" in sk or len(sk) > LONGEST:
        raise ValueError("not a continuation token")
    return {"ExclusiveStartKey": {"PK": {"S": pk}, "SK": {"S": f"{kind}{sk}"}}}
