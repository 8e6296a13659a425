from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.domain.deadline import DEADLINE
from chalicelib.domain.exam import BREACHES, ExamKey, Excuse
from chalicelib.services.derive_exams import DeriveExams
from chalicelib.services.ledger_ports import ExamLedger, Excuses

LONGEST = timedelta(days=31)
REASON_LENGTH = 500
MARGIN = timedelta(days=1)  # a day's rows are by local date, at most 14 h from UTC


class BadExcuse(ValueError):  # noqa: N818 - named by the fact
    """`field` says what is wrong: from, to or reason."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True)
class ExcuseHospital:
    """A regulator accepts an outage: exams whose twelve hours it touches are excused where they missed them.

    First the fact, then the rows that stand already: a derivation that runs meanwhile sees the one or is seen by the
    other. Repeating it after a crash finishes it. Flags follow with the next sweep, which the changed rows call.
    """

    excuses: Excuses
    ledger: ExamLedger
    derive: DeriveExams

    def __call__(self, excuse: Excuse) -> int:
        """How many accession numbers were derived again. Raises BadExcuse."""
        _check(excuse)
        self.excuses.put(excuse)
        touched = self._touched(excuse)
        for key in sorted(touched):
            self.derive.again(key)
        return len(touched)

    def _touched(self, excuse: Excuse) -> frozenset[ExamKey]:
        return frozenset(
            exam.key
            for day in _days(excuse)
            for exam in self.ledger.of_day(excuse.hospital_id, day)
            if exam.standing in BREACHES
        )


def _days(excuse: Excuse) -> Iterator[str]:
    """The local dates on which an exam can have ended whose twelve hours touch the outage."""
    day = (excuse.from_at - DEADLINE - MARGIN).date()
    while day <= (excuse.to_at + MARGIN).date():
        yield day.isoformat()
        day += timedelta(days=1)


def _check(excuse: Excuse) -> None:
    if excuse.to_at <= excuse.from_at or excuse.to_at - excuse.from_at > LONGEST:
        raise BadExcuse("to")
    if excuse.from_at > excuse.made_at:
        raise BadExcuse("from")
    if not 0 < len(excuse.reason.strip()) <= REASON_LENGTH:
        raise BadExcuse("reason")
