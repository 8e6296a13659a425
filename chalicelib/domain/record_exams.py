"""What an archive tells of visits, exams, papers and numbers that were once linked, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from chalicelib.domain.exam import Exam, NoticeFact
from chalicelib.domain.hand_over import HandOver
from chalicelib.domain.identity import FormerLink
from chalicelib.domain.retention import Visit
from chalicelib.domain.study import Hospital

Hospitals = Mapping[str, Hospital]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToldExam:
    """One notice of an exam, with the hospital that sent it: the notice itself does not name it."""

    hospital_id: str
    notice: NoticeFact


@dataclass(frozen=True, slots=True)
class HeldExam:
    """Of one number, in no order: the ledger's rows, and the notices they rest on."""

    rows: tuple[Exam, ...] = ()
    told: tuple[ToldExam, ...] = ()


def newest_rows(held: Iterable[HeldExam]) -> list[Exam]:
    rows = chain.from_iterable(one.rows for one in held)
    return sorted(rows, key=lambda row: (row.day, row.key, row.use), reverse=True)


def newest_told(held: Iterable[HeldExam]) -> list[ToldExam]:
    told = chain.from_iterable(one.told for one in held)
    return sorted(told, key=lambda one: (one.notice.rank, one.hospital_id), reverse=True)


def hospital_row(hospital_id: str, hospitals: Hospitals) -> Row:
    known = hospitals.get(hospital_id)
    name = {"zh": known.name, "en": known.name_en or known.name} if known else {"zh": hospital_id, "en": hospital_id}
    return {"hospital_id": hospital_id, "hospital": name}


def at_text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def former_link_row(one: FormerLink, hospitals: Hospitals) -> Row:
    """That it was linked and until when. Nothing else: the number may be somebody else's."""
    return {
        **hospital_row(one.issuer, hospitals),
        "linked_at": at_text(one.linked_at),
        "until": at_text(one.until),
    }


def visit_row(one: Visit, hospitals: Hospitals) -> Row:
    return {
        **hospital_row(one.hospital_id, hospitals),
        "encounter_id": one.encounter_id,
        "patient_class": one.patient_class,
        "status": one.status,
        "at": at_text(one.at),
    }


def exam_row(one: Exam, hospitals: Hospitals) -> Row:
    """The row by which the hospital is judged. What its staff should look at is not about the person."""
    return {
        **hospital_row(one.key.hospital_id, hospitals),
        "accession_number": one.key.accession,
        "patient_id": one.patient_id,
        "patient_class": one.patient_class,
        "modality": one.modality,
        "procedure": one.procedure,
        "day": one.day,
        "state": one.state,
        "standing": one.standing,
        "study_instance_uids": list(one.study_instance_uids),
        "scheduled_at": at_text(one.scheduled_at),
        "ended_at": at_text(one.ended_at),
        "due_at": at_text(one.due_at),
        "images_declared": one.declared,
        "images_received": one.received,
        "first_received_at": at_text(one.first_received_at),
        "completed_at": at_text(one.completed_at),
        "reports": len(one.reports),
    }


def exam_notice_row(one: ToldExam, hospitals: Hospitals) -> Row:
    told = one.notice
    return {
        **hospital_row(one.hospital_id, hospitals),
        "notice_id": told.notice_id,
        "status": told.status,
        "sent_at": at_text(told.sent_at),
        "received_at": at_text(told.received_at),
        "accession_number": told.accession_number,
        "patient_id": told.patient_id,
        "study_instance_uid": told.study_instance_uid,
        "patient_class": told.patient_class,
        "modality": told.modality,
        "procedure": told.procedure,
        "scheduled_at": at_text(told.scheduled_at),
        "performed_at": at_text(told.performed_at),
        "images_declared": told.declared_instances,
        "has_report": told.report is not None,
    }


def hand_over_row(one: HandOver, hospitals: Hospitals) -> Row:
    """The hospital's number on the paper is left out: since then it may have turned out to be somebody else's."""
    return {
        **hospital_row(one.hospital_id, hospitals),
        "consent_id": one.consent_id,
        "encounter_id": one.encounter_id,
        "doctor_id": one.doctor_id,
        "witness": one.witness,
        "reason": one.reason,
        "at": at_text(one.at),
        "how": one.how or "",
        "done_by": one.done_by,
        "done_at": at_text(one.done_at),
    }
