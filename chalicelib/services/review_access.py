"""A hospital's privacy officer looks at what was done without the patient's own answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.assisted import ASSISTED_LIFE
from chalicelib.domain.consent import Consent, Denied, Doctor
from chalicelib.domain.in_app import InAppKind
from chalicelib.domain.page import Page
from chalicelib.domain.review import Review, ReviewState, Suspension, Verdict, cleared, reviewed, stopped
from chalicelib.services.access_ports import Consents, Doctors
from chalicelib.services.exception_ports import Reviews
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended
from chalicelib.services.tell_of_access import TellOfAccess

_TOLD: Mapping[ReviewState, InAppKind] = {
    "justified": "reviewed_justified",
    "not_justified": "reviewed_not_justified",
}
READ, REVIEW, LIFT = "read_reviews", "review_access", "lift_suspension"
LIMIT = 50


def consent_of(consents: Consents, review: Review) -> Consent | None:
    """The consent that a review is about; None for a pair, and where the process died before there was one. It has the
    age of its id, which an assisted one got when the doctor asked."""
    if not review.person_id:
        return None
    found = consents.of_doctor(review.person_id, review.doctor_id, review.opened_at - ASSISTED_LIFE)
    return next((one for one in found if one.consent_id == review.review_id), None)


@dataclass(frozen=True, slots=True)
class ReadReviews:
    """The officer's list, newest first: everything, or what waits for a verdict. Raises AuditFailed, ValueError for a
    token that is not ours."""

    reviews: Reviews
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime, token: str = "", *, undecided: bool = False) -> Page[Review]:
        self.record.allow(caller, READ, "own_hospital", now)
        return self.reviews.of_hospital(caller.hospital_id, token, LIMIT, undecided=undecided)


@dataclass(frozen=True, slots=True)
class ReviewAccess:
    """An officer's verdict. It may be given again and changed; the audit keeps each. Doctor and witness do not judge
    it.

    Break-glass: not justified takes the doctor's right away, justified gives it back as far as this review is
    concerned, in one transaction with the verdict. Not justified also revokes what is still open. The patient is told.
    Raises AccessDenied (unknown_review, own_part), AuditFailed, Contended.
    """

    reviews: Reviews
    doctors: Doctors
    consents: Consents
    tell: TellOfAccess
    record: RecordDecision

    def __call__(self, caller: Caller, review_id: str, verdict: Verdict, note: str, now: datetime) -> Review:
        for _ in range(ATTEMPTS):
            review = self._own(caller, review_id, now)
            after = reviewed(review, verdict, caller.subject, note, now)
            self.record.allow(caller, REVIEW, verdict, now, _about(review))
            if self.reviews.put(after, self._doctor(review, verdict)):
                self._follow(after, now)
                return after
        raise Contended

    def _own(self, caller: Caller, review_id: str, now: datetime) -> Review:
        review = self.reviews.get(caller.hospital_id, review_id)
        if review is None or review.state == "void":
            self.record.deny(caller, REVIEW, Denied("unknown_review", "unknown_review"), now)
        if caller.subject in (review.witness, review.doctor_id):
            self.record.deny(caller, REVIEW, Denied("own_part", "own_part"), now, _about(review))
        return review

    def _doctor(self, review: Review, verdict: Verdict) -> Doctor | None:
        """The account as the verdict leaves it; None where nothing of it changes."""
        doctor = self.doctors.get(review.doctor_id) if review.kind == "break_glass" else None
        if doctor is None:
            return None
        after = (cleared if verdict == "justified" else stopped)(doctor, review.review_id)
        return None if after == doctor else after

    def _follow(self, review: Review, now: datetime) -> None:
        consent = consent_of(self.consents, review)
        if consent is None:
            return
        if review.state == "not_justified" and consent.revoked_at is None:
            self.consents.revoke(consent, now)
        self.tell.in_app(consent, _TOLD[review.state], now)


@dataclass(frozen=True, slots=True)
class ReadSuspensions:
    """Doctors who may not break the glass because of reviews of this hospital. Raises AuditFailed."""

    reviews: Reviews
    doctors: Doctors
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime) -> tuple[Suspension, ...]:
        self.record.allow(caller, "read_suspensions", "own_hospital", now)
        found = [self._as_it_stands(one) for one in self.reviews.suspended(caller.hospital_id)]
        return tuple(one for one in found if one.reviews)

    def _as_it_stands(self, listed: Suspension) -> Suspension:
        doctor = self.doctors.get(listed.doctor_id)
        still = doctor.break_glass_stops if doctor else ()
        return replace(listed, reviews=tuple(one for one in listed.reviews if one in still))


@dataclass(frozen=True, slots=True)
class LiftSuspension:
    """An officer gives the right back although reviews stand against it, and says why. Reviews of other hospitals go
    on standing. Raises AccessDenied (unknown_suspension, own_part), AuditFailed, Contended."""

    reviews: Reviews
    doctors: Doctors
    record: RecordDecision

    def __call__(self, caller: Caller, doctor_id: str, note: str, now: datetime) -> Doctor:
        doctor = self.doctors.get(doctor_id)
        own = [one for stop in doctor.break_glass_stops if (one := self._own(caller, stop))] if doctor else []
        if doctor is None or not own:
            self.record.deny(caller, LIFT, Denied("unknown_suspension", "unknown_suspension"), now)
        if caller.subject == doctor_id:
            self.record.deny(caller, LIFT, Denied("own_part", "own_part"), now)
        for review in own:
            doctor = self._lift(caller, review, note, now)
        return doctor

    def _own(self, caller: Caller, review_id: str) -> Review | None:
        return self.reviews.get(caller.hospital_id, review_id)

    def _lift(self, caller: Caller, review: Review, note: str, now: datetime) -> Doctor:
        for _ in range(ATTEMPTS):
            known = self.reviews.get(review.hospital_id, review.review_id) or review
            doctor = self.doctors.get(review.doctor_id)
            self.record.allow(caller, LIFT, "lifted", now, _about(review))
            after = replace(known, lifted_at=now, lifted_by=caller.subject, note=note)
            if doctor is not None and self.reviews.put(after, cleared(doctor, review.review_id)):
                return cleared(doctor, review.review_id)
        raise Contended


def _about(review: Review) -> About:
    basis = "" if review.kind == "pair" else review.kind
    consent_id = "" if review.kind == "pair" else review.review_id
    return About(review.person_id, None, review.encounter_id, basis, consent_id)
