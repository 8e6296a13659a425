"""What leaves of assisted consents, papers and reviews: the rest is in `shapes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.assisted import ASSISTED_REASONS
from chalicelib.http.shapes import Shape, instant, words

if TYPE_CHECKING:
    from chalicelib.domain.assisted import AssistedRequest
    from chalicelib.domain.hand_over import HandOver
    from chalicelib.domain.review import Review, Suspension
    from chalicelib.services.read_assisted import Waiting


def asked(request: AssistedRequest) -> Shape:
    """To the doctor who opened it."""
    return {"request_id": request.request_id, "expires_at": instant(request.expires_at)}


def waiting(one: Waiting) -> Shape:
    """To a witness of the hospital: whom to look at, and for which visit."""
    request = one.request
    return {
        "request_id": request.request_id,
        "doctor_id": request.doctor_id,
        "doctor_name": one.doctor_name,
        "encounter_id": request.encounter_id,
        "patient_id": request.identity.local_id,
        "reason": request.reason,
        "reason_text": words(ASSISTED_REASONS[request.reason]),
        "asked_at": instant(request.asked_at),
        "expires_at": instant(request.expires_at),
    }


def hand_over(paper: HandOver) -> Shape:
    return {
        "consent_id": paper.consent_id,
        "patient_id": paper.patient_id,
        "encounter_id": paper.encounter_id,
        "doctor_id": paper.doctor_id,
        "witness": paper.witness,
        "at": instant(paper.at),
        "how": paper.how,
        "done_by": paper.done_by,
        "done_at": instant(paper.done_at),
    }


def review(found: Review) -> Shape:
    """To the hospital's privacy officer. The visit leads to the patient in the hospital's own system."""
    return {
        "review_id": found.review_id,
        "kind": found.kind,
        "state": found.state,
        "doctor_id": found.doctor_id,
        "witness": found.witness,
        "encounter_id": found.encounter_id,
        "reason": found.reason,
        "text": found.text,
        "was_frozen": found.was_frozen,
        "count": found.count,
        "opened_at": instant(found.opened_at),
        "due_at": instant(found.due_at),
        "objected_at": instant(found.objected_at),
        "objection": found.objection,
        "reviewed_at": instant(found.reviewed_at),
        "reviewed_by": found.reviewed_by,
        "note": found.note,
        "lifted_at": instant(found.lifted_at),
        "lifted_by": found.lifted_by,
    }


def suspension(found: Suspension) -> Shape:
    return {"doctor_id": found.doctor_id, "name": found.name, "reviews": found.reviews}
