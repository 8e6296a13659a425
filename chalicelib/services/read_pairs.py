from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.pair import Pair
from chalicelib.services.access_ports import Pairs
from chalicelib.services.record_decision import RecordDecision

ACTION = "read_pairs"


@dataclass(frozen=True, slots=True)
class ReadPairs:
    """Who often had a hand in the same thing at the officer's own hospital in a month (YYYY-MM), the most frequent
    first. Accounts, no patients. Raises AuditFailed."""

    pairs: Pairs
    record: RecordDecision

    def __call__(self, caller: Caller, month: str, now: datetime) -> tuple[tuple[Pair, int], ...]:
        self.record.allow(caller, ACTION, "own_hospital", now)
        return self.pairs.of_hospital(caller.hospital_id, month)
