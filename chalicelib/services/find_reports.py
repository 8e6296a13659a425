from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from chalicelib.domain.exam import Exam, ExamKey
from chalicelib.domain.ledger import derive
from chalicelib.domain.signposts import targets
from chalicelib.domain.study import Place, StudyRef
from chalicelib.services.ledger_ports import ExamLedger
from chalicelib.services.view_manifest import StoredReport


@dataclass(frozen=True)
class FindReports:
    """Reports that came with the notices of a study's exam.

    Asked of the facts at each view, not copied beside the study: so a report is shown only while notice and study agree
    on accession number, patient and date, and a corrected notice takes its report along. One read, and another where a
    notice names a study that bears no accession number.
    """

    ledger: ExamLedger

    def __call__(self, ref: StudyRef, accession_number: str) -> Sequence[StoredReport]:
        """Newest first."""
        return [
            StoredReport(Place(report.key, report.version_id, 0, report.length), report.content_type)
            for exam in exams_of(self.ledger, ref, accession_number)
            for report in exam.reports
        ]


def exams_of(ledger: ExamLedger, ref: StudyRef, accession_number: str) -> list[Exam]:
    """The exams that a study stands in now."""
    key = ExamKey.of(ref.hospital_id, accession_number, ref.study_instance_uid)
    facts = {key: ledger.read(key).facts}
    for accession in sorted(targets(key.accession, facts[key])):
        elsewhere = ExamKey(ref.hospital_id, accession)
        facts[elsewhere] = ledger.read(elsewhere).facts
    exams = [exam for place, known in facts.items() for exam in derive(place, known, (), UTC)]
    return [exam for exam in exams if ref.study_instance_uid in exam.study_instance_uids]
