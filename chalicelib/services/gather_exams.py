from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.domain.exam import Exam, ExamKey
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.record_exams import HeldExam, ToldExam
from chalicelib.domain.study import Summary
from chalicelib.services.ledger_ports import ExamLedger


@dataclass(frozen=True, slots=True)
class GatherExams:
    """What the ledger holds of the exams of one number: also of those that were told and never uploaded. An accession
    number may have been used for others too, so of each only what names this patient is taken."""

    ledger: ExamLedger

    def __call__(self, identity: IdentityKey, studies: Iterable[Summary]) -> HeldExam:
        from_studies = {
            ExamKey.of(study.ref.hospital_id, study.accession_number, study.ref.study_instance_uid)
            for study in studies
            if study.ref.hospital_id == identity.issuer
        }
        rows: set[Exam] = set()
        told: set[ToldExam] = set()
        for key in sorted({*self.ledger.of_patient(identity), *from_studies}):
            held = self.ledger.read(key)
            rows.update(row for row in self.ledger.rows_of(key, held.docket) if row.patient_id == identity.local_id)
            mine = (notice for notice in held.facts.notices if notice.patient_id == identity.local_id)
            told.update(ToldExam(key.hospital_id, notice) for notice in mine)
        return HeldExam(tuple(rows), tuple(told))
