from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.compliance import figures
from chalicelib.domain.exam import Exam
from chalicelib.domain.hospital_day import DayMark
from chalicelib.services.ledger_ports import DayFigures, OwedReports


@dataclass(frozen=True)
class KeepFigures:
    """What a day that is over comes to, kept so that no report ever reads its rows again; and its reports are owed.

    Called between the look at the rows and the clearing of the day's due, so that a crash repeats it. Whatever changes
    a row afterwards has the day looked at again (`LookAtDay`), and so comes here again.
    """

    figures: DayFigures
    reports: OwedReports

    def __call__(self, mark: DayMark, exams: Sequence[Exam], now: datetime) -> None:
        """Figures first: a report that is made in between is owed again."""
        if mark.closed:
            self.figures.put(mark.hospital_id, mark.day, figures(exams), mark.revision)
            self.reports.owe(mark.day, f"{mark.hospital_id}#{mark.revision}#{now.isoformat()}")
