"""Flags: what regulator and hospital are told of a hospital's day, and what they answer.

raised → acknowledged (by either) → explained (by the hospital) → closed (by a regulator). One that was closed is raised
again when what is behind it changes; it is withdrawn when facts take the last of that away. Which exams break which
rule stands in `domain.rule`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from chalicelib.domain.exam import Exam, Standing, canonical, written
from chalicelib.domain.rule import Finding

FlagState = Literal["raised", "acknowledged", "explained", "closed", "withdrawn"]
OPEN: frozenset[FlagState] = frozenset({"raised", "acknowledged", "explained"})
Verdict = Literal["accepted", "upheld", "ours"]
VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    "accepted": ("说明成立，不计违规", "the explanation is accepted"),
    "upheld": ("违规成立", "the breach stands"),
    "ours": ("平台原因，非医院责任", "the platform's fault, not the hospital's"),
}
LISTED = 500  # exams that a flag names itself; how many there are in all it always says, and a list gives the rest


@dataclass(frozen=True, slots=True, order=True)
class FlaggedExam:
    """An exam behind a flag, named as the hospital can find it."""

    accession: str
    use: int
    standing: Standing
    due_at: datetime | None
    completed_at: datetime | None

    @classmethod
    def of(cls, exam: Exam) -> FlaggedExam:
        return cls(exam.key.accession, exam.use, exam.standing, exam.due_at, exam.completed_at)


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind a flag: the rule's figures, the first exams in order, how many there are in all, and a digest of
    all, by which any change is seen. Where there are no exams the digest is of the figures."""

    figures: tuple[tuple[str, int], ...] = ()
    exams: tuple[FlaggedExam, ...] = ()
    total: int = 0
    digest: str = ""

    @classmethod
    def of(cls, finding: Finding) -> Behind:
        exams = sorted(map(FlaggedExam.of, finding.behind))
        return cls(finding.figures, tuple(exams[:LISTED]), len(exams), _digest(exams, finding.figures))


def _digest(exams: Iterable[FlaggedExam], figures: tuple[tuple[str, int], ...]) -> str:
    named = [[e.accession, e.use, e.standing, written(e.due_at), written(e.completed_at)] for e in exams]
    return hashlib.sha256(canonical({"behind": named or figures})).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that became of a flag. `by` and `role` are empty where the facts did it. `text` is what a person said
    of it, `verdict` a regulator's when closing."""

    at: datetime
    state: FlagState
    by: str = ""
    role: str = ""
    text: str = ""
    verdict: Verdict | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """One rule broken on one day.

    `steps` are those since it was raised last, one of each state: all there ever were are its history. `raises` and
    `published` count how often it was raised and how often that was told: a message is owed while they differ.
    `revision` orders the writes and is no part of equality.
    """

    hospital_id: str
    day: str
    rule: str
    state: FlagState
    behind: Behind
    raised_at: datetime
    steps: tuple[Step, ...] = ()
    raises: int = 1
    published: int = 0
    revision: int = field(default=0, compare=False)

    @property
    def place(self) -> tuple[str, str, str]:
        return (self.hospital_id, self.day, self.rule)

    @property
    def figures(self) -> dict[str, int]:
        return dict(self.behind.figures)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def owed(self) -> bool:
        """Whether a message is due for it."""
        return self.is_open and self.published < self.raises

    @property
    def version(self) -> str:
        """What somebody has seen who answers it: their answer holds for this, and not for what came since."""
        seen = {"state": self.state, "raises": self.raises, "figures": self.behind.figures, "of": self.behind.digest}
        return hashlib.sha256(canonical(seen)).hexdigest()[:16]


def assess(place: tuple[str, str, str], finding: Finding | None, held: Flag | None, now: datetime) -> Flag | None:
    """The flag as it must stand for (hospital, day, rule); None: it was never raised."""
    if finding is None:
        return held and (held if held.state == "withdrawn" else replace(held, state="withdrawn", behind=Behind()))
    behind = Behind.of(finding)
    if held is None:
        return Flag(*place, "raised", behind, now)
    told = replace(held, behind=behind)
    if held.state == "withdrawn" or (held.state == "closed" and held.behind.digest != behind.digest):
        return replace(told, state="raised", raised_at=now, steps=(), raises=held.raises + 1)
    return told


Act = Literal["acknowledge", "explain", "close"]


@dataclass(frozen=True, slots=True)
class Acting:
    """What an act makes of a flag, and whose it is."""

    state: FlagState
    roles: frozenset[str]
    after: frozenset[FlagState]


# A hospital may add to its explanation until the flag is closed, and need not have acknowledged it first. A regulator
# need not wait for an explanation that never comes.
ACTS: Mapping[Act, Acting] = {
    "acknowledge": Acting("acknowledged", frozenset({"hospital", "regulator"}), frozenset({"raised"})),
    "explain": Acting("explained", frozenset({"hospital"}), OPEN),
    "close": Acting("closed", frozenset({"regulator"}), OPEN),
}


class FlagNotSo(Exception):  # noqa: N818 - named by the fact
    """The flag is not in a state for this, or not as it was when it was looked at. `state` is how it is."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


def answered(flag: Flag, act: Act, step: Step, version: str) -> Flag:
    """The flag after a person's step. Raises FlagNotSo."""
    acting = ACTS[act]
    if flag.state not in acting.after or flag.version != version or step.role not in acting.roles:
        raise FlagNotSo(flag.state)
    before = tuple(one for one in flag.steps if one.state != acting.state)
    return replace(flag, state=acting.state, steps=(*before, replace(step, state=acting.state)))
