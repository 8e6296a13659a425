"""Two hours left: what a hospital is told of exams whose deadline comes (DESIGN §7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.domain.exam import Exam

AHEAD = timedelta(hours=2)
# A number's exams are found by the earliest due that no sweep has come to yet; one is warned of before it is judged.
UNSWEPT = timedelta(hours=2)
LISTED = 100  # exams that a message names; a message of SNS holds 256 KB

Told = tuple[datetime, str]


def told(accession: str, due_at: datetime) -> Told:
    """What is remembered of a warning: a deadline that moves is another."""
    return due_at, hashlib.sha256(accession.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Warned:
    """Of what a hospital was warned whose due has not passed, and of what not, as an outage `excused` it: until that is
    withdrawn there is no need to look again. `revision` is no part of equality."""

    told: frozenset[Told] = frozenset()
    excused: frozenset[Told] = frozenset()
    revision: int = field(default=0, compare=False)

    @property
    def known(self) -> frozenset[Told]:
        return self.told | self.excused

    def and_of(self, new: Iterable[Told], now: datetime, excused: Iterable[Told] = ()) -> Warned:
        """`new`: it was told of these, or they are among the `excused`."""
        excused = frozenset(excused)
        told = {one for one in (*self.told, *new) if one[0] > now and one not in excused}
        return Warned(
            frozenset(told), frozenset(one for one in (*self.excused, *excused) if one[0] > now), self.revision
        )

    @property
    def to_look_again(self) -> Warned:
        """An outage was withdrawn."""
        return Warned(self.told, revision=self.revision)


def message(hospital_id: str, exams: Sequence[Exam]) -> dict[str, object]:
    """Accession numbers, that the hospital can find the exams by; nothing of a patient."""
    first = sorted(exams, key=lambda exam: (exam.due_at, exam.key, exam.use))[:LISTED]
    zh = f"{len(exams)}例检查将在2小时内到达12小时上传时限，影像尚未收齐。"
    en = f"Within 2 hours the 12 hours are over for exams whose images are not complete: {len(exams)}."
    return {
        "event": "due_soon",
        "hospital_id": hospital_id,
        "count": len(exams),
        "listed": len(first),
        "exams": [
            {
                "accession": exam.key.accession,
                "due_at": exam.due_at.isoformat() if exam.due_at else None,
                "received": exam.received,
                "declared": exam.declared,
            }
            for exam in first
        ],
        "message": {"zh": zh, "en": en},
    }
