"""Notices under `notices/` → who the patient may be, the visit, the exam's fact, its report (DESIGN §4.10, §5, §7)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from chalicelib.domain.exam import ExamKey, NoticeFact, Report
from chalicelib.domain.identity import PatientDetails
from chalicelib.domain.notice import FHIR, BadNotice, ExamNotice, SentReport, VisitNotice, parse
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.examine_upload import Refused, first_part, owner, refusal
from chalicelib.services.faults import note
from chalicelib.services.leave_receipt import Outcome, leave_receipt
from chalicelib.services.ports import Clock, Hospitals, ObjectPart, Quarantine, Receipts, Uploads
from chalicelib.services.record_encounter import EncounterNotice
from chalicelib.services.watch_ports import Handled, Watch, unwatched

MAX_NOTICE = 16 * 1024**2  # a PDF of 10 MB in base64, and some


class LinksFromNotice(Protocol):
    """`services.register_patient.LinkFromNotice`."""

    def __call__(self, hospital_id: str, patient: PatientDetails, now: datetime) -> object: ...


class RecordsEncounter(Protocol):
    """`services.record_encounter.RecordEncounter`."""

    def __call__(self, notice: EncounterNotice) -> object: ...


class RecordsExams(Protocol):
    """`services.derive_exams.DeriveExams`."""

    def notice_recorded(self, hospital_id: str, fact: NoticeFact) -> None: ...


@dataclass(frozen=True)
class RecordNotice:
    """Each step may be repeated, and the whole comes to the same in any order: a notice's place among others is its
    own `sent_at`, or when S3 received it."""

    uploads: Uploads
    hospitals: Hospitals
    quarantine: Quarantine
    receipts: Receipts
    exams: RecordsExams
    link: LinksFromNotice
    encounter: RecordsEncounter
    clock: Clock
    watch: Watch = unwatched

    def __call__(self, objects: Collection[Uploaded], keep_going: Callable[[], bool]) -> frozenset[Uploaded]:
        """The objects not done, because time ran out or by a fault of ours. A bad notice is done: it lies in
        quarantine."""
        outcomes = {uploaded: self._attempt(uploaded) for uploaded in sorted(objects, key=_order) if keep_going()}
        done = {uploaded: outcome for uploaded, outcome in outcomes.items() if outcome}
        end = self.clock()
        try:
            leave_receipt(self.receipts, [outcome for outcome, _ in done.values()], end)
        except Exception as fault:  # noqa: BLE001 - whatever it was: without a receipt the batch is done again
            note(fault)
            return frozenset(objects)
        self.watch([handled for _, handled in done.values()], end)
        return frozenset(objects) - frozenset(done)

    def _attempt(self, uploaded: Uploaded) -> tuple[Outcome, Handled] | None:
        try:
            return self._one(uploaded)
        except Exception as fault:  # noqa: BLE001 - one record's fault, whatever it was, must not fail the others
            note(fault)
            return None

    def _one(self, uploaded: Uploaded) -> tuple[Outcome, Handled]:
        part: ObjectPart | None = None
        now = self.clock()
        try:
            _refuse_size(uploaded.size)
            part = first_part(self.uploads, uploaded, MAX_NOTICE)
            key, hospital = owner(uploaded.key, ("notices",), self.hospitals, part)
            said = _read(part)
        except Refused as refused:
            self.quarantine.put(refusal(uploaded, part, refused, now))
            version_id = part.version_id if part else uploaded.version_id or ""
            handled = Handled(refused.reason, part.last_modified if part else None)
            return Outcome(uploaded.key, version_id, refused.reason), handled
        self.link(hospital.hospital_id, said.patient, now)
        if isinstance(said, VisitNotice):
            self.encounter(_encounter(hospital.hospital_id, said, part.last_modified))
        else:
            self.exams.notice_recorded(key.hospital_id, self._fact(hospital.hospital_id, said, part.last_modified))
        return Outcome(uploaded.key, part.version_id, "noted"), Handled("noted", part.last_modified)

    def _fact(self, hospital_id: str, said: ExamNotice, received_at: datetime) -> NoticeFact:
        fact = fact_of(said, received_at)
        return replace(fact, report=self._keep(hospital_id, fact, said.report)) if said.report else fact

    def _keep(self, hospital_id: str, fact: NoticeFact, report: SentReport) -> Report:
        """Beside the images, under its own digest, where no hospital's credential reaches."""
        digest = hashlib.sha256(report.body).hexdigest()[:32]
        exam = ExamKey.of(hospital_id, fact.accession_number, fact.study_instance_uid)
        suffix = "json" if report.content_type == FHIR else "pdf"
        key = f"reports/{hospital_id}/{quote(exam.accession, safe='')}/{digest}.{suffix}"
        self.uploads.put_new(key, report.body, {"content-type": report.content_type})
        stored = self.uploads.read(key, None, 0, 1)
        if stored is None:
            raise LookupError("the report just stored is not there")
        return Report(digest, report.content_type, key, stored.version_id, len(report.body))


def fact_of(said: ExamNotice, received_at: datetime) -> NoticeFact:
    """Without its report. `sent_at` is never after S3 had it: a sender's clock that runs ahead must not outrank all
    later notices."""
    return NoticeFact(
        notice_id=said.notice_id,
        status=said.status,
        sent_at=min(said.sent_at or received_at, received_at),
        received_at=received_at,
        accession_number=said.accession_number,
        patient_id=said.patient.patient_id,
        study_instance_uid=said.study_instance_uid,
        patient_class=said.patient_class,
        modality=said.modality,
        procedure=said.procedure,
        scheduled_at=said.scheduled_at,
        performed_at=said.performed_at,
        declared_instances=said.declared_instances,
    )


def _read(part: ObjectPart) -> ExamNotice | VisitNotice:
    if part.size == 0:
        raise Refused("empty")
    _refuse_size(part.size)
    try:
        return parse(part.data)
    except BadNotice as bad:
        raise Refused("bad_notice", f"bad_notice:{bad.field}") from None


def _refuse_size(size: int | None) -> None:
    if size is not None and size > MAX_NOTICE:
        raise Refused("notice_too_large")


def _encounter(hospital_id: str, said: VisitNotice, received_at: datetime) -> EncounterNotice:
    """`at` is never after S3 had it: a visit dated ahead would be an emergency for as long, and outrank its close."""
    return EncounterNotice(
        hospital_id=hospital_id,
        encounter_id=said.encounter_id,
        status=said.status,
        patient=said.patient,
        patient_class=said.patient_class,
        at=min(said.at, received_at),
        doctor_id=said.doctor_id,
    )


def _order(uploaded: Uploaded) -> tuple[str, str]:
    return (uploaded.key, uploaded.version_id or "")
