"""The objects in which notices told of a study's exam, and the reports that came with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta

from chalicelib.domain import upload_key
from chalicelib.domain.exam import Exam, ExamKey, NoticeFact
from chalicelib.domain.ledger import derive
from chalicelib.domain.notice import BadNotice, ExamNotice, parse
from chalicelib.domain.signposts import targets
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.ledger_ports import ExamLedger
from chalicelib.services.ports import ObjectVersion, Studies, Uploads
from chalicelib.services.record_notice import MAX_NOTICE, fact_of

Sizes = dict[tuple[str, str], int]  # (key, version) → bytes


@dataclass(frozen=True, slots=True)
class FindTold:
    """A notice's fact does not say which object it was: so the objects of its hospital and second of receipt are read,
    and the one that says the same is it. An accession number that also stands for a study to be kept, or for an exam
    without one, keeps all its notices."""

    uploads: Uploads
    studies: Studies
    exams: ExamLedger

    def __call__(self, summary: Summary) -> tuple[Sizes, int]:
        """What tells of this study alone, or beside it only of destroyed ones; and how many notices stay."""
        found: Sizes = {}
        shared = 0
        for key in self._collections(summary):
            facts = self.exams.read(key).facts
            exams = derive(key, facts, (), UTC)
            if not any(summary.ref.study_instance_uid in exam.study_instance_uids for exam in exams):
                continue
            if not all(self._goes(exam, summary.ref) for exam in exams):
                shared += len(facts.notices)
                continue
            for fact in facts.notices:
                found |= {(one.key, one.version_id): one.size for one in self._objects(key.hospital_id, fact)}
        return found, shared

    def _collections(self, summary: Summary) -> list[ExamKey]:
        ref = summary.ref
        key = ExamKey.of(ref.hospital_id, summary.accession_number, ref.study_instance_uid)
        elsewhere = sorted(targets(key.accession, self.exams.read(key).facts))
        return [key, *(ExamKey(ref.hospital_id, accession) for accession in elsewhere)]

    def _goes(self, exam: Exam, ref: StudyRef) -> bool:
        others = set(exam.study_instance_uids) - {ref.study_instance_uid}
        return bool(exam.study_instance_uids) and all(
            self._is_gone(replace(ref, study_instance_uid=uid)) for uid in others
        )

    def _is_gone(self, ref: StudyRef) -> bool:
        summary = self.studies.summary(ref)
        return summary is not None and summary.state == "destroyed"

    def _objects(self, hospital_id: str, fact: NoticeFact) -> Iterator[ObjectVersion]:
        """A key is dated by its sender: that day, or the one before where midnight came between."""
        received = fact.received_at.astimezone(UTC)
        for day in (received.date(), received.date() - timedelta(days=1)):
            for one in self.uploads.versions(upload_key.prefix("notices", hospital_id, day)):
                same_second = int(one.last_modified.timestamp()) == int(received.timestamp())
                if same_second and self._says(one, fact):
                    yield one
        if fact.report is not None:
            yield from self.uploads.versions(fact.report.key)

    def _says(self, one: ObjectVersion, fact: NoticeFact) -> bool:
        part = self.uploads.read(one.key, one.version_id, 0, MAX_NOTICE)
        try:
            said = parse(part.data) if part is not None else None
        except BadNotice:
            return False
        return isinstance(said, ExamNotice) and fact_of(said, fact.received_at) == replace(fact, report=None)
