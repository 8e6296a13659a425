from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from chalicelib.domain.exam import ExamKey
from chalicelib.domain.ledger import derive
from chalicelib.domain.study import Place, StudyRef
from chalicelib.services.ledger_ports import ExamLedger
from chalicelib.services.view_manifest import StoredReport


@dataclass(frozen=True)
class FindReports:
    """Reports that came with the notices of a study's exam.

    Asked of the facts at each view, not copied beside the study: so a report is shown only while notice and study agree
    on accession number, patient and date, and a corrected notice takes its report along. One read.
    """

    ledger: ExamLedger

    def __call__(self, ref: StudyRef, accession_number: str) -> Sequence[StoredReport]:
        """Newest first."""
        key = ExamKey.of(ref.hospital_id, accession_number, ref.study_instance_uid)
        exams = derive(key, self.ledger.read(key).facts, (), UTC)
        found = [exam.reports for exam in exams if ref.study_instance_uid in exam.study_instance_uids]
        return [
            StoredReport(Place(report.key, report.version_id, 0, report.length), report.content_type)
            for reports in found
            for report in reports
        ]
