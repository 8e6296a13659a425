"""What leaves of the ledger, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib.http.shapes import Shape, instant

if TYPE_CHECKING:
    from chalicelib.domain.exam import Exam
    from chalicelib.domain.outage import Outage
    from chalicelib.services.read_compliance import Day


def exam(found: Exam) -> Shape:
    """A row of the ledger for its hospital."""
    return {
        "accession_number": found.key.accession,
        "use": found.use,
        "day": found.day,
        "state": found.state,
        "standing": found.standing,
        "patient_id": found.patient_id,
        "modality": found.modality,
        "procedure": found.procedure,
        "study_instance_uids": found.study_instance_uids,
        "ended_at": instant(found.ended_at),
        "due_at": instant(found.due_at),
        "completed_at": instant(found.completed_at),
        "declared": found.declared,
        "received": found.received,
        "amended": found.amended,
        "worklist": found.worklist,
    }


def days(found: Sequence[Day], *, named: bool) -> Shape:
    """Not `named`: the flags do not name their exams here, only how many there are."""
    answers = [day.answer() for day in found]
    if not named:
        for flag in (flag for answer in answers for flag in answer["flags"]):
            flag["exams"] = []
    return {"days": answers}


def outage(accepted: Outage, withdrawal: Outage | None) -> Shape:
    return {
        "outage_id": accepted.outage_id,
        "scope": accepted.scope,
        "of": accepted.of,
        "from": instant(accepted.from_at),
        "to": instant(accepted.to_at),
        "reason": accepted.reason,
        "made_by": accepted.made_by,
        "made_at": instant(accepted.made_at),
        "hospitals": accepted.hospitals,
        "spread_at": instant(accepted.spread_at),
        "withdrawn": withdrawal and _withdrawn(withdrawal),
    }


def _withdrawn(withdrawal: Outage) -> Shape:
    return {
        "reason": withdrawal.withdrawal,
        "made_by": withdrawal.made_by,
        "made_at": instant(withdrawal.made_at),
        "spread_at": instant(withdrawal.spread_at),
    }
