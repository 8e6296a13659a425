"""Pages of a query: all of them, or one and a token for the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.domain.page import opaque, place
from chalicelib.store import keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


IN_LIST = "GSI2PK = :listed"
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
    return opaque(sk.removeprefix(kind))


def after_key(pk: str, kind: str, token: str) -> dict[str, Any]:
    """The ExclusiveStartKey argument; empty without a token. ValueError: not a token of ours."""
    if not token:
        return {}
    sk = _place(token)
    if "#" in sk:
        raise ValueError("not a continuation token")
    return {"ExclusiveStartKey": {"PK": {"S": pk}, "SK": {"S": f"{kind}{sk}"}}}


@dataclass(frozen=True, slots=True)
class Listing:
    """A partition of GSI2 that is read page by page. `owner`: an item's own key by the parts of its place there, which
    `#` separates; ValueError for parts that there cannot be."""

    partition: str
    owner: Callable[..., dict[str, Any]]
    newest_first: bool = False

    def page(self, client: DynamoDBClient, table: str, token: str, limit: int) -> tuple[Sequence[Any], str]:
        """(items, the token for the next page). ValueError: not a token of ours."""
        start: Any = {"ExclusiveStartKey": self._key(token)} if token else {}
        answer = client.query(
            TableName=table,
            IndexName=keys.GSI2,
            KeyConditionExpression=IN_LIST,
            ExpressionAttributeValues={":listed": {"S": self.partition}},
            ScanIndexForward=not self.newest_first,
            Limit=limit,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], opaque(last["GSI2SK"]["S"]) if last else ""

    def _key(self, token: str) -> dict[str, Any]:
        order = _place(token)
        try:
            owner = self.owner(*order.split("#"))
        except (TypeError, ValueError):
            raise ValueError("not a continuation token") from None
        return {**owner, "GSI2PK": {"S": self.partition}, "GSI2SK": {"S": order}}


def _place(token: str) -> str:
    """A place that a sort key can be: free text in one is percent-encoded, so it is ASCII."""
    found = place(token, LONGEST)
    if not found.isascii():
        raise ValueError("not a continuation token")
    return found
