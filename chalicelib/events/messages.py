"""The messages queue → `send_message` → partial batch failures. Batch size 1. The log counts, and quotes nothing."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from chalicelib import wiring
from chalicelib.domain import metrics
from chalicelib.domain.message import Message
from chalicelib.services.faults import note

if TYPE_CHECKING:
    from collections.abc import Mapping

log = Logger(service="messages")


def messages(event: Mapping[str, Any]) -> dict[str, Any]:
    """Send the SMS asked for. What fails is brought again by the queue, a code no longer than it lives."""
    failed = []
    outcomes = {"sent": 0, "late": 0, "nobody": 0}
    for record in event["Records"]:
        try:
            outcomes[wiring.send_message()(_message(record["body"]), wiring.now())] += 1
        except Exception as fault:  # noqa: BLE001 - whatever it was, the queue brings this message again
            note(fault)
            failed.append({"itemIdentifier": record["messageId"]})
    told = {**outcomes, "failed": len(failed)}
    log.info("messages", extra=told)
    for outcome, count in told.items():
        wiring.emit({metrics.MESSAGES: [count] if count else []}, Outcome=outcome)
    return {"batchItemFailures": failed}


def _message(body: str) -> Message:
    told = json.loads(body)
    useless_at = datetime.fromisoformat(told["useless_at"]) if told["useless_at"] else None
    return Message(told["message_id"], told["phone"], told["template"], told["values"], useless_at)
