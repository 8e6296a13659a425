"""What leaves of assisted consents, papers and reviews: the rest is in `shapes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from chalicelib.domain.assisted import ASSISTED_REASONS, AssistedOutcome, AssistedReason
from chalicelib.domain.hand_over import HandedHow
from chalicelib.domain.review import ReviewKind, ReviewState
from chalicelib.http import told as types
from chalicelib.http.json_types import Instant
from chalicelib.http.shapes import agreement, given, instant, words

if TYPE_CHECKING:
    from chalicelib.domain.access_words import Said
    from chalicelib.domain.assisted import AssistedRequest
    from chalicelib.domain.consent import Consent, Doctor
    from chalicelib.domain.consent_notice import NoticeText
    from chalicelib.domain.hand_over import HandOver
    from chalicelib.domain.page import Page
    from chalicelib.domain.review import Review, Suspension
    from chalicelib.services.read_assisted import Waiting


class AskedAssisted(TypedDict):
    """To the doctor who opened it: a witness confirms it by `expires_at`. `notice` is read to the patient."""

    request_id: str
    expires_at: Instant | None
    notice: types.Agreement


class ToldAssisted(TypedDict):
    """What became of it. `consent` where it was confirmed."""

    state: AssistedOutcome
    consent: types.GivenConsent | None


class WaitingAssisted(TypedDict):
    """To a witness of the hospital: whom to look at, and for which visit."""

    request_id: str
    doctor_id: str
    doctor_name: str
    encounter_id: str
    patient_id: str
    reason: AssistedReason
    reason_text: types.Words
    asked_at: Instant | None
    expires_at: Instant | None


class AllWaitingAssisted(TypedDict):
    requests: Sequence[WaitingAssisted]


class Confirmed(TypedDict):
    consent_id: str
    expires_at: Instant | None


class HandOverPaper(TypedDict):
    """A paper for a patient without a phone. `how` and `done_at` are null, and `done_by` empty, until it went out."""

    consent_id: str
    patient_id: str
    encounter_id: str
    doctor_id: str
    witness: str
    at: Instant | None
    how: HandedHow | None
    done_by: str
    done_at: Instant | None


class HandOverPapers(TypedDict):
    """Oldest first."""

    hand_overs: Sequence[HandOverPaper]
    next_token: str


class PrintedPaper(TypedDict):
    text: types.Words


class ReviewedAccess(TypedDict):
    """To the hospital's privacy officer. The visit leads to the patient in the hospital's own system. `due_at`: when it
    suspends the doctor's right unless it was looked at; null where nothing follows. `count`: how often a pair met."""

    review_id: str
    kind: ReviewKind
    state: ReviewState
    doctor_id: str
    witness: str
    encounter_id: str
    reason: str
    text: str
    was_frozen: bool
    count: int
    opened_at: Instant | None
    due_at: Instant | None
    objected_at: Instant | None
    objection: str
    reviewed_at: Instant | None
    reviewed_by: str
    note: str
    lifted_at: Instant | None
    lifted_by: str


class ReviewedAccesses(TypedDict):
    """Newest first."""

    reviews: Sequence[ReviewedAccess]
    next_token: str


class SuspendedDoctor(TypedDict):
    """Who may not break the glass, and the reviews of this hospital that it is for."""

    doctor_id: str
    name: str
    reviews: Sequence[str]


class SuspendedDoctors(TypedDict):
    suspensions: Sequence[SuspendedDoctor]


class Lifted(TypedDict):
    """`suspended`: whether reviews of other hospitals still stand against the doctor."""

    doctor_id: str
    suspended: bool


class ObjectedAccess(TypedDict):
    consent_id: str
    objected_at: Instant | None


def asked(request: AssistedRequest, text: NoticeText) -> AskedAssisted:
    return {
        "request_id": request.request_id,
        "expires_at": instant(request.expires_at),
        "notice": agreement(text),
    }


def outcome(state: AssistedOutcome, consent: Consent | None) -> ToldAssisted:
    return {"state": state, "consent": given(consent) if consent else None}


def waiting(one: Waiting) -> WaitingAssisted:
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


def confirmed(consent: Consent) -> Confirmed:
    """What it opened is the doctor's to see, not the witness's."""
    return {"consent_id": consent.consent_id, "expires_at": instant(consent.ends_at)}


def hand_over(paper: HandOver) -> HandOverPaper:
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


def hand_overs(found: Page[HandOver]) -> HandOverPapers:
    return {"hand_overs": [hand_over(one) for one in found.items], "next_token": found.next_token}


def printed(text: Said) -> PrintedPaper:
    return {"text": words(text)}


def review(found: Review) -> ReviewedAccess:
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


def reviews(found: Page[Review]) -> ReviewedAccesses:
    return {"reviews": [review(one) for one in found.items], "next_token": found.next_token}


def suspension(found: Suspension) -> SuspendedDoctor:
    return {"doctor_id": found.doctor_id, "name": found.name, "reviews": found.reviews}


def lifted(doctor: Doctor) -> Lifted:
    return {"doctor_id": doctor.doctor_id, "suspended": doctor.break_glass_suspended}


def objected(found: Review) -> ObjectedAccess:
    return {"consent_id": found.review_id, "objected_at": instant(found.objected_at)}
