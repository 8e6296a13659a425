"""Every handler of uploads ends with one receipt: what reconcile compares the bucket with (DESIGN §4.6, 4.9)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from chalicelib.services.ports import Receipts


class Outcome(NamedTuple):
    """What became of one object version: `indexed`, `pack`, `unpacked`, `noted`, or the reason of its quarantine."""

    key: str
    version_id: str
    outcome: str


def leave_receipt(receipts: Receipts, outcomes: Iterable[Outcome], at: datetime) -> None:
    """Write one receipt for a batch, after all else is done: whoever crashes before is simply fed again.

    The batch is named by its content, so the same batch handled twice leaves the same receipt. Nothing to tell,
    nothing written.
    """
    told = [outcome._asdict() for outcome in sorted(set(outcomes))]
    if told:
        receipts.write(_batch(told), at, told)


def _batch(told: list[dict[str, str]]) -> str:
    return hashlib.sha256(json.dumps(told, ensure_ascii=True, sort_keys=True).encode()).hexdigest()[:40]
