"""Flags: what a regulator is told of a hospital's day. Rules are a table; each flag names rule, figures and exams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from chalicelib.domain.exam import BREACHES, Exam, Standing

FlagState = Literal["open", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Raised when at least `at_least` exams of a hospital's day stand so."""

    name: str
    standings: frozenset[Standing]
    at_least: int


# DESIGN §7: 12 hours from the end of the exam. One exam is enough.
RULES = (Rule("missed_deadline", BREACHES, 1),)


@dataclass(frozen=True, slots=True, order=True)
class FlaggedExam:
    """An exam behind a flag, named as the hospital can find it."""

    accession: str
    use: int
    standing: Standing
    due_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Flag:
    """One rule broken on one day. Figures speak only of the exams behind it, so they never depend on when a sweep ran.

    `withdrawn`: a late notice, a cancellation or an excuse took the last exam from it; it stays on record. `raises` and
    `published` count how often it was raised and how often that was told: a message is owed while they differ.
    `revision` orders the writes and is no part of equality.
    """

    hospital_id: str
    day: str
    rule: str
    state: FlagState
    exams: tuple[FlaggedExam, ...]
    raised_at: datetime
    raises: int = 1
    published: int = 0
    revision: int = field(default=0, compare=False)

    @property
    def figures(self) -> dict[str, int]:
        """How many exams stand how."""
        return dict(sorted(Counter(exam.standing for exam in self.exams).items()))

    @property
    def owed(self) -> bool:
        """Whether a message is due for it."""
        return self.state == "open" and self.published < self.raises


def assess(rule: Rule, place: tuple[str, str], exams: Iterable[Exam], held: Flag | None, now: datetime) -> Flag | None:
    """The flag as it must stand for (hospital, day) given all exams of that day; None: it was never raised."""
    behind = tuple(
        sorted(
            FlaggedExam(exam.key.accession, exam.use, exam.standing, exam.due_at, exam.completed_at)
            for exam in exams
            if exam.standing in rule.standings
        )
    )
    broken = len(behind) >= rule.at_least
    if held is None:
        return Flag(*place, rule.name, "open", behind, now) if broken else None
    if not broken:
        return replace(held, state="withdrawn", exams=behind)
    if held.state == "withdrawn":
        return replace(held, state="open", exams=behind, raised_at=now, raises=held.raises + 1)
    return replace(held, exams=behind)
