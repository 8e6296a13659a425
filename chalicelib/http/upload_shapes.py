"""What leaves about a hospital's own uploads: receipts and quarantine. No pixels, and nobody's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.quarantine import REASONS
from chalicelib.domain.release import GROUNDS, Standing, grounds
from chalicelib.domain.seal import hour_name
from chalicelib.http.shapes import instant

if TYPE_CHECKING:
    from chalicelib.domain.exam import Exam
    from chalicelib.http.shapes import Shape
    from chalicelib.services.give_receipt import Receipt
    from chalicelib.services.list_quarantine import Quarantined


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


def quarantined(found: Quarantined) -> Shape:
    """An entry for the hospital that sent it."""
    record, standing = found
    possible = grounds(record.key, record.reason) if standing.state != "closed" else ()
    return {
        "entry_id": record.entry_id,
        "key": record.key,
        "version_id": record.version_id,
        "size": record.size,
        "received_at": instant(record.received_at),
        "reason": record.reason,
        **_reason(record.reason),
        "detail": record.detail,
        "sop_instance_uid": record.sop_instance_uid,
        "recorded_at": instant(record.recorded_at),
        "release_grounds": {ground: dict(zip(("en", "zh"), GROUNDS[ground], strict=True)) for ground in possible},
        **standing_of(standing),
        "replaced_by": _replacement(standing),
    }


def quarantined_abroad(found: Quarantined) -> Shape:
    """The same for the commission. A key is the hospital's own words and may name a patient; so may a study."""
    record, standing = found
    return {
        "received_at": instant(record.received_at),
        "recorded_at": instant(record.recorded_at),
        **waiting(Standing(record.hospital_id, record.entry_id, reason=record.reason, size=record.size)),
        **standing_of(standing),
    }


def waiting(standing: Standing) -> Shape:
    """A request for release, for the commission."""
    return {
        "hospital_id": standing.hospital_id,
        "entry_id": standing.entry_id,
        "reason": standing.reason,
        **_reason(standing.reason),
        "size": standing.size,
        **standing_of(standing),
    }


def standing_of(standing: Standing) -> Shape:
    return {
        "state": standing.state,
        "ground": standing.ground,
        "asked_at": instant(standing.asked_at),
        "decided_at": instant(standing.decided_at),
        "note": standing.note,
        "closed_at": instant(standing.closed_at),
    }


def _reason(name: str) -> Shape:
    reason = REASONS[name]
    return {
        "message": {"en": reason.en, "zh": reason.zh},
        "remedy": {"en": reason.remedy_en, "zh": reason.remedy_zh},
    }


def _replacement(standing: Standing) -> Shape | None:
    if standing.state != "closed":
        return None
    return {
        "study_instance_uid": standing.study_instance_uid,
        "version_id": standing.version_id,
        "offset": standing.offset,
        "notice": standing.notice,
    }
