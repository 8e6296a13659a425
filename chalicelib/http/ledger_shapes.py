"""What leaves of the ledger, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from chalicelib.domain.exam import ExamState, Standing
from chalicelib.domain.flag import FlagState
from chalicelib.domain.outage import Scope
from chalicelib.http import json_types
from chalicelib.http.json_types import Instant
from chalicelib.http.shapes import instant
from chalicelib.http.told import Words
from chalicelib.services.read_compliance import exam_answer, flag_answer, step_answer

if TYPE_CHECKING:
    from chalicelib.domain.exam import Exam
    from chalicelib.domain.flag import Flag, FlaggedExam, Step
    from chalicelib.domain.outage import Outage
    from chalicelib.domain.page import Page
    from chalicelib.services.read_compliance import Day


class ExamRow(TypedDict):
    """An exam and how it stands. `standing` is the column of the report in which it counts; `declared`: how many images
    were told of, `received`: how many came; `worklist`: what a person at the hospital should look at."""

    accession_number: str
    use: int
    day: json_types.Day
    state: ExamState
    standing: Standing
    patient_id: str
    modality: str
    procedure: str
    study_instance_uids: Sequence[str]
    ended_at: Instant | None
    due_at: Instant | None
    completed_at: Instant | None
    declared: int | None
    received: int
    amended: bool
    worklist: Sequence[str]


class ExamRows(TypedDict):
    exams: Sequence[ExamRow]
    next_token: str


Worklist = TypedDict(
    "Worklist", {"from": json_types.Day, "to": json_types.Day, "exams": Sequence[ExamRow], "next_token": str}
)


class ExamBehind(TypedDict):
    """An exam that counts for a flag."""

    accession: str
    use: int
    standing: Standing
    due_at: Instant | None
    completed_at: Instant | None


class ExamsBehind(TypedDict):
    exams: Sequence[ExamBehind]
    next_token: str


class FlagStep(TypedDict):
    """What was said of a flag, and by whom. `meaning`: of the verdict."""

    at: Instant
    state: FlagState
    by: str
    role: str
    text: str
    verdict: str
    meaning: Words | None


class FlagSteps(TypedDict):
    """Oldest first."""

    steps: Sequence[FlagStep]
    next_token: str


class FlagTold(TypedDict):
    """`version` is what an answer to it must name; `exams` are the first of `exams_total`."""

    hospital_id: str
    day: json_types.Day
    rule: str
    meaning: Words | None
    state: FlagState
    version: str
    raised_at: Instant
    raises: int
    steps: Sequence[FlagStep]
    figures: Mapping[str, int]
    exams_total: int
    exams: Sequence[ExamBehind]


class Flags(TypedDict):
    flags: Sequence[FlagTold]
    next_token: str


class DayTold(TypedDict):
    """How many exams were due (on time, late, partial or missing) and what stands beside them. `rate`: the share on
    time, four decimals; delays from the exam's end to complete, in minutes; "" where there is none."""

    hospital_id: str
    name: str
    day: json_types.Day
    due: int
    on_time: int
    late: int
    partial: int
    missing: int
    excused: int
    cancelled: int
    scheduled: int
    pending: int
    imported: int
    rate: str
    delay_p50_minutes: int | Literal[""]
    delay_p90_minutes: int | Literal[""]
    delay_p99_minutes: int | Literal[""]
    flags: Sequence[FlagTold]


class Days(TypedDict):
    days: Sequence[DayTold]


class WithdrawnOutage(TypedDict):
    reason: str
    made_by: str
    made_at: Instant | None
    spread_at: Instant | None


OutageTold = TypedDict(
    "OutageTold",
    {
        "outage_id": str,
        "scope": Scope,
        "of": str,
        "from": Instant | None,
        "to": Instant | None,
        "reason": str,
        "made_by": str,
        "made_at": Instant | None,
        "hospitals": int,
        "spread_at": Instant | None,
        "withdrawn": WithdrawnOutage | None,
    },
)


class Outages(TypedDict):
    outages: Sequence[OutageTold]
    next_token: str


class AcceptedOutage(TypedDict):
    """`hospitals`: how many it touches. Those of a region, or all, have it within minutes: GET tells how many do."""

    outage_id: str
    hospitals: int


class Withdrawal(TypedDict):
    """`left`: the outage that counts in its place."""

    outage_id: str
    left: str | None


def exams(found: Page[Exam]) -> ExamRows:
    return {"exams": [exam(one) for one in found.items], "next_token": found.next_token}


def exams_behind(found: Page[FlaggedExam]) -> ExamsBehind:
    told = [cast(ExamBehind, exam_answer(one)) for one in found.items]
    return {"exams": told, "next_token": found.next_token}


def flag(found: Flag) -> FlagTold:
    return cast(FlagTold, flag_answer(found))


def flags(found: Page[Flag]) -> Flags:
    return {"flags": [flag(one) for one in found.items], "next_token": found.next_token}


def steps(found: Page[Step]) -> FlagSteps:
    return {"steps": [cast(FlagStep, step_answer(one)) for one in found.items], "next_token": found.next_token}


def exam(found: Exam) -> ExamRow:
    """A row of the ledger for its hospital."""
    return {
        "accession_number": found.key.accession,
        "use": found.use,
        "day": found.day,
        "state": found.state,
        "standing": found.standing,
        "patient_id": found.patient_id,
        "modality": found.modality,
        "procedure": found.procedure,
        "study_instance_uids": found.study_instance_uids,
        "ended_at": instant(found.ended_at),
        "due_at": instant(found.due_at),
        "completed_at": instant(found.completed_at),
        "declared": found.declared,
        "received": found.received,
        "amended": found.amended,
        "worklist": found.worklist,
    }


def days(found: Sequence[Day], *, named: bool) -> Days:
    """Not `named`: the flags do not name their exams here, only how many there are."""
    answers: list[dict[str, Any]] = [day.answer() for day in found]
    if not named:
        for told in (told for answer in answers for told in answer["flags"]):
            told["exams"] = []
    return {"days": [cast(DayTold, answer) for answer in answers]}


def outage(accepted: Outage, withdrawal: Outage | None) -> OutageTold:
    return {
        "outage_id": accepted.outage_id,
        "scope": accepted.scope,
        "of": accepted.of,
        "from": instant(accepted.from_at),
        "to": instant(accepted.to_at),
        "reason": accepted.reason,
        "made_by": accepted.made_by,
        "made_at": instant(accepted.made_at),
        "hospitals": accepted.hospitals,
        "spread_at": instant(accepted.spread_at),
        "withdrawn": _withdrawn(withdrawal) if withdrawal else None,
    }


def _withdrawn(withdrawal: Outage) -> WithdrawnOutage:
    return {
        "reason": withdrawal.withdrawal,
        "made_by": withdrawal.made_by,
        "made_at": instant(withdrawal.made_at),
        "spread_at": instant(withdrawal.spread_at),
    }
