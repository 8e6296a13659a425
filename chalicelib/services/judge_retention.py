"""How long one study must be kept, from all that is known of it and of the human behind it (`domain.retention`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.domain.identity import IdentityKey, normal_date
from chalicelib.domain.retention import Period, PersonFacts, StudyFacts, Visit, local_day, period
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.access_ports import Encounters, People
from chalicelib.services.find_reports import exams_of
from chalicelib.services.ledger_ports import ExamLedger
from chalicelib.services.ports import Hospitals, Studies

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Judged:
    """`identity_settled`: False while nobody has confirmed whose the study is; then only what its own hospital told of
    that number counts, for a hospital that reports a stranger's number must not learn of their other visits.
    `has_one_patient`: False where the study holds more than one patient's images."""

    period: Period
    identity_settled: bool
    has_one_patient: bool

    def is_over(self, now: datetime) -> bool:
        return self.identity_settled and self.has_one_patient and self.period.is_over(now)


Known = dict[IdentityKey, PersonFacts]  # what was read of each number: a list of one person's studies reads it once


@dataclass(frozen=True, slots=True)
class JudgeRetention:
    """Reads alone. It grows with the studies of the person, which are read each with its notices."""

    studies: Studies
    people: People
    encounters: Encounters
    exams: ExamLedger
    hospitals: Hospitals

    def __call__(self, ref: StudyRef, now: datetime) -> Judged | None:
        """None for a study that is not known, or not any more."""
        summary = self.studies.summary(ref)
        return None if summary is None else self.judge(summary, now)

    def judge(
        self, summary: Summary, now: datetime, told: frozenset[Visit] = frozenset(), known: Known | None = None
    ) -> Judged | None:
        """`told`: what somebody says of the person beside what is remembered. `known` is filled for the next call."""
        if summary.state == "destroyed":
            return None
        identities, is_settled = self._identities(summary)
        read = known if known is not None else {}
        of_each = [self._facts(one, now, read) for one in identities]
        person = PersonFacts(
            visits=told.union(*(facts.visits for facts in of_each)),
            exams=frozenset().union(*(facts.exams for facts in of_each)),
        )
        return Judged(period(self._study(summary, now), person), is_settled, summary.state != "conflicted")

    def _facts(self, identity: IdentityKey, now: datetime, known: Known) -> PersonFacts:
        if identity not in known:
            exams = frozenset(self._study(other, now) for other in self._of(identity))
            known[identity] = PersonFacts(self.encounters.visits_of(identity), exams)
        return known[identity]

    def _identities(self, summary: Summary) -> tuple[frozenset[IdentityKey], bool]:
        """All numbers of the person but those contested, and whether it is known that the study is theirs. A study
        without a patient's number is nobody's, and nobody will ever settle it."""
        if not summary.patient_id:
            return frozenset(), True
        own = IdentityKey(summary.issuer, summary.patient_id)
        link = self.people.link(own)
        if link is None or link.status != "confirmed":
            return frozenset({own}), False
        linked = self.people.links(link.person_id)
        return frozenset({own, *(one.identity for one in linked if one.status != "contested")}), True

    def _of(self, identity: IdentityKey) -> Iterator[Summary]:
        token = ""
        while True:
            page = self.studies.timeline(identity.issuer, identity.local_id, token, _PAGE)
            yield from page.items
            token = page.next_token
            if not token:
                return

    def _study(self, summary: Summary, now: datetime) -> StudyFacts:
        exams = exams_of(self.exams, summary.ref, summary.accession_number)
        classes = frozenset(exam.patient_class for exam in exams if exam.patient_class)
        return StudyFacts(summary.ref, classes or self._default(summary.ref.hospital_id), exam_day(summary, now))

    def _default(self, hospital_id: str) -> frozenset[str]:
        """Of an exam whose class nobody told: as its hospital is registered, which may have one kind of patients."""
        hospital = self.hospitals.get(hospital_id)
        return frozenset({hospital.default_class} if hospital and hospital.default_class else ())


def exam_day(summary: Summary, now: datetime) -> date:
    """The exam's end, else the study's date unless it lies after the receipt, else the receipt; today where there is
    none of them, so that nothing begins to run."""
    received = local_day(summary.last_received_at) if summary.last_received_at else local_day(now)
    if summary.exam_ended_at:
        return local_day(summary.exam_ended_at)
    digits = normal_date(summary.study_date.replace(".", "-"))
    try:
        return min(date.fromisoformat(digits), received)
    except ValueError:
        return received
