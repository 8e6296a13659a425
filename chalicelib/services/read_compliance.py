"""What regulator and hospital are shown: figures and flags of a day, as answers and as files. Rows are the only source,
so report, answer and ledger cannot differ."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chalicelib.domain.compliance import Figures, figures
from chalicelib.domain.compliance_report import measures
from chalicelib.domain.flag import VERDICTS, Flag, FlaggedExam, Step
from chalicelib.domain.rule import BY_NAME
from chalicelib.services.ledger_ports import ExamLedger, Flags
from chalicelib.services.ports import Hospitals

BOM = "\ufeff"  # without it Excel reads Chinese UTF-8 as GBK
MOST_DAYS = 92  # a quarter of a large hospital: some 250,000 rows, read in ten seconds


class TooManyDays(ValueError):  # noqa: N818 - named by the fact
    """More days than one answer holds, or an end before the beginning."""


@dataclass(frozen=True, slots=True)
class Day:
    """One hospital's day."""

    hospital_id: str
    name: str
    day: str
    figures: Figures
    flags: tuple[Flag, ...]

    def row(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"hospital_id": self.hospital_id, "name": self.name, "day": self.day} | measures(self.figures)

    def answer(self) -> dict[str, Any]:
        """JSON-ready: the row, and each flag with the exams behind it."""
        return self.row() | {"flags": [flag_answer(flag) for flag in self.flags]}


@dataclass(frozen=True)
class ReadCompliance:
    """A hospital's days from its rows and flags."""

    ledger: ExamLedger
    flags: Flags
    hospitals: Hospitals

    def __call__(self, hospital_id: str, first: date, last: date) -> tuple[Day, ...]:
        """Both ends included. Raises TooManyDays."""
        days = (last - first).days + 1
        if not 1 <= days <= MOST_DAYS:
            raise TooManyDays(f"1 to {MOST_DAYS} days")
        hospital = self.hospitals.get(hospital_id)
        return self.named(hospital_id, hospital.name if hospital else "", first, days)

    def named(self, hospital_id: str, name: str, first: date, days: int) -> tuple[Day, ...]:
        """Of a hospital whose name is known: a query for the flags, and one for each day."""
        names = [(first + timedelta(days=number)).isoformat() for number in range(days)]
        flags = self.flags.of_hospital(hospital_id, names[0], names[-1])
        return tuple(
            Day(
                hospital_id,
                name,
                day,
                figures(self.ledger.of_day(hospital_id, day)),
                tuple(flag for flag in flags if flag.day == day),
            )
            for day in names
        )


def flag_answer(flag: Flag) -> dict[str, Any]:
    """JSON-ready, the same in API and report. `exams` are the first of `exams_total`; the rest is in a list."""
    rule = BY_NAME.get(flag.rule)
    return {
        "hospital_id": flag.hospital_id,
        "day": flag.day,
        "rule": flag.rule,
        "meaning": {"zh": rule.zh, "en": rule.en} if rule else None,
        "state": flag.state,
        "version": flag.version,
        "raised_at": flag.raised_at.isoformat(),
        "raises": flag.raises,
        "steps": [step_answer(step) for step in flag.steps],
        "figures": flag.figures,
        "exams_total": flag.behind.total,
        "exams": [exam_answer(exam) for exam in flag.behind.exams],
    }


def step_answer(step: Step) -> dict[str, Any]:
    verdict = VERDICTS[step.verdict] if step.verdict else None
    return {
        "at": step.at.isoformat(),
        "state": step.state,
        "by": step.by,
        "role": step.role,
        "text": step.text,
        "verdict": step.verdict,
        "meaning": {"zh": verdict[0], "en": verdict[1]} if verdict else None,
    }


def exam_answer(exam: FlaggedExam) -> dict[str, Any]:
    return {
        "accession": exam.accession,
        "use": exam.use,
        "standing": exam.standing,
        "due_at": exam.due_at.isoformat() if exam.due_at else None,
        "completed_at": exam.completed_at.isoformat() if exam.completed_at else None,
    }


def csv_bytes(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """RFC 4180 with a byte order mark. A text that a spreadsheet would run as a formula is led by an apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _harmless(row[name]) for name in columns} for row in rows)
    return (BOM + text.getvalue()).encode()


def json_bytes(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
