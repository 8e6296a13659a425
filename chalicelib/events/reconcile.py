"""The reconcile queue's messages → a piece of the night → partial batch failures (DESIGN §4.9). Batch size 1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from chalicelib import wiring
from chalicelib.domain import metrics
from chalicelib.domain.reconciling import SortPiece, from_message
from chalicelib.services.faults import note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.domain.reconciling import Piece
    from chalicelib.events.context import Context

SPARE_MS: Final = 120_000  # with less time left a piece hands on what it has not done: to write that down takes a while

log = Logger(service="reconcile")


def pieces(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Sort receipts, or check a hospital. A warning in the log when anything was fed again; what fails is brought again
    by the queue. The log counts, and names no upload."""
    failed = []
    for record in event["Records"]:
        try:
            _do(from_message(json.loads(record["body"])), context)
        except Exception as fault:  # noqa: BLE001 - whatever it was, the queue brings this message again
            note(fault)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _do(piece: Piece, context: Context) -> None:
    def keep_going() -> bool:
        return context.get_remaining_time_in_millis() > SPARE_MS

    if isinstance(piece, SortPiece):
        log.info("receipts", extra={"read": wiring.sort_receipts()(piece, keep_going)})
        return
    fed = wiring.reconcile_uploads()(piece, keep_going)
    (log.warning if fed else log.info)("reconciled", extra={"hospital_id": piece.hospital_id, "fed_again": fed})
    wiring.emit({metrics.FED_AGAIN: fed})
