"""What leaves: each kind of thing as JSON, field by field. What is not written here is not told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from chalicelib.domain.in_app import WORDINGS
from chalicelib.domain.page import Page
from chalicelib.domain.retention import CLAUSES
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.http import told as types

if TYPE_CHECKING:
    from chalicelib.domain.access_log import Access
    from chalicelib.domain.access_words import Said
    from chalicelib.domain.consent import Consent
    from chalicelib.domain.consent_notice import NoticeText
    from chalicelib.domain.guardian import Guardianship
    from chalicelib.domain.in_app import InAppNotice
    from chalicelib.services.inspect_study import Inspected
    from chalicelib.services.judge_retention import Judged
    from chalicelib.services.read_accesses import OwnIdentity
    from chalicelib.services.read_guardians import SeenGuardianship
    from chalicelib.services.read_requests import Listed
    from chalicelib.services.show_qr import Shown


def study_ref(ref: StudyRef) -> types.Ref:
    return {"hospital_id": ref.hospital_id, "study_instance_uid": ref.study_instance_uid}


def summary(found: Summary) -> types.Study:
    """A study in a list, for who may read it."""
    return {
        **study_ref(found.ref),
        "patient_name": found.patient_name,
        "patient_birth_date": found.patient_birth_date,
        "patient_sex": found.patient_sex,
        "accession_number": found.accession_number,
        "study_date": found.study_date,
        "study_time": found.study_time,
        "study_description": found.study_description,
        "modalities": found.modalities,
        "body_parts": found.body_parts,
        "series_descriptions": found.series_descriptions,
        "institution_name": found.institution_name,
        "instances": found.instances,
        "series": found.series,
        "state": found.state,
    }


def studies(found: Page[Summary]) -> types.Studies:
    return {"studies": [summary(one) for one in found.items], "next_token": found.next_token}


def retention(found: Judged, now: datetime) -> types.Retention:
    return {
        "rule": found.period.rule,
        "clause": CLAUSES[found.period.rule],
        "keep_through": found.period.keep_through.isoformat(),
        "waits": found.period.waits,
        "identity_settled": found.identity_settled,
        "has_one_patient": found.has_one_patient,
        "is_over": found.is_over(now),
    }


def inspected(found: Inspected) -> types.Inspected:
    """A study for the hospital that sent it: counts and objects."""
    return {
        "study": {
            **study_ref(found.summary.ref),
            "state": found.summary.state,
            "accession_number": found.summary.accession_number,
            "instances": found.summary.instances,
            "series": found.summary.series,
            "first_received_at": instant(found.summary.first_received_at),
            "last_received_at": instant(found.summary.last_received_at),
            "exam_ended_at": instant(found.summary.exam_ended_at),
            "exam_end_source": found.summary.exam_end_source,
            "exam_end_flags": found.summary.exam_end_flags,
        },
        "statuses": found.statuses,
        "entries": cast(Sequence[types.SentEntry], found.entries),
        "next_token": found.next_token,
    }


def consent(given: Consent) -> types.Consent:
    """A consent as its person sees it."""
    return {
        "consent_id": given.consent_id,
        "doctor_id": given.doctor_id,
        "hospital_id": given.hospital_id,
        "basis": given.basis,
        "purpose": given.purpose,
        "granted_at": instant(given.granted_at),
        "expires_at": instant(given.expires_at),
        "revoked_at": instant(given.revoked_at),
        "guardian_id": given.given_by,
        "studies": [study_ref(ref) for ref in sorted(given.studies)],
    }


def access(told: Access) -> types.Access:
    """Who looked or tried to, as the person concerned reads it: facts, and one sentence in each language."""
    event = told.event
    return {
        "at": instant(event.at),
        "action": event.action,
        "role": event.role,
        "subject": event.subject,
        "name": told.who,
        "guardian_id": event.guardian_id,
        "hospital_id": event.hospital_id,
        "hospital": words(told.at_hospital),
        "allowed": event.allowed,
        "reason": event.reason,
        "basis": told.basis,
        "purpose": told.purpose,
        "consent_id": event.consent_id,
        "encounter_id": told.encounter_id,
        "study": _accessed(event.study, told) if event.study else None,
        "sentence": words(told.sentence),
    }


def _accessed(ref: StudyRef, told: Access) -> types.AccessedStudy | types.AccessedRef:
    """The study by name only where it is the reader's own."""
    found, named = told.summary, words(told.study_hospital)
    if found is None:
        return {**study_ref(ref), "hospital": named}
    return {
        **study_ref(ref),
        "hospital": named,
        "study_date": found.study_date,
        "study_description": found.study_description,
        "modalities": found.modalities,
        "body_parts": found.body_parts,
    }


