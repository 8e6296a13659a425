"""The schedules that watch over the audit. Each answers counts and digests, no values."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from typing import Any

from chalicelib import wiring
from chalicelib.events.sweeps import Context

SPARE_MS = 60_000  # an hour's events are read, packed and put in less

log = logging.getLogger("imaging_cloud")


def seal(context: Context) -> dict[str, Any]:
    """Seal what is due. The line in the log carries the head of the chain: a copy outside the archive. An error there
    when hours are left, for sealing then lags behind."""
    done = wiring.seal_audit()(wiring.now(), lambda: context.get_remaining_time_in_millis() > SPARE_MS)
    answer = {**asdict(done), "last": done.last.isoformat() if done.last else None}
    log.log(logging.ERROR if done.left else logging.INFO, json.dumps({"event": "sealed", **answer}))
    return answer
