"""A person's whole record as one archive: JSON for programs, and a page for people in Chinese and English."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from chalicelib.domain.access_log import Access
from chalicelib.domain.consent import Consent
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.hand_over import HandOver
from chalicelib.domain.identity import FormerLink, Link, Person
from chalicelib.domain.in_app import WORDINGS, InAppNotice
from chalicelib.domain.phone import masked_phone
from chalicelib.domain.record_exams import (
    HeldExam,
    at_text,
    exam_notice_row,
    exam_row,
    former_link_row,
    hand_over_row,
    hospital_row,
    newest_rows,
    newest_told,
    visit_row,
)
from chalicelib.domain.record_page import page
from chalicelib.domain.request import Request
from chalicelib.domain.retention import Visit
from chalicelib.domain.review import Review
from chalicelib.domain.study import Hospital, StudyRef, Summary

CHINA = timezone(timedelta(hours=8))
Row = dict[str, Any]
Sections = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """What the verified phone is worth now."""

    counts: bool
    opens_all: bool
    hospitals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """All that is held about a person. Pictures and reports are named by their study, not copied."""

    person: Person
    number: OwnNumber
    links: tuple[Link, ...]
    former_links: tuple[FormerLink, ...]
    visits: tuple[Visit, ...]
    exams: tuple[HeldExam, ...]
    studies: tuple[Summary, ...]
    hidden: frozenset[StudyRef]
    consents: tuple[Consent, ...]
    requests: tuple[Request, ...]
    accesses: tuple[Access, ...]
    guardians: tuple[Guardianship, ...]
    wards: tuple[Guardianship, ...]
    notices: tuple[InAppNotice, ...]
    reviews: tuple[Review, ...]
    hand_overs: tuple[HandOver, ...]
    hospitals: Mapping[str, Hospital]


def archive(record: Record, now: datetime) -> bytes:
    """The ZIP: index.html, and data/{section}.json with all that the page shows and more."""
    told = sections(record, now)
    stamp = now.astimezone(CHINA).timetuple()[:6]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        _add(made, "index.html", page(told, now).encode(), stamp)
        for name, section in told.items():
            text = json.dumps(section, ensure_ascii=False, indent=1)
            _add(made, f"data/{name}.json", text.encode(), stamp)
    return out.getvalue()


def _add(made: zipfile.ZipFile, name: str, body: bytes, stamp: tuple[int, ...]) -> None:
    year, month, day, hour, minute, second = stamp
    info = zipfile.ZipInfo(name, (year, month, day, hour, minute, second))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    made.writestr(info, body)


def sections(record: Record, now: datetime) -> Sections:
    """Each kind of thing as JSON, field by field. What is not written here is not in the archive."""
    hospitals = record.hospitals
    return {
        "person": _person(record),
        "identities": [_identity(link, record) for link in record.links],
        "former_links": [former_link_row(one, hospitals) for one in record.former_links],
        "visits": [visit_row(one, hospitals) for one in sorted(record.visits, key=_latest)],
        "exams": [exam_row(one, hospitals) for one in newest_rows(record.exams)],
        "exam_notices": [exam_notice_row(one, hospitals) for one in newest_told(record.exams)],
        "studies": [_study(study, record) for study in sorted(record.studies, key=_newest)],
        "consents": [_consent(one, record, now) for one in record.consents],
        "requests": [_request(one, record, now) for one in record.requests],
        "accesses": [_access(one) for one in record.accesses],
        "guardians": [_guardianship(one, "guardian", now) for one in record.guardians],
        "wards": [_guardianship(one, "ward", now) for one in record.wards],
        "notices": [_notice(one) for one in record.notices],
        "reviews": [_review(one, record) for one in record.reviews],
        "hand_overs": [hand_over_row(one, hospitals) for one in record.hand_overs],
    }


def _person(record: Record) -> Row:
    """The national id is in no record: only its keyed hash led here."""
    person, number = record.person, record.number
    return {
        "person_id": person.person_id,
        "name": person.name,
        "sex": person.sex,
        "birth_date": person.birth_date,
        "phone": masked_phone(person.phone),
        "phone_verified_at": at_text(person.phone_verified_at),
        "phone_counts": number.counts,
        "phone_opens_all": number.opens_all,
        "phone_opens_all_at": at_text(person.phone_opens_at),
        "phone_hospitals": [hospital_row(hospital_id, record.hospitals) for hospital_id in number.hospitals],
        "former_phone": masked_phone(person.former_phone),
        "frozen_at": at_text(person.frozen_at),
    }


def _identity(link: Link, record: Record) -> Row:
    """Until it is confirmed the number may be somebody else's: then it does not tell their name and birth."""
    is_own = link.status == "confirmed"
    return {
        **hospital_row(link.identity.issuer, record.hospitals),
        "patient_id": link.identity.local_id,
        "status": link.status,
        "confirmed_by": link.confirmed_by or "",
        "contested_because": link.contested_because,
        "names": list(link.names) if is_own else [],
        "sex": link.sex if is_own else "",
        "birth_date": link.birth_date if is_own else "",
        "phone": masked_phone(link.phone),
        "linked_at": at_text(link.linked_at),
        "confirmed_at": at_text(link.confirmed_at),
    }


