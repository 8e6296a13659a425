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
from chalicelib.domain.identity import Link, Person
from chalicelib.domain.in_app import WORDINGS, InAppNotice
from chalicelib.domain.phone import masked_phone
from chalicelib.domain.record_page import page
from chalicelib.domain.request import Request
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
    studies: tuple[Summary, ...]
    hidden: frozenset[StudyRef]
    consents: tuple[Consent, ...]
    requests: tuple[Request, ...]
    accesses: tuple[Access, ...]
    guardians: tuple[Guardianship, ...]
    wards: tuple[Guardianship, ...]
    notices: tuple[InAppNotice, ...]
    reviews: tuple[Review, ...]
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
    return {
        "person": _person(record),
        "identities": [_identity(link, record) for link in record.links],
        "studies": [_study(study, record) for study in sorted(record.studies, key=_newest)],
        "consents": [_consent(one, record, now) for one in record.consents],
        "requests": [_request(one, record, now) for one in record.requests],
        "accesses": [_access(one) for one in record.accesses],
        "guardians": [_guardianship(one, "guardian", now) for one in record.guardians],
        "wards": [_guardianship(one, "ward", now) for one in record.wards],
        "notices": [_notice(one) for one in record.notices],
        "reviews": [_review(one, record) for one in record.reviews],
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
        "phone_verified_at": _at(person.phone_verified_at),
        "phone_counts": number.counts,
        "phone_opens_all": number.opens_all,
        "phone_opens_all_at": _at(person.phone_opens_at),
        "phone_hospitals": [_hospital(hospital_id, record) for hospital_id in number.hospitals],
        "former_phone": masked_phone(person.former_phone),
        "frozen_at": _at(person.frozen_at),
    }


def _identity(link: Link, record: Record) -> Row:
    """Until it is confirmed the number may be somebody else's: then it does not tell their name and birth."""
    is_own = link.status == "confirmed"
    return {
        **_hospital(link.identity.issuer, record),
        "patient_id": link.identity.local_id,
        "status": link.status,
        "confirmed_by": link.confirmed_by or "",
        "contested_because": link.contested_because,
        "names": list(link.names) if is_own else [],
        "sex": link.sex if is_own else "",
        "birth_date": link.birth_date if is_own else "",
        "phone": masked_phone(link.phone),
        "linked_at": _at(link.linked_at),
        "confirmed_at": _at(link.confirmed_at),
    }


def _study(study: Summary, record: Record) -> Row:
    """`images_at`: where the person's own app finds pictures and reports, with links that live five minutes."""
    ref = study.ref
    return {
        **_hospital(ref.hospital_id, record),
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
        **_hospital(one.hospital_id, record),
        "basis": one.basis,
        "purpose": one.purpose,
        "notice_version": one.notice_version,
        "granted_at": _at(one.granted_at),
        "ends_at": _at(one.ends_at),
        "revoked_at": _at(one.revoked_at),
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
        **_hospital(one.hospital_id, record),
        "purpose": one.purpose,
        "asked_at": _at(one.asked_at),
        "outcome": one.outcome(now),
    }


def _access(one: Access) -> Row:
    event = one.event
    return {
        "at": _at(event.at),
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
        "proven_at": _at(one.proven_at),
        "proven_at_hospital": one.hospital_id,
        "starts_at": _at(one.starts_at),
        "ends_at": _at(one.ends_at),
        "live": one.is_live(now),
    }


def _notice(one: InAppNotice) -> Row:
    wording = WORDINGS[one.kind]
    told = {"zh": wording.zh, "en": wording.en}
    return {"at": _at(one.at), "kind": one.kind, "hospital_id": one.hospital_id, "message": told}


def _review(one: Review, record: Record) -> Row:
    """What a doctor said of the person, the verdict, and the person's own objection. The officer's note on the doctor
    is not about the person."""
    return {
        "consent_id": one.review_id,
        "kind": one.kind,
        **_hospital(one.hospital_id, record),
        "doctor_id": one.doctor_id,
        "witness": one.witness,
        "reason": one.reason,
        "text": one.text,
        "state": one.state,
        "opened_at": _at(one.opened_at),
        "reviewed_at": _at(one.reviewed_at),
        "objected_at": _at(one.objected_at),
        "objection": one.objection,
    }


def _hospital(hospital_id: str, record: Record) -> Row:
    known = record.hospitals.get(hospital_id)
    name = {"zh": known.name, "en": known.name_en or known.name} if known else {"zh": hospital_id, "en": hospital_id}
    return {"hospital_id": hospital_id, "hospital": name}


def _newest(study: Summary) -> tuple[int, str]:
    """As devices write dates, which may be no dates at all: those come last."""
    digits = study.study_date
    is_day = len(digits) == 8 and digits.isascii() and digits.isdigit()
    return (-int(digits) if is_day else 0, study.ref.study_instance_uid)


def _at(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
