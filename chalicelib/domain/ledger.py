"""From facts to rows: the exams of one accession number, and when they must be looked at again (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TypeVar

from chalicelib.domain.arrivals import Arrivals
from chalicelib.domain.deadline import DEADLINE, Case, completed, ended, imported, overlaps, stand, status
from chalicelib.domain.exam import BREACHES, Exam, ExamKey, Excuse, Facts, NoticeFact, Report, Standing
from chalicelib.domain.signposts import belonging
from chalicelib.domain.uses import NEAR, Use, uses

Value = TypeVar("Value")


def derive(key: ExamKey, facts: Facts, excuses: Iterable[Excuse], zone: tzinfo) -> tuple[Exam, ...]:
    """The exams that these facts speak of: a pure function of the set of them. There is no clock in it: what the time
    that has passed means is a fact too (`judged_until`). `zone` is the hospital's, for the local date."""
    here = belonging(key.accession, facts)
    found = uses(here.facts, here.moved)
    scene = _Scene(key, facts.judged_until, tuple(excuses), zone)
    return tuple(_exam(scene, number, use, _worklist(use, found)) for number, use in enumerate(found, start=1))


@dataclass(frozen=True, slots=True)
class _Scene:
    key: ExamKey
    judged_until: datetime | None
    excuses: tuple[Excuse, ...]
    zone: tzinfo


def _exam(scene: _Scene, number: int, use: Use, worklist: tuple[str, ...]) -> Exam:
    received = sum((study.received for study in use.studies), Arrivals())
    declared = _last(use.notices, "declared_instances", int)
    completed_at = completed(received, declared)
    ended_at, source = ended(use.notices, use.studies, received, completed_at)
    old = imported(use.notices, use.studies, received)
    due_at = ended_at + DEADLINE if ended_at and not old else None
    excused = overlaps(scene.excuses, ended_at, due_at)
    state, standing = stand(
        Case(status(use.notices), received.total, completed_at, due_at, scene.judged_until, excused, old)
    )
    scheduled_at = _last(use.notices, "scheduled_at", datetime)
    placed_at = received.nth(1) if old else ended_at
    if standing in ("scheduled", "cancelled"):
        placed_at = scheduled_at or ended_at
    return Exam(
        key=scene.key,
        use=number,
        day=(placed_at or use.first_at).astimezone(scene.zone).date().isoformat(),
        state=state,
        standing=standing,
        patient_id=use.patient_id,
        patient_class=_last(use.notices, "patient_class", str) or "",
        modality=_last(use.notices, "modality", str) or next((s.modality for s in use.studies if s.modality), ""),
        procedure=_last(use.notices, "procedure", str) or "",
        study_instance_uids=tuple(study.study_instance_uid for study in use.studies),
        notified=bool(use.notices),
        scheduled_at=scheduled_at,
        ended_at=ended_at,
        end_source=source if ended_at else "",
        due_at=due_at,
        declared=declared,
        received=received.total,
        first_received_at=received.nth(1),
        completed_at=completed_at,
        amended=completed_at is not None and received.total > received.until(completed_at),
        worklist=worklist,
        reports=_reports(use.notices),
    )


def _last(notices: Sequence[NoticeFact], name: str, kind: type[Value]) -> Value | None:
    """The last told value of one attribute: a later notice that leaves it out does not take it back."""
    values = (getattr(notice, name) for notice in reversed(notices))
    return next((value for value in values if isinstance(value, kind) and value), None)


def _reports(notices: Sequence[NoticeFact]) -> tuple[Report, ...]:
    """Newest first."""
    return tuple({n.report.digest: n.report for n in reversed(notices) if n.report}.values())


def _worklist(use: Use, found: Sequence[Use]) -> tuple[str, ...]:
    """What a person at the hospital should look at: images of a cancelled order, a notice that left for another
    accession number, and images that no notice fits while one under the same accession number waits for images."""
    reasons = {"notice_moved"} if use.moved else set()
    if use.studies and status(use.notices) == "cancelled":
        reasons.add("images_of_cancelled_order")
    if use.studies and not use.notices:
        for other in found:
            if other.studies or status(other.notices) != "performed":
                continue
            if other.patient_id == use.patient_id:
                reasons.add("dates_differ")
            elif other.first_at - NEAR <= use.last_at and use.first_at <= other.last_at + NEAR:
                reasons.add("patient_differs")
    return tuple(sorted(reasons))


@dataclass(frozen=True, slots=True)
class Breach:
    """An exam that did not make its deadline: all that a flag tells of it, so that a flag never stays behind."""

    day: str
    use: int
    standing: Standing
    due_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Docket:
    """What one accession number has in the ledger, and when it must be looked at.

    `rows` are all rows there may be: (day, use). `swept` are the breaches that the flags already tell of. `due_at` is
    the earliest instant that needs a sweep, None when nothing does. `waiting` are the dues of all its pending exams:
    of each the hospital is warned. `revision` orders the writes and is no part of equality.
    """

    rows: tuple[tuple[str, int], ...] = ()
    swept: tuple[Breach, ...] = ()
    due_at: datetime | None = None
    fact_count: int = 0
    waiting: tuple[datetime, ...] = ()
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Collection:
    """All of one accession number. The docket was read no later than the facts."""

    facts: Facts
    docket: Docket


@dataclass(frozen=True, slots=True)
class Move:
    """Rows that are put and rows that vanish, with the docket that says so."""

    docket: Docket
    exams: tuple[Exam, ...]
    gone: tuple[tuple[str, int], ...]


def breaches(exams: Iterable[Exam]) -> tuple[Breach, ...]:
    return tuple(
        Breach(exam.day, exam.use, exam.standing, exam.due_at, exam.completed_at)
        for exam in sorted(exams, key=lambda exam: (exam.day, exam.use))
        if exam.standing in BREACHES and exam.due_at
    )


def docket(exams: Sequence[Exam], swept: Sequence[Breach], facts: Facts) -> Docket:
    """A sweep is needed at the due of an exam that is not settled, and at once where the breaches are not those that
    the flags tell of: also when one has vanished, by a late notice or an excuse."""
    waiting = tuple(sorted({exam.due_at for exam in exams if exam.standing == "pending" and exam.due_at}))
    untold = [breach.due_at for breach in set(breaches(exams)) ^ set(swept)]
    rows = tuple(sorted((exam.day, exam.use) for exam in exams))
    return Docket(rows, tuple(swept), min((*waiting, *untold), default=None), facts.count, waiting)


def judged(exams: Iterable[Exam], horizon: datetime) -> datetime | None:
    """The last due, not after `horizon`, of an exam that waits for a sweep. A due, not the horizon itself, so that it
    does not matter when the sweep ran."""
    dues = [exam.due_at for exam in exams if exam.standing == "pending" and exam.due_at and exam.due_at <= horizon]
    return max(dues, default=None)
