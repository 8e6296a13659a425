from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.domain.code import Counter
from chalicelib.store import calls, items, keys

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
        forget = int(counter.forget_at.timestamp())
        values: dict[str, items.Value] = {":one": 1, ":limit": counter.limit, ":forget": forget}
        how = {"UpdateExpression": TAKE, "ConditionExpression": BELOW_LIMIT}
        answer = calls.update_if(self._client, self._table, _key(counter), values, **how)
        return None if answer is None else counter.limit - items.number(answer, "taken")

    def give_back(self, counter: Counter) -> None:
        """Where nothing was taken, the window is over and forgotten."""
        values: dict[str, items.Value] = {":minus_one": -1, ":none": 0}
        how = {"UpdateExpression": GIVE_BACK, "ConditionExpression": SOME_TAKEN}
        calls.update_if(self._client, self._table, _key(counter), values, **how)


def _key(counter: Counter) -> dict[str, Any]:
    owner = keys.person(counter.holder_id) if counter.holder == "person" else keys.doctor(counter.holder_id)
    return items.key(owner, keys.count(keys.text(counter.kind), counter.window))
