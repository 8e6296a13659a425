from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.assisted import PAIR_THRESHOLD, AssistedRequest, deny_witness
from chalicelib.domain.consent import CONSENT_LIVES, Consent, Denied
from chalicelib.domain.consent_notice import ASSISTED_NOTICE
from chalicelib.domain.hand_over import HandOver
from chalicelib.domain.pair import Pair
from chalicelib.domain.review import Review
from chalicelib.services.access_ports import Consents, Doctors, Encounters, Pairs, People
from chalicelib.services.exception_ports import AssistedRequests, HandOvers, Reviews
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.request_assisted import assisted_denied
from chalicelib.services.resolve_studies import ResolveStudies
from chalicelib.services.tell_of_access import TellOfAccess, told_phones

ACTION = "witness_assisted"


@dataclass(frozen=True, slots=True)
class OpenReview:
    """What each assisted consent leaves behind: for the officer, for the patient in the app and on paper. And where a
    doctor and a witness meet often, for the officer too."""

    reviews: Reviews
    hand_overs: HandOvers
    pairs: Pairs
    tell: TellOfAccess

    def before(self, request: AssistedRequest, consent: Consent, witness: str, now: datetime) -> None:
        self.reviews.open(
            Review(
                review_id=consent.consent_id,
                kind="assisted",
                hospital_id=consent.hospital_id,
                doctor_id=consent.doctor_id,
                opened_at=now,
                person_id=consent.person_id,
                encounter_id=consent.encounter_id,
                reason=request.reason,
                witness=witness,
            )
        )
        self.hand_overs.open(
            HandOver(
                consent_id=consent.consent_id,
                hospital_id=consent.hospital_id,
                patient_id=consent.identity.local_id,
                encounter_id=consent.encounter_id,
                doctor_id=consent.doctor_id,
                witness=witness,
                reason=request.reason,
                at=now,
            )
        )
        self.tell.in_app(consent, "assisted", now)

    def count(self, consent: Consent, witness: str, now: datetime) -> None:
        pair = Pair("assisted", witness, consent.doctor_id)
        self.pairs.count(consent.hospital_id, pair, now)
        met = dict(self.pairs.of_hospital(consent.hospital_id, f"{now:%Y-%m}")).get(pair, 0)
        if met >= PAIR_THRESHOLD:
            self.reviews.open(
                Review(
                    review_id=_pair_id(pair, now),
                    kind="pair",
                    hospital_id=consent.hospital_id,
                    doctor_id=consent.doctor_id,
                    opened_at=now,
                    witness=witness,
                    count=met,
                )
            )


@dataclass(frozen=True, slots=True)
class ConfirmAssisted:
    """A witness of another role, signed in afresh, confirms what a doctor opened: a consent of 24 hours.

    First the request is taken, so that of two witnesses one is; then the officer's review, the paper and the notice in
    the app; the consent last: a crash in between opens nothing, and what was told of it is looked at. Raises
    AccessDenied (witness_role, witness_is_doctor, witness_not_fresh, assisted_closed) or AuditFailed.
    """

    doctors: Doctors
    encounters: Encounters
    people: People
    assisted: AssistedRequests
    consents: Consents
    resolve: ResolveStudies
    open_review: OpenReview
    tell: TellOfAccess
    record: RecordDecision

    def __call__(self, caller: Caller, request_id: str, now: datetime) -> Consent:
        request = self.assisted.get(caller.hospital_id, request_id)
        if request is None:
            self.record.deny(caller, ACTION, Denied("assisted_closed", "unknown_request"), now)
        about = About(request.person_id, None, request.encounter_id, "assisted", request.request_id)
        denied = self._denied(caller, request, now)
        if denied:
            self.record.deny(caller, ACTION, denied, now, about)
        consent = self._consent(request, now)
        self.record.allow(caller, ACTION, "consent_person", now, about)
        if not self.assisted.confirm(request, caller.subject, now):
            self.record.deny(caller, ACTION, Denied("assisted_closed", "assisted_closed"), now, about)
        self.open_review.before(request, consent, caller.subject, now)
        self.consents.put(consent)
        self.open_review.count(consent, caller.subject, now)
        self.tell.by_sms(told_phones(self.people.links(consent.person_id)), "assisted_access", consent.hospital_id)
        return consent

    def _denied(self, caller: Caller, request: AssistedRequest, now: datetime) -> Denied | None:
        """The witness first; then what the doctor was asked before, for minutes have passed. To the witness all of the
        latter is one answer."""
        because = deny_witness(caller, request, now)
        if because:
            return Denied(because, because)
        detail = self._changed(request, now)
        return Denied("assisted_closed", detail) if detail else None

    def _changed(self, request: AssistedRequest, now: datetime) -> str:
        doctor = self.doctors.get(request.doctor_id)
        if doctor is None or doctor.status != "active" or doctor.hospital_id != request.hospital_id:
            return "doctor_inactive"
        encounter = self.encounters.get(request.hospital_id, request.encounter_id)
        if encounter is None or not encounter.admits(now) or encounter.identity != request.identity:
            return "closed_encounter"
        link = self.people.link(request.identity)
        if link is None or link.status != "confirmed" or link.person_id != request.person_id:
            return "link_changed"
        denied = assisted_denied(self.people, self.tell, link, now)
        return denied.detail if denied else ""

    def _consent(self, request: AssistedRequest, now: datetime) -> Consent:
        return Consent(
            consent_id=request.request_id,
            person_id=request.person_id,
            doctor_id=request.doctor_id,
            hospital_id=request.hospital_id,
            encounter_id=request.encounter_id,
            basis="assisted",
            scope="person",
            identity=request.identity,
            purpose="treatment",
            notice_version=ASSISTED_NOTICE.version,
            studies=self.resolve.of_person(request.person_id),
            granted_at=now,
            expires_at=now + CONSENT_LIVES["assisted"].usual,
        )


def _pair_id(pair: Pair, now: datetime) -> str:
    digest = hashlib.sha256(f"{pair.helper}\0{pair.doctor}".encode()).hexdigest()[:16]
    return f"{now:%Y-%m}.{digest}"
