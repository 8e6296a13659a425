"""DynamoDB's batch calls. What they leave over is asked for again, ever more slowly, and never dropped."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WRITES, READS = 25, 100  # items a call takes
TRIES = 8
FIRST_PAUSE = 0.05  # seconds, doubled each time


class Throttled(Exception):  # noqa: N818 - the fact
    """The table kept leaving items over: a fault of ours, the trigger retries."""


def put(
    client: DynamoDBClient,
    table: str,
    items: Sequence[Mapping[str, Any]],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Write items blindly; returns after the last answer. Two items of one key must not be given."""
    _write(client, table, [{"PutRequest": {"Item": item}} for item in items], sleep)


def delete(
    client: DynamoDBClient,
    table: str,
    wanted: Sequence[Mapping[str, Any]],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Delete items by their keys, no key twice; what is not there is no fault."""
    _write(client, table, [{"DeleteRequest": {"Key": key}} for key in wanted], sleep)


def _write(client: DynamoDBClient, table: str, requests: Sequence[Any], sleep: Callable[[float], None]) -> None:
    for start in range(0, len(requests), WRITES):
        left: Any = requests[start : start + WRITES]
        for _ in _attempts(sleep):
            left = client.batch_write_item(RequestItems={table: left}).get("UnprocessedItems", {}).get(table)
            if not left:
                break


def get(
    client: DynamoDBClient,
    table: str,
    wanted: Sequence[Mapping[str, Any]],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Any]:
    """The items that exist, strongly consistent, in no particular order."""
    for start in range(0, len(wanted), READS):
        left: Any = {"Keys": wanted[start : start + READS], "ConsistentRead": True}
        for _ in _attempts(sleep):
            answer = client.batch_get_item(RequestItems={table: left})
            yield from answer["Responses"].get(table, [])
            left = answer.get("UnprocessedKeys", {}).get(table)
            if not left:
                break


def _attempts(sleep: Callable[[float], None]) -> Iterator[int]:
    for attempt in range(TRIES):
        yield attempt
        sleep(random.uniform(0, FIRST_PAUSE * 2**attempt))  # noqa: S311 - jitter, not a secret
    raise Throttled
