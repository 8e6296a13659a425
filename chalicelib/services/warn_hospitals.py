from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.deadline import DEADLINE, overlaps
from chalicelib.domain.exam import Exam, ExamKey
from chalicelib.domain.warning import AHEAD, UNSWEPT, Told, message, told
from chalicelib.services.derive_exams import DeriveExams
from chalicelib.services.faults import note
from chalicelib.services.ledger_ports import SHARDS, ExamLedger, Excuses, Warnings
from chalicelib.services.ports import Topic


@dataclass(frozen=True)
class WarnHospitals:
    """Two hours before an exam is due that is not complete its hospital is told: one message for each hospital and
    run, with all that is new.

    What was told is kept by hospital, after the message: a crash between the two tells it again, nothing loses it, and
    without a fault each deadline is told once. What it reads follows what is about to be due.
    """

    ledger: ExamLedger
    excuses: Excuses
    derive: DeriveExams
    warnings: Warnings
    topic: Topic

    def __call__(self, now: datetime, keep_going: Callable[[], bool]) -> tuple[int, int]:
        """(messages sent, hospitals left for the next run by a fault)."""
        sent = faults = 0
        for hospital_id, soon in self._soon(now):
            if not keep_going():
                break
            try:
                sent += self._warn(hospital_id, soon, now)
            except Exception as fault:  # noqa: BLE001 - whatever it was, it must not keep the others from being warned
                note(fault)
                faults += 1
        return sent, faults

    def _soon(self, now: datetime) -> list[tuple[str, dict[Told, ExamKey]]]:
        """By hospital, beginning elsewhere every minute, so that none starves where runs end early."""
        found: dict[str, dict[Told, ExamKey]] = defaultdict(dict)
        for shard in range(SHARDS):
            for key, due_at in self.ledger.due_between(shard, now, now + AHEAD, now - UNSWEPT):
                found[key.hospital_id][told(key.accession, due_at)] = key
        hospitals = sorted(found)
        first = now.minute * len(hospitals) // 60
        return [(hospital_id, found[hospital_id]) for hospital_id in (*hospitals[first:], *hospitals[:first])]

    def _warn(self, hospital_id: str, soon: dict[Told, ExamKey], now: datetime) -> int:
        held = self.warnings.get(hospital_id)
        keys = sorted({key for name, key in soon.items() if name not in held.known})
        pending = [exam for key in keys for exam in self._pending(key, now)]
        new = {told(exam.key.accession, due_at): exam for exam in pending if (due_at := exam.due_at)}
        new = {name: exam for name, exam in new.items() if name not in held.known}
        if not new:
            return 0
        # Also those that are excused are kept, else every run would look at them again.
        excuses = self.excuses.overlapping(hospital_id, now - DEADLINE, now + AHEAD)
        excused = {name for name, exam in new.items() if overlaps(excuses, exam.ended_at, exam.due_at)}
        exams = [exam for name, exam in new.items() if name not in excused]
        if exams:
            self.topic.publish(f"due_soon {hospital_id}", message(hospital_id, exams))
        self.warnings.put(hospital_id, held.and_of(new, now, excused))
        return 1 if exams else 0

    def _pending(self, key: ExamKey, now: datetime) -> list[Exam]:
        """What the facts say now: the index may be behind."""
        exams = self.derive.pending(key)
        return [exam for exam in exams if exam.due_at and now < exam.due_at <= now + AHEAD]