def words(said: Said) -> types.Words:
    return {"zh": said.zh, "en": said.en}


def given(consent: Consent) -> types.GivenConsent:
    """A consent as the doctor sees it who holds it."""
    return {
        "consent_id": consent.consent_id,
        "basis": consent.basis,
        "expires_at": instant(consent.ends_at),
        "studies": [study_ref(ref) for ref in sorted(consent.studies)],
    }


def outcome(state: str, consent: Consent | None) -> types.Outcome:
    return {"state": state, "consent": given(consent) if consent else None}


def request(listed: Listed) -> types.Request:
    """A doctor's request as the person, or their guardian, sees it."""
    asked = listed.request
    return {
        "request_id": asked.request_id,
        "doctor_id": asked.doctor_id,
        "doctor_name": listed.doctor_name,
        "hospital_id": asked.hospital_id,
        "encounter_id": asked.encounter_id,
        "purpose": asked.purpose,
        "asked_at": instant(asked.asked_at),
        "expires_at": instant(asked.expires_at),
        "state": listed.outcome,
    }


def agreement(text: NoticeText) -> types.Agreement:
    """The words that are agreed to."""
    return {"version": text.version, "zh": text.zh, "en": text.en}


def guardianship(seen: SeenGuardianship) -> types.Guardianship:
    """To the ward, and to the guardian: each sees the other's name. `ward` is what the guardian's requests name."""
    held = seen.held
    return {
        "ward": held.ward,
        "guardian_id": held.guardian_id,
        "name": seen.name,
        "kind": held.kind,
        "document": held.document,
        "hospital_id": held.hospital_id,
        "proven_at": instant(held.proven_at),
        "starts_at": instant(held.starts_at),
        "ends_at": instant(held.ends_at),
        "objected_at": instant(held.objected_at),
        "ended_at": instant(held.ended_at),
        "is_live": seen.is_live,
    }


def guardianships(seen: Iterable[SeenGuardianship]) -> types.Guardians:
    return {"guardians": [guardianship(one) for one in seen]}


def requests(found: Iterable[Listed], text: NoticeText) -> types.Requests:
    """Who asks, and the words that approving agrees to."""
    return {"requests": [request(one) for one in found], "notice": agreement(text)}


def consents(given: Iterable[Consent]) -> types.Consents:
    return {"consents": [consent(one) for one in given]}


def accesses(told: Page[Access]) -> types.Accesses:
    return {"accesses": [access(one) for one in told.items], "next_token": told.next_token}


def qr(shown: Shown, text: NoticeText) -> types.Qr:
    return {"qr": shown.text, "expires_at": instant(shown.expires_at), "notice": agreement(text)}


def stopped_guardian(held: Guardianship) -> types.StoppedGuardian:
    return {"ward": held.ward, "objected_at": instant(held.objected_at)}


def notice(told: InAppNotice) -> types.Notice:
    """What a person is told in the app."""
    wording = WORDINGS[told.kind]
    return {
        "notice_id": told.notice_id,
        "at": instant(told.at),
        "kind": told.kind,
        "hospital_id": told.hospital_id,
        "consent_id": told.consent_id,
        "study": study_ref(told.study) if told.study else None,
        "message": {"zh": wording.zh, "en": wording.en},
    }


def identity(own: OwnIdentity) -> types.Identity:
    return {
        "hospital_id": own.identity.issuer,
        "patient_id": own.identity.local_id,
        "status": own.status,
        "confirmed_by": own.confirmed_by,
        "contested_because": own.contested_because,
        "linked_at": instant(own.linked_at),
        "confirmed_at": instant(own.confirmed_at),
        "phone": own.phone,
    }


def instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
