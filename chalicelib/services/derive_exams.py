"""Add a fact, read everything that is known beside it, derive the exams, write them (DESIGN §7).

Whoever adds last reads all. A derivation that saw fewer facts cannot undo one that saw more: every row is put under
`fact_count <= :n`, the docket under its revision. A crash anywhere is mended by doing all of it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from chalicelib.domain.exam import BREACHES, Exam, ExamKey, Excuse, Facts, NoticeFact, StudyFact
from chalicelib.domain.hospital_day import zone_of
from chalicelib.domain.identity import is_placeholder
from chalicelib.domain.ledger import Collection, Docket, Move, breaches, derive, docket, judged
from chalicelib.domain.signposts import guests, targets
from chalicelib.domain.study import StudyRef
from chalicelib.services.ledger_ports import MOVE_LIMIT, Derived, ExamLedger, Excuses
from chalicelib.services.look_at_day import LookAtDay
from chalicelib.services.ports import Hospitals

TRIES = 20


class LedgerContended(Exception):  # noqa: N818 - named by the fact
    """Others kept writing to this accession number. The trigger tries again."""


@dataclass(frozen=True)
class DeriveExams:
    """The only writer of dockets and rows."""

    ledger: ExamLedger
    excuses: Excuses
    hospitals: Hospitals
    look: LookAtDay

    def study_settled(self, ref: StudyRef, fact: StudyFact, now: datetime) -> None:  # noqa: ARG002 - the port's; see domain.ledger: there is no clock in a derivation
        """A study with an accession number is a signpost where its UID's facts are that have none: nearly always there
        are none."""
        key = ExamKey.of(ref.hospital_id, fact.accession_number, ref.study_instance_uid)
        by_uid = ExamKey(ref.hospital_id, ref.study_instance_uid)
        for place in sorted({key, by_uid}):
            self.ledger.put_study(place, fact)
        self.again(key)
        if by_uid == key:
            return
        facts = self.ledger.read(by_uid).facts
        if facts.notices or guests(by_uid.accession, facts):
            self.again(by_uid)

    def notice_recorded(self, hospital_id: str, fact: NoticeFact) -> None:
        """A notice is told wherever notices of its id and patient ever were, and where the studies are that they name:
        there it is a signpost (`domain.signposts`). Nearly always that is one place."""
        self.ledger.put_notice(_home(hospital_id, fact), fact)
        self.ledger.put_notice_id(hospital_id, fact)
        if not is_placeholder(fact.patient_id):  # under "0" the notices of a whole hospital would gather
            self.ledger.put_patient(_home(hospital_id, fact), fact.patient_id)
        alike = self.ledger.of_notice_id(hospital_id, fact)
        named = {ExamKey(hospital_id, one.study_instance_uid) for one in alike if one.study_instance_uid}
        for key in sorted({_home(hospital_id, one) for one in alike} | named):
            for one in alike:
                if _home(hospital_id, one) != key:
                    self.ledger.put_notice(key, one)
            self.again(key)

    def judge(self, key: ExamKey, horizon: datetime) -> Derived | None:
        """Judge what is due by `horizon`; None when nothing is (the index was behind)."""
        held = self.ledger.read(key)
        if held.docket.due_at is None or held.docket.due_at > horizon:
            return None
        exams, _ = self._exams(key, held.facts)
        due_at = judged(exams, horizon)
        if due_at is not None:
            self.ledger.put_judged(key, due_at)
        return self.again(key, held.docket.due_at)

    def pending(self, key: ExamKey) -> tuple[Exam, ...]:
        """Exams that wait for their images, as the facts say now."""
        exams, _ = self._exams(key, self.ledger.read(key).facts)
        return tuple(exam for exam in exams if exam.standing == "pending")

    def told(self, derived: Derived) -> bool:
        """The flags now tell of these breaches: clear the docket's due, or set the next. False when something was
        written since `derived`; then the due stands and the next sweep comes back."""
        held = derived.docket
        cleared = docket(derived.exams, breaches(derived.exams), Facts(count=held.fact_count))
        return self.ledger.put_docket(derived.key, replace(cleared, rows=held.rows, revision=held.revision))

    def again(self, key: ExamKey, due_at: datetime | None = None) -> Derived:
        """Derive and write from what is known now, and tell what belongs elsewhere. Raises LedgerContended."""
        derived, facts = self._derive(key, due_at)
        told = guests(key.accession, facts)
        for accession in sorted(targets(key.accession, facts)) if told else ():
            self._visit(ExamKey(key.hospital_id, accession), told)
        return derived

    def _visit(self, key: ExamKey, told: Sequence[NoticeFact | StudyFact]) -> None:
        """Derived in any case: whoever put the facts may have died before."""
        held = self.ledger.read(key).facts
        for fact in told:
            if isinstance(fact, StudyFact) and fact not in held.studies:
                self.ledger.put_study(key, fact)
            elif isinstance(fact, NoticeFact) and fact not in held.notices:
                self.ledger.put_notice(key, fact)
        self._derive(key)

    def _derive(self, key: ExamKey, due_at: datetime | None = None) -> tuple[Derived, Facts]:
        """The facts are those it was derived from.

        `due_at` is left standing, for callers whom nothing else calls again if they die before the last row: a sweep.
        """
        for _ in range(TRIES):
            held = self.ledger.read(key)
            exams, excuses = self._exams(key, held.facts)
            new = docket(exams, held.docket.swept, held.facts)
            dues = [at for at in (new.due_at, due_at) if at]
            new = replace(new, due_at=min(dues, default=None), revision=held.docket.revision)
            written = self._write(key, held, new, exams)
            if written is not None:
                self.look.changed(key.hospital_id, {day for day, _ in (*held.docket.rows, *new.rows)})
            # An excuse is no fact of this collection. Whoever adds one looks for rows afterwards; we look for excuses
            # after the rows: one of the two sees the other.
            if written is not None and self._excuses(key, exams, excuses) == excuses:
                return Derived(key, exams, written), held.facts
        raise LedgerContended

    def _exams(self, key: ExamKey, facts: Facts) -> tuple[Sequence[Exam], tuple[Excuse, ...]]:
        """(rows, excuses that were read for them). Excuses are read only where an exam missed its deadline."""
        zone: tzinfo = zone_of(self.hospitals.get(key.hospital_id))
        exams = derive(key, facts, (), zone)
        excuses = self._excuses(key, exams, ())
        return (derive(key, facts, excuses, zone) if excuses else exams), excuses

    def _excuses(self, key: ExamKey, exams: Sequence[Exam], read: tuple[Excuse, ...]) -> tuple[Excuse, ...]:
        """Those that touch the twelve hours of an exam that missed them (also of those that `read` excused)."""
        missed = [exam for exam in exams if exam.standing in BREACHES or (read and exam.standing == "excused")]
        spans = [(exam.ended_at, exam.due_at) for exam in missed if exam.ended_at and exam.due_at]
        if not spans:
            return ()
        return self.excuses.overlapping(key.hospital_id, min(spans)[0], max(due for _, due in spans))

    def _write(self, key: ExamKey, held: Collection, new: Docket, exams: Sequence[Exam]) -> Docket | None:
        """The docket as it stands after the write; None when another derivation was faster."""
        gone = tuple(sorted(set(held.docket.rows) - set(new.rows)))
        if gone and len(gone) + len(exams) <= MOVE_LIMIT:
            moved = self.ledger.move(key, Move(new, tuple(exams), gone))
            return replace(new, revision=new.revision + 1) if moved else None
        # Too many for a transaction: the docket then keeps naming rows that are buried.
        new = replace(new, rows=tuple(sorted({*new.rows, *gone})))
        if new != held.docket:  # first, so that no row ever stands which the docket does not name
            if not self.ledger.put_docket(key, new):
                return None
            new = replace(new, revision=new.revision + 1)
        for exam in exams:
            self.ledger.put_exam(exam, new.fact_count)
        for day, use in gone:
            self.ledger.bury(key, day, use, new.fact_count)
        return new


def _home(hospital_id: str, fact: NoticeFact) -> ExamKey:
    return ExamKey.of(hospital_id, fact.accession_number, fact.study_instance_uid)
