"""What leaves about a hospital's own uploads: receipts and quarantine. No pixels, and nobody's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.seal import hour_name
from chalicelib.http.shapes import instant

if TYPE_CHECKING:
    from chalicelib.domain.exam import Exam
    from chalicelib.http.shapes import Shape
    from chalicelib.services.give_receipt import Receipt


def receipt(found: Receipt) -> Shape:
    """As infra/RECEIPTS.md describes it: hospitals keep this for years."""
    return {
        "statement": found.statement.told(),
        "statement_sha256": found.statement.digest,
        "event_id": found.event_id,
        "sealed_with": hour_name(found.issued_at),
        "statuses": found.statuses,
        "conflicts": {
            "several_patients": found.statement.state == "conflicted",
            "divergent": found.statuses.get("divergent", 0),
        },
        "exams": [_exam(one) for one in found.exams],
        "first": found.first,
        "entries": [{"arrived": one.leaf, "status": one.status} for one in found.entries],
        "next_token": found.next_token,
    }


def _exam(found: Exam) -> Shape:
    return {
        "accession_number": found.key.accession,
        "state": found.state,
        "declared": found.declared,
        "received": found.received,
        "ended_at": instant(found.ended_at),
        "due_at": instant(found.due_at),
        "completed_at": instant(found.completed_at),
    }
