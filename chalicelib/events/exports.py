"""The exports queue's messages → `export_person` → partial batch failures. Batch size 1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from chalicelib import wiring
from chalicelib.domain import metrics
from chalicelib.services.faults import note

if TYPE_CHECKING:
    from collections.abc import Mapping

log = Logger(service="exports")


def exports(event: Mapping[str, Any]) -> dict[str, Any]:
    """Build the archives named. What fails is brought again by the queue; the log counts, and names nobody."""
    failed = []
    built = 0
    for record in event["Records"]:
        try:
            told = json.loads(record["body"])
            built += wiring.build_export()(told["person_id"], told["export_id"], wiring.now())
        except Exception as fault:  # noqa: BLE001 - whatever it was, the queue brings this message again
            note(fault)
            failed.append({"itemIdentifier": record["messageId"]})
    log.info("exported", extra={"archives": built})
    wiring.emit({metrics.EXPORTS_BUILT: built, metrics.EXPORTS_FAILED: len(failed)})
    return {"batchItemFailures": failed}
