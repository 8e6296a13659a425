"""The settle queue's messages → `settle_study` → partial batch failures (DESIGN §4.6). Batch size 1."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from chalicelib import wiring
from chalicelib.domain import metrics
from chalicelib.domain.study import StudyRef
from chalicelib.services.faults import note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = Logger(service="settle")


def studies(event: Mapping[str, Any]) -> dict[str, Any]:
    """The FIFO queue `settle`."""
    return answer(event, lambda ref: wiring.settle_study()(ref, wiring.now()))


def answer(event: Mapping[str, Any], settle: Callable[[StudyRef], object]) -> dict[str, Any]:
    """Settle the studies named, in order. From the first that fails on, all are left: FIFO keeps their order only
    if none is done before one that stands ahead of it. A message that names no study ends in the dead letters.
    """
    records = event["Records"]
    for number, record in enumerate(records):
        try:
            settle(_ref(record["body"]))
        except Exception as fault:  # noqa: BLE001 - whatever it was, the queue brings this message again
            note(fault)
            return {"batchItemFailures": [{"itemIdentifier": left["messageId"]} for left in records[number:]]}
        _tell_lag(record)
    log.info("settled", extra={"studies": len(records)})
    return {"batchItemFailures": []}


def _tell_lag(record: Mapping[str, Any]) -> None:
    """Since SQS had the message. Not since the upload: a study is settled again for an amendment years later."""
    sent = record.get("attributes", {}).get("SentTimestamp")
    if sent:
        lag = wiring.now() - datetime.fromtimestamp(int(sent) / 1000, UTC)
        wiring.emit({metrics.SETTLE_LAG: lag.total_seconds()})


def _ref(body: str) -> StudyRef:
    told = json.loads(body)
    return StudyRef(told["hospital_id"], told["study_instance_uid"])
