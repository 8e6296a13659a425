from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.compliance import Figures, figures
from chalicelib.domain.hospital_day import over_at, zone_of
from chalicelib.domain.study import Hospital
from chalicelib.services.ledger_ports import DayFigures, ExamLedger
from chalicelib.services.look_at_day import LookAtDay
from chalicelib.services.sweep_due import CAP


@dataclass(frozen=True)
class FindFigures:
    """A hospital's days in figures: as they were kept, and from the rows where nobody has looked at the day yet (the
    sweep is behind, or the hospital takes no part)."""

    figures: DayFigures
    ledger: ExamLedger
    look: LookAtDay

    def __call__(self, hospital: Hospital, days: Sequence[str], now: datetime) -> Mapping[str, Figures]:
        """By day, all of them."""
        kept = self.figures.between(hospital.hospital_id, days[0], days[-1])
        return {day: kept[day] if day in kept else self._from_rows(hospital, day, now) for day in days}

    def _from_rows(self, hospital: Hospital, day: str, now: datetime) -> Figures:
        """Kept from then on where the day is over, and no sweep can be so far behind that it should look first."""
        horizon = now - CAP
        if horizon < over_at(day, zone_of(hospital)):
            return figures(self.ledger.of_day(hospital.hospital_id, day))
        mark = self.look.begin(hospital.hospital_id, day, horizon)
        found = figures(self.ledger.of_day(hospital.hospital_id, day))
        self.figures.put(hospital.hospital_id, day, found, mark.revision)
        return found
