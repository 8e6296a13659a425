"""What a hospital's privacy officer looks at afterwards, and what follows from it for the doctor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from chalicelib.domain.access import Basis
from chalicelib.domain.consent import Doctor

ReviewKind = Literal["assisted", "break_glass", "pair"]
ReviewState = Literal["pending", "overdue", "justified", "not_justified", "void"]
Verdict = Literal["justified", "not_justified"]
EXCEPTIONAL: frozenset[Basis] = frozenset({"assisted", "break_glass"})  # not the person's own answer: reviewed
UNDECIDED: frozenset[ReviewState] = frozenset({"pending", "overdue"})


@dataclass(frozen=True, slots=True)
class Review:
    """One thing to look at. `review_id` is the consent's, or names the pair and month. `due_at`: when it is due, the
    doctor's right is suspended unless it was looked at; None where nothing follows. `count` is how often a pair met.
    `void`: the process died before there was anything to look at. `objected_at`: the patient says it was wrong.
    `lifted_at`: an officer gave the right back all the same."""

    review_id: str
    kind: ReviewKind
    hospital_id: str
    doctor_id: str
    opened_at: datetime
    due_at: datetime | None = None
    state: ReviewState = "pending"
    person_id: str = ""
    encounter_id: str = ""
    reason: str = ""
    text: str = field(default="", repr=False)
    witness: str = ""
    count: int = 0
    was_frozen: bool = False
    objected_at: datetime | None = None
    objection: str = field(default="", repr=False)
    reviewed_at: datetime | None = None
    reviewed_by: str = ""
    note: str = field(default="", repr=False)
    lifted_at: datetime | None = None
    lifted_by: str = ""
    revision: int = field(default=0, compare=False)

    def is_due(self, now: datetime) -> bool:
        return self.state == "pending" and self.due_at is not None and self.due_at <= now

    @property
    def waits_for_due(self) -> bool:
        """Whether it stands on the due index."""
        return self.state == "pending" and self.due_at is not None


def overdue(review: Review) -> Review:
    return replace(review, state="overdue")


def reviewed(review: Review, verdict: Verdict, by: str, note: str, now: datetime) -> Review:
    return replace(review, state=verdict, reviewed_at=now, reviewed_by=by, note=note)


def objected(review: Review, text: str, now: datetime) -> Review:
    """An objection opens a review again that found nothing wrong, once; the doctor's right depended on the first look
    alone, so nothing is due again."""
    if review.objected_at is not None:
        return review
    review = replace(review, objected_at=now, objection=text)
    return replace(review, state="pending", due_at=None) if review.state in ("justified", "void") else review


# The right to break the glass: an account lists the reviews that stand against it, and has the right while none does.


def stopped(doctor: Doctor, review_id: str) -> Doctor:
    return replace(doctor, break_glass_stops=tuple(sorted({*doctor.break_glass_stops, review_id})))


def cleared(doctor: Doctor, review_id: str) -> Doctor:
    return replace(doctor, break_glass_stops=tuple(one for one in doctor.break_glass_stops if one != review_id))


@dataclass(frozen=True, slots=True)
class Suspension:
    """A doctor of the hospital who may not break the glass, and the reviews it is for."""

    doctor_id: str
    name: str
    reviews: tuple[str, ...]