def _study(study: Summary, record: Record) -> Row:
    """`images_at`: where the person's own app finds pictures and reports, with links that live five minutes."""
    ref = study.ref
    return {
        **hospital_row(ref.hospital_id, record.hospitals),
        "study_instance_uid": ref.study_instance_uid,
        "patient_id": study.patient_id,
        "patient_name": study.patient_name,
        "accession_number": study.accession_number,
        "study_date": study.study_date,
        "study_time": study.study_time,
        "study_description": study.study_description,
        "series_descriptions": list(study.series_descriptions),
        "modalities": list(study.modalities),
        "body_parts": list(study.body_parts),
        "institution_name": study.institution_name,
        "series": study.series,
        "images": study.instances,
        "hidden": ref in record.hidden,
        "images_at": f"/hospitals/{ref.hospital_id}/studies/{ref.study_instance_uid}/manifest",
    }


def _consent(one: Consent, record: Record, now: datetime) -> Row:
    return {
        "consent_id": one.consent_id,
        "doctor_id": one.doctor_id,
        **hospital_row(one.hospital_id, record.hospitals),
        "basis": one.basis,
        "purpose": one.purpose,
        "notice_version": one.notice_version,
        "granted_at": at_text(one.granted_at),
        "ends_at": at_text(one.ends_at),
        "revoked_at": at_text(one.revoked_at),
        "live": one.is_live(now),
        "given_by_guardian": bool(one.given_by),
        "studies": [
            {"hospital_id": ref.hospital_id, "study_instance_uid": ref.study_instance_uid}
            for ref in sorted(one.studies)
        ],
    }


def _request(one: Request, record: Record, now: datetime) -> Row:
    return {
        "request_id": one.request_id,
        "doctor_id": one.doctor_id,
        **hospital_row(one.hospital_id, record.hospitals),
        "purpose": one.purpose,
        "asked_at": at_text(one.asked_at),
        "outcome": one.outcome(now),
    }


def _access(one: Access) -> Row:
    event = one.event
    return {
        "at": at_text(event.at),
        "who": one.who or event.subject,
        "role": event.role,
        "hospital_id": event.hospital_id,
        "action": event.action,
        "allowed": event.allowed,
        "reason": event.reason,
        "basis": one.basis,
        "purpose": one.purpose,
        "study_instance_uid": event.study.study_instance_uid if event.study else "",
        "sentence": {"zh": one.sentence.zh, "en": one.sentence.en},
    }


def _guardianship(one: Guardianship, who: str, now: datetime) -> Row:
    return {
        "who": who,
        "reference": one.ward,
        "kind": one.kind,
        "document": one.document,
        "proven_at": at_text(one.proven_at),
        "proven_at_hospital": one.hospital_id,
        "starts_at": at_text(one.starts_at),
        "ends_at": at_text(one.ends_at),
        "live": one.is_live(now),
    }


def _notice(one: InAppNotice) -> Row:
    wording = WORDINGS[one.kind]
    told = {"zh": wording.zh, "en": wording.en}
    return {"at": at_text(one.at), "kind": one.kind, "hospital_id": one.hospital_id, "message": told}


def _review(one: Review, record: Record) -> Row:
    """What a doctor said of the person, the verdict, and the person's own objection. The officer's note on the doctor
    is not about the person."""
    return {
        "consent_id": one.review_id,
        "kind": one.kind,
        **hospital_row(one.hospital_id, record.hospitals),
        "doctor_id": one.doctor_id,
        "witness": one.witness,
        "reason": one.reason,
        "text": one.text,
        "state": one.state,
        "opened_at": at_text(one.opened_at),
        "reviewed_at": at_text(one.reviewed_at),
        "objected_at": at_text(one.objected_at),
        "objection": one.objection,
    }


def _latest(visit: Visit) -> tuple[float, str, str]:
    return (-visit.at.timestamp(), visit.encounter_id, visit.status)


def _newest(study: Summary) -> tuple[int, str]:
    """As devices write dates, which may be no dates at all: those come last."""
    digits = study.study_date
    is_day = len(digits) == 8 and digits.isascii() and digits.isdigit()
    return (-int(digits) if is_day else 0, study.ref.study_instance_uid)
