"""DynamoDB checks a condition and makes the write it guards as one step. moto answers in threads and does not: of 200
callers at once, five got past a limit of three [measured with moto 5.2.5]. Here its DynamoDB requests take turns."""

from __future__ import annotations

from functools import wraps
from threading import RLock
from typing import Any

from moto.dynamodb.responses import DynamoHandler

_turn = RLock()
_call_action = DynamoHandler.call_action


@wraps(_call_action)
def _in_turn(handler: DynamoHandler) -> Any:
    with _turn:
        return _call_action(handler)


def make_writes_whole() -> None:
    """For every moto of this process, served or in-process. Doing it twice changes nothing."""
    DynamoHandler.call_action = _in_turn  # type: ignore[method-assign] # the one place that all its requests pass
