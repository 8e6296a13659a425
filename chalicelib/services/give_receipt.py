from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.exam import Exam
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.receipt import Arrived, Statement, arrivals, completeness, root
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.find_reports import exams_of
from chalicelib.services.ledger_ports import ExamLedger
from chalicelib.services.ports import Studies
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.view_manifest import ManifestChanged, next_page, page_start

PAGE = 1000  # entries in one answer
ACTION = "give_receipt"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A page of it. `event_id`: the audit event that holds the statement's digest, sealed with the hour `issued_at`
    lies in. `first`: the index of the page's first entry among all leaves."""

    statement: Statement
    event_id: str
    issued_at: datetime
    statuses: Mapping[str, int]
    exams: Sequence[Exam]
    first: int
    entries: tuple[Arrived, ...]
    next_token: str


@dataclass(frozen=True, slots=True)
class GiveReceipt:
    """What of a study arrived, stated so that it can be proven for years: the statement's digest stands in the audit
    before it is told, and the audit is sealed into a locked archive."""

    studies: Studies
    exams: ExamLedger
    record: RecordDecision

    def __call__(self, caller: Caller, ref: StudyRef, token: str, now: datetime) -> Receipt | None:
        """None for a study the hospital never sent, and for one that was disposed of: that has a certificate instead.
        Raises ManifestChanged, TokenNotOurs, AuditFailed."""
        summary = self.studies.summary(ref)
        if summary is None or not summary.manifest_digest:
            self.record.note(caller, ACTION, "not_found", now, About(study=ref))
            return None
        try:
            first = page_start(token, summary.manifest_digest, PAGE)
        except ManifestChanged:
            self.record.note(caller, ACTION, "manifest_changed", now, About(study=ref))
            raise
        body = self.studies.manifest(ref, summary.manifest_digest, summary.manifest_parts)
        arrived = arrivals(Manifest.from_json(body))
        exams = exams_of(self.exams, ref, summary.accession_number)
        statement = _statement(summary, arrived, exams, now)
        about = About(study=ref, statement=statement.digest)
        event_id = self.record.allow(caller, ACTION, "own_hospital", now, about)
        more = first + PAGE < len(arrived)
        return Receipt(
            statement=statement,
            event_id=event_id,
            issued_at=now,
            statuses=Counter(one.status for one in arrived),
            exams=exams,
            first=first,
            entries=tuple(arrived[first : first + PAGE]),
            next_token=next_page(summary.manifest_digest, first + PAGE) if more else "",
        )


def _statement(summary: Summary, arrived: Sequence[Arrived], exams: Sequence[Exam], now: datetime) -> Statement:
    declared, complete = completeness(exams)
    return Statement(
        hospital_id=summary.ref.hospital_id,
        study_instance_uid=summary.ref.study_instance_uid,
        entries=len(arrived),
        instances=len({one.leaf["sop_instance_uid"] for one in arrived}),
        root=root(arrived),
        manifest=summary.manifest_digest,
        revision=summary.revision,
        state=summary.state,
        declared=declared,
        complete=complete,
        issued_at=now.astimezone(UTC).isoformat(),
    )
