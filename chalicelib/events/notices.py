"""S3's events of `notices/` → `record_notice` → partial batch failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import wiring
from chalicelib.events.context import Context
from chalicelib.events.ingest import SPARE_MS, answer


def notices(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The queues `notices` and `notices-single`: the same work, the latter one message at a time."""
    return answer(event, wiring.record_notice(), lambda: context.get_remaining_time_in_millis() > SPARE_MS)
