"""A notice as a hospital sends it, checked. Unknown fields are ignored, known ones strictly checked: a notice that we
would have to guess at is refused, with the field's name and never its value."""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, cast

from chalicelib.domain.exam import LONGEST_ACCESSION, NO_ACCESSION, NoticeStatus
from chalicelib.domain.identity import LONGEST_ID, PatientDetails, normal_date, normal_sex

Value = TypeVar("Value")

PATIENT_CLASSES = frozenset({"outpatient", "inpatient", "emergency"})
PDF, FHIR = "application/pdf", "application/fhir+json"
UID = re.compile(r"[0-9.]{1,64}")  # PS3.5 9.1
MOST_INSTANCES = 1_000_000
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # an exam dated before is a clock that was never set
LATEST = datetime(2200, 1, 1, tzinfo=UTC)  # "for ever" is written 9999-12-31, which has no tomorrow


class BadNotice(ValueError):  # noqa: N818 - named by the fact
    """`field` is the path of the field that holds what it may not, or "json"."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class SentReport:
    """A report inside a notice. `body` is the PDF, or the FHIR DiagnosticReport as canonical JSON."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ExamNotice:
    """An exam was ordered, performed or cancelled. `sent_at` is None where the sender gives none."""

    notice_id: str
    status: NoticeStatus
    accession_number: str
    study_instance_uid: str
    patient: PatientDetails
    patient_class: str
    modality: str
    procedure: str
    sent_at: datetime | None
    scheduled_at: datetime | None
    performed_at: datetime | None
    declared_instances: int | None
    report: SentReport | None


@dataclass(frozen=True, slots=True)
class VisitNotice:
    """A visit opened or closed."""

    encounter_id: str
    status: Literal["open", "closed"]
    doctor_id: str
    patient: PatientDetails
    patient_class: str
    at: datetime


def parse(body: bytes) -> ExamNotice | VisitNotice:
    """Raises BadNotice."""
    try:
        told = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadNotice("json") from None
    fields = _Fields(told, "")
    kind = fields.choice("type", frozenset({"exam", "encounter"}))
    return _exam(fields) if kind == "exam" else _visit(fields)


def _exam(fields: _Fields) -> ExamNotice:
    status = cast("NoticeStatus", fields.choice("status", frozenset({"scheduled", "performed", "cancelled"})))
    told = status != "cancelled"  # whoever cancels need not describe what was not done
    accession_number = fields.text("accession_number", LONGEST_ACCESSION, required=False)
    study_instance_uid = fields.text("study_instance_uid", 64, required=False)
    if study_instance_uid and not UID.fullmatch(study_instance_uid):
        raise BadNotice("study_instance_uid")
    if NO_ACCESSION.fullmatch(accession_number) and not study_instance_uid:
        raise BadNotice("accession_number")
    return ExamNotice(
        notice_id=fields.text("notice_id", 128),
        status=status,
        accession_number=accession_number,
        study_instance_uid=study_instance_uid,
        patient=_patient(fields.inside("patient")),
        patient_class=fields.choice("patient_class", PATIENT_CLASSES, required=told),
        modality=fields.text("modality", 16, required=told),
        procedure=fields.text("procedure", 1024, required=False),
        sent_at=fields.instant("sent_at", required=False),
        scheduled_at=fields.instant("scheduled_at", required=status == "scheduled"),
        performed_at=fields.instant("performed_at", required=status == "performed"),
        declared_instances=fields.number("declared_instances", 1, MOST_INSTANCES),
        report=_report(fields.inside("report")) if fields.has("report") else None,
    )


def _visit(fields: _Fields) -> VisitNotice:
    return VisitNotice(
        encounter_id=fields.text("encounter_id", 64),
        status=cast('Literal["open", "closed"]', fields.choice("status", frozenset({"open", "closed"}))),
        doctor_id=fields.text("doctor_id", 128, required=False),
        patient=_patient(fields.inside("patient")),
        patient_class=fields.choice("patient_class", PATIENT_CLASSES),
        at=cast("datetime", fields.instant("at")),
    )


def _patient(fields: _Fields) -> PatientDetails:
    """A national id or phone that is none counts as absent: it is the link's business, not a fault of the notice."""
    return PatientDetails(
        patient_id=fields.text("patient_id", LONGEST_ID),
        name=fields.text("name", 324, required=False),
        sex=fields.normal("sex", normal_sex),
        birth_date=fields.normal("birth_date", normal_date),
        national_id=fields.text("national_id", 64, required=False),
        phone=fields.text("phone", 64, required=False),
    )


def _report(fields: _Fields) -> SentReport:
    if fields.choice("content_type", frozenset({PDF, FHIR})) == FHIR:
        resource = fields.inside("resource")
        if resource.text("resourceType", 64) != "DiagnosticReport":
            raise BadNotice("report.resource.resourceType")
        return SentReport(FHIR, resource.canonical())
    encoded = fields.value("content_base64", str)
    try:
        body = base64.b64decode(encoded or "", validate=True)
    except (binascii.Error, ValueError):
        raise BadNotice("report.content_base64") from None
    if not body.startswith(b"%PDF-"):
        raise BadNotice("report.content_base64")
    return SentReport(PDF, body)


class _Fields:
    """One JSON object; every fault names the field by its path. null counts as absent."""

    def __init__(self, told: Any, path: str) -> None:
        if not isinstance(told, dict):
            raise BadNotice(path or "json")
        self._told: Mapping[str, Any] = told
        self._path = f"{path}." if path else ""

    def has(self, name: str) -> bool:
        return self._told.get(name) is not None

    def value(self, name: str, kind: type[Value], *, required: bool = True) -> Value | None:
        found = self._told.get(name)
        if found is None and not required:
            return None
        if not isinstance(found, kind) or isinstance(found, bool):
            raise self._bad(name)
        return found

    def inside(self, name: str) -> _Fields:
        return _Fields(self._told.get(name), f"{self._path}{name}")

    def text(self, name: str, most: int, *, required: bool = True) -> str:
        """Stripped. No control characters, nothing that UTF-8 cannot carry (a lone surrogate)."""
        text = (self.value(name, str, required=required) or "").strip()
        if (required and not text) or len(text) > most or any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
            raise self._bad(name)
        return text

    def choice(self, name: str, words: frozenset[str], *, required: bool = True) -> str:
        word = self.text(name, 64, required=required)
        if word not in words and (required or word):
            raise self._bad(name)
        return word

    def normal(self, name: str, form: Callable[[str], str]) -> str:
        """In its normal form; "" where absent."""
        text = self.text(name, 64, required=False)
        if text and not form(text):
            raise self._bad(name)
        return form(text)

    def instant(self, name: str, *, required: bool = True) -> datetime | None:
        """ISO 8601 with a zone."""
        text = self.text(name, 64, required=required)
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
            utc = at.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self._bad(name) from None
        if at.tzinfo is None or not EARLIEST <= utc < LATEST:
            raise self._bad(name)
        return utc

    def number(self, name: str, least: int, most: int) -> int | None:
        found = self.value(name, int, required=False)
        if found is not None and not least <= found <= most:
            raise self._bad(name)
        return found

    def canonical(self) -> bytes:
        text = json.dumps(self._told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        try:
            return text.encode()
        except UnicodeEncodeError:
            raise BadNotice(self._path.rstrip(".")) from None

    def _bad(self, name: str) -> BadNotice:
        return BadNotice(f"{self._path}{name}")


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are not JSON
