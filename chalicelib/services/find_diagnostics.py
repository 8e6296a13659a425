"""Reports that came with notices, each as a thing of its own: of what a search finds, and one of them to be opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import AccessDenied, Caller
from chalicelib.domain.exam import Exam, Report
from chalicelib.domain.fhir_id import report_id, study_of_report
from chalicelib.domain.page import Page
from chalicelib.domain.study import Place, StudyRef
from chalicelib.services.find_reports import exams_of
from chalicelib.services.find_studies import FindStudies, FoundStudy, Search
from chalicelib.services.ledger_ports import ExamLedger
from chalicelib.services.ports import Hospitals, Signer
from chalicelib.services.view_manifest import Authorizes
from chalicelib.services.watch_ports import untimed

NOWHERE = StudyRef("", "")  # what an id leads to that was never given: decided on all the same


@dataclass(frozen=True, slots=True)
class FoundReport:
    """A report beside a study that its exam has. `url` is "" in lists: it is signed for who opens one."""

    report_id: str
    study: FoundStudy
    exam: Exam
    report: Report
    url: str = ""


@dataclass(frozen=True, slots=True)
class FindDiagnostics:
    """A page of them. `only`: those ids of reports, None for all. Raises as `FindStudies`."""

    studies: FindStudies
    ledger: ExamLedger

    def __call__(
        self, caller: Caller, search: Search, now: datetime, only: frozenset[str] | None = None
    ) -> Page[FoundReport]:
        def reports(study: FoundStudy) -> Sequence[FoundReport]:
            found = reports_of(self.ledger, study)
            return [one for one in found if only is None or one.report_id in only]

        return self.studies(caller, search, now, reports)


@dataclass(frozen=True, slots=True)
class OpenDiagnostic:
    """One report, with a signed URL. Raises AccessDenied, the same for one that is unknown, and AuditFailed."""

    authorize: Authorizes
    ledger: ExamLedger
    hospitals: Hospitals
    signer: Signer

    def __call__(self, caller: Caller, resource_id: str, now: datetime) -> FoundReport:
        ref = study_of_report(resource_id) or NOWHERE
        grant, summary, _ = self.authorize.with_manifest(caller, ref, now, untimed)
        study = FoundStudy(summary, self.hospitals.get(ref.hospital_id))
        found = next((one for one in reports_of(self.ledger, study) if one.report_id == resource_id), None)
        if found is None:
            raise AccessDenied("no_grant")
        report = found.report
        place = Place(report.key, report.version_id, 0, report.length)
        (url,) = self.signer.sign(grant, [place], now, report.content_type)
        return FoundReport(found.report_id, study, found.exam, report, url)


def reports_of(ledger: ExamLedger, study: FoundStudy) -> Sequence[FoundReport]:
    """Newest first; one that was sent twice is one."""
    ref = study.summary.ref
    made = {
        report.digest: FoundReport(report_id(ref, report.digest), study, exam, report)
        for exam in exams_of(ledger, ref, study.summary.accession_number)
        for report in reversed(exam.reports)
    }
    return list(reversed(made.values()))
