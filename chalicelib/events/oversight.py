"""The schedules that watch over the audit. Each answers counts and digests, no values."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, timedelta
from typing import Any

from chalicelib import wiring
from chalicelib.domain import metrics
from chalicelib.domain.seal import HOUR
from chalicelib.events.context import Context

SPARE_MS = 60_000  # an hour's events are read, packed and put in less

log = logging.getLogger("imaging_cloud")


def seal(context: Context) -> dict[str, Any]:
    """Seal what is due. The line in the log carries the head of the chain: a copy outside the archive. An error there
    when hours are left, for sealing then lags behind."""
    now = wiring.now()
    done = wiring.seal_audit()(now, lambda: context.get_remaining_time_in_millis() > SPARE_MS)
    answer = {**asdict(done), "last": done.last.isoformat() if done.last else None}
    log.log(logging.ERROR if done.left else logging.INFO, json.dumps({"event": "sealed", **answer}))
    sealed = {metrics.SEALED_HOURS: done.hours, metrics.SEALED_EVENTS: done.events, metrics.SEALS_LEFT: done.left}
    age = {metrics.SEAL_AGE: (now - done.last - HOUR).total_seconds()} if done.last else {}
    wiring.emit({**sealed, **age})
    return answer


def check_reads(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Hold S3's log of the last two UTC days, or of {"day"} in the event's detail, against the audit: twice each, for
    S3 delivers late. An error in the log where a read is unexplained, or a day held."""
    asked, now = event.get("detail", {}).get("day"), wiring.now()
    today = now.astimezone(UTC).date()
    days = [date.fromisoformat(asked)] if asked else [today - timedelta(days=back) for back in (1, 2)]
    checked = [
        wiring.check_reads()(day, now, lambda: context.get_remaining_time_in_millis() > SPARE_MS) for day in days
    ]
    for one in checked:
        level = logging.ERROR if one.unexplained or one.held else logging.INFO
        log.log(level, json.dumps({"event": "reads_checked", **asdict(one)}))
        wiring.emit({metrics.READS_CHECKED: one.reads, metrics.READS_HELD: int(one.held)})
        for why, count in one.unexplained.items():
            wiring.emit({metrics.READS_UNEXPLAINED: count}, Why=why)
    return {"days": [asdict(one) for one in checked]}
