"""Disposal of records whose time is over: what a hospital proposes, who approves, what may stand against it.

The law sets how long a record is kept at least (`domain.retention`) and demands nothing afterwards, so each doubt
keeps. A proposal is judged when it is made, at each approval and once more before each study is destroyed. Two people
approve it who did not make it: the hospital's privacy officer, and the health commission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal

from chalicelib.domain.retention import Rule
from chalicelib.domain.study import StudyRef

MOST: Final = 200  # studies in one proposal
LIFE: Final = timedelta(days=30)  # a proposal whose execution has not begun by then has lapsed

Approver = Literal["privacy_officer", "regulator"]
APPROVERS: Final[tuple[Approver, ...]] = ("privacy_officer", "regulator")

# Why a study is not destroyed. `not_over` alone names a day; the others end when what they name ends.
Why = Literal[
    "unknown_study",
    "destroyed",
    "held",
    "identity_unsettled",
    "several_patients",
    "stay_open",
    "discharge_unknown",
    "not_over",
]
Because = Why | Literal[""]  # "": nothing stands against it


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing that it is over may be destroyed until it is lifted: a dispute, a complaint, a court. Over one study, or
    over a hospital's number of a patient (one of both is "")."""

    hold_id: str
    hospital_id: str
    study_instance_uid: str
    patient_id: str
    reason: str
    placed_by: str
    placed_as: Approver
    placed_at: datetime
    lifted_by: str = ""
    lifted_reason: str = ""
    lifted_at: datetime | None = None

    def holds(self, ref: StudyRef, patient_id: str) -> bool:
        if self.lifted_at is not None or ref.hospital_id != self.hospital_id:
            return False
        return ref.study_instance_uid == self.study_instance_uid or bool(patient_id and patient_id == self.patient_id)

    def may_lift(self, role: str) -> bool:
        """A hospital does not lift what the commission has placed."""
        return role in ("regulator", self.placed_as)


@dataclass(frozen=True, slots=True)
class Stated:
    """What the hospital's own books say of a study's patient: days in the province. They only ever add to what the
    cloud knows; a stated discharge counts as one."""

    study_instance_uid: str
    last_visit: date
    last_discharge: date | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a study may be destroyed (`why` is ""), by which rule and since what day; `keep_through` is the last day
    on which it must be kept, None where no day ends it."""

    study_instance_uid: str
    why: Because
    keep_through: date | None = None
    rule: Rule = "unknown"
    exam_day: date | None = None
    modalities: tuple[str, ...] = ()
    instances: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One study of a proposal: what was stated, and how it was judged last."""

    stated: Stated
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Act:
    """Who did something, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one study: destroyed with so many object versions and bytes, or spared and why. `kept` counts
    objects that stay because a surviving study lies in them too, by kind."""

    study_instance_uid: str
    at: datetime
    why: Because = ""
    versions: int = 0
    size: int = 0
    kept: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_destroyed(self) -> bool:
        return not self.why


State = Literal["proposed", "approved", "refused", "lapsed", "executing", "executed"]
CLOSED: Final = frozenset({"refused", "lapsed", "executed"})


@dataclass(frozen=True, slots=True)
class Disposal:
    """A hospital's proposal and all that became of it. `items` are those that were not refused at once; `revision`
    guards its writing and is no part of equality."""

    disposal_id: str
    hospital_id: str
    proposed: Act
    items: tuple[Item, ...]
    officer: Act | None = None
    regulator: Act | None = None
    refused: Act | None = None
    refusal: str = ""
    begun_at: datetime | None = None
    outcomes: tuple[Outcome, ...] = ()
    executed_at: datetime | None = None
    certificate: str = ""
    revision: int = field(default=0, compare=False)

    @property
    def lapses_at(self) -> datetime:
        return self.proposed.at + LIFE

    def state(self, now: datetime) -> State:
        """Once begun it is finished whatever the date: half a destruction is none that anybody approved."""
        if self.executed_at is not None:
            return "executed"
        if self.begun_at is not None:
            return "executing"
        if self.refused is not None:
            return "refused"
        if now >= self.lapses_at:
            return "lapsed"
        return "approved" if self.officer and self.regulator else "proposed"

    def left(self) -> tuple[Item, ...]:
        """What execution has still to look at."""
        done = {outcome.study_instance_uid for outcome in self.outcomes}
        return tuple(item for item in self.items if item.stated.study_instance_uid not in done)


Barred = Literal["own_part", "closed"]


def barred(disposal: Disposal, role: Approver, subject: str, now: datetime) -> Barred | Literal[""]:
    """Why somebody may not approve or refuse: nobody decides on what they proposed, nor twice in two roles."""
    other = disposal.regulator if role == "privacy_officer" else disposal.officer
    if subject == disposal.proposed.by or (other is not None and other.by == subject):
        return "own_part"
    return "closed" if disposal.state(now) not in ("proposed", "approved") else ""


def approved(disposal: Disposal, role: Approver, act: Act) -> Disposal:
    """The first approval of a role stands."""
    if role == "privacy_officer":
        return disposal if disposal.officer else replace(disposal, officer=act)
    return disposal if disposal.regulator else replace(disposal, regulator=act)


def judged_again(disposal: Disposal, verdicts: Mapping[str, Verdict], by: Act) -> Disposal:
    """What may not be destroyed any more leaves the proposal, which ends when nothing is left of it."""
    kept = tuple(
        replace(item, verdict=verdict)
        for item in disposal.items
        if not (verdict := verdicts[item.stated.study_instance_uid]).why
    )
    if kept:
        return replace(disposal, items=kept)
    return replace(disposal, refused=by, refusal="nothing_left")
