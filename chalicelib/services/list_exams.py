"""Lists of exams, part by part: those behind a flag, and those that a person at the hospital should look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.domain.exam import Exam
from chalicelib.domain.flag import FlaggedExam
from chalicelib.domain.hints import hinted
from chalicelib.domain.page import Page, opaque, place
from chalicelib.domain.rule import Rule, is_behind
from chalicelib.services.ledger_ports import ExamLedger
from chalicelib.services.read_compliance import MOST_DAYS, TooManyDays

DAY = timedelta(days=1)
READ = 20_000  # rows, after which a part ends though it should be short: a few seconds


@dataclass(frozen=True)
class ListFlagged:
    """All exams of a day that count for a rule, from the rows: also those that a flag has no room to name."""

    ledger: ExamLedger

    def __call__(self, hospital_id: str, day: str, rule: Rule, token: str, limit: int) -> Page[FlaggedExam]:
        """`limit` rows are looked at; a part may be empty. ValueError: not a token of ours."""
        found = self.ledger.page_of_day(hospital_id, day, token, limit)
        exams = tuple(FlaggedExam.of(exam) for exam in found.items if is_behind(rule, exam))
        return Page(exams, found.next_token)


@dataclass(frozen=True)
class ListWorklist:
    """Exams that a person at the hospital should look at, of some days. `most` rows are read for one part."""

    ledger: ExamLedger
    most: int = READ

    def __call__(self, hospital_id: str, first: date, last: date, token: str, limit: int) -> Page[Exam]:
        """Both ends included; `limit` exams, or fewer. Raises TooManyDays. ValueError: not a token of ours."""
        if not 1 <= (last - first).days + 1 <= MOST_DAYS:
            raise TooManyDays(f"1 to {MOST_DAYS} days")
        day, after = _place(token, first, last)
        rows = [self._rows(hospital_id, day + DAY * step) for step in (-1, 0, 1)]
        found: list[Exam] = []
        read = sum(map(len, rows))
        while True:
            # A hint looks two hours around: at the neighbouring days, too.
            near = hinted(exam for part in rows for exam in part)
            own = [one for one in near if one.day == day.isoformat() and one.worklist and _order(one) > after]
            found += own
            if len(found) > limit:
                return Page(tuple(found[:limit]), _token(found[limit - 1]))
            if day >= last:
                return Page(tuple(found))
            day, after = day + DAY, ("", 0)
            if read >= self.most:
                return Page(tuple(found), opaque(f"{day.isoformat()}#0#"))
            rows = [*rows[1:], self._rows(hospital_id, day + DAY)]
            read += len(rows[-1])

    def _rows(self, hospital_id: str, day: date) -> Sequence[Exam]:
        return sorted(self.ledger.of_day(hospital_id, day.isoformat()), key=_order)


def _order(exam: Exam) -> tuple[str, int]:
    return exam.key.accession, exam.use


def _token(exam: Exam) -> str:
    return opaque(f"{exam.day}#{exam.use}#{exam.key.accession}")


def _place(token: str, first: date, last: date) -> tuple[date, tuple[str, int]]:
    """The day to go on with, and the last exam of it that was told."""
    if not token:
        return first, ("", 0)
    day, use, accession = place(token, 256).split("#", 2)
    begin = date.fromisoformat(day)
    if not first <= begin <= last:
        raise ValueError("not a continuation token")
    return begin, (accession, int(use))
