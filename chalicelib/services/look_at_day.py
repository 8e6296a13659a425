from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.domain.hospital_day import DEFAULT_ZONE, DayMark, over_at, starts_at, usual, weekdays_before, zone_of
from chalicelib.services.ledger_ports import Days, Excuses
from chalicelib.services.ports import Hospitals

TRIES = 20
DAY = timedelta(days=1)
CATCH_UP = 7  # days opened afterwards where no sweep ran


class DayContended(Exception):  # noqa: N818 - named by the fact
    """Others kept writing this day's mark. The trigger tries again."""


@dataclass(frozen=True)
class LookAtDay:
    """The mark of a hospital's day around a look at its rows: whoever looks closes it first and clears its due last,
    whoever changes a row does so first and then finds it closed, so that one of the two sees the other."""

    days: Days
    excuses: Excuses
    hospitals: Hospitals

    def begin(self, hospital_id: str, day: str, horizon: datetime) -> DayMark:
        """Before the rows are read: closed if the day is over. Once it was, it is looked at whole whatever the horizon,
        which goes back when our queues fall behind. Raises DayContended."""
        for _ in range(TRIES):
            mark = self.days.get(hospital_id, day) or DayMark(hospital_id, day)
            hospital = self.hospitals.get(hospital_id)
            if not mark.closed and horizon < over_at(day, zone_of(hospital)):
                return mark
            begins = starts_at(day, zone_of(hospital))
            excused = mark.watched and bool(self.excuses.overlapping(hospital_id, begins, begins + DAY))
            new = replace(mark, closed=True, excused=excused)
            if mark.watched and mark.usual is None:
                takes_part = hospital is not None and hospital.active
                new = replace(new, watched=takes_part, usual=self._usual(mark))
            if new == mark:
                return mark
            if self.days.put(new):
                return replace(new, revision=mark.revision + 1)
        raise DayContended

    def end(self, mark: DayMark, exams: int) -> None:
        """After all that follows from the rows is written. What was changed meanwhile is due again and stays so."""
        seen = replace(mark, exams=exams, due_at=None)
        if mark.closed and seen != mark:
            self.days.put(seen)

    def changed(self, hospital_id: str, days: Iterable[str]) -> None:
        """Rows of these days were written. Nearly always none is closed, and a look is cheaper than a write."""
        for day in sorted(set(days)):
            mark = self.days.get(hospital_id, day)
            if mark and mark.closed:
                self.days.touch(mark, over_at(day, zone_of(self.hospitals.get(hospital_id))))

    def _usual(self, mark: DayMark) -> int:
        before = weekdays_before(mark.day)
        hospital = self.hospitals.get(mark.hospital_id)
        known = self.days.between(mark.hospital_id, before[-1], before[0])
        return usual(mark.day, known, hospital.usual_on(date.fromisoformat(mark.day)) if hospital else 0)


@dataclass(frozen=True)
class OpenDays:
    """Once a day: every hospital that takes part gets a day that will be looked at when it is over, though nothing
    should come. Its cost follows the hospitals; a run that is cut short is done again by the next."""

    days: Days
    hospitals: Hospitals

    def __call__(self, now: datetime, keep_going: Callable[[], bool]) -> bool:
        """False: time is up."""
        today = now.astimezone(DEFAULT_ZONE).date()
        last = self.days.opened_until()
        first = max(date.fromisoformat(last) + DAY, today - CATCH_UP * DAY) if last else today
        for number in range((today - first).days + 1):
            if not self._open((first + number * DAY).isoformat(), keep_going):
                return False
        return True

    def _open(self, day: str, keep_going: Callable[[], bool]) -> bool:
        for hospital in self.hospitals.list():
            if not hospital.active:
                continue
            if not keep_going():
                return False
            due_at = over_at(day, zone_of(hospital))
            new = DayMark(hospital.hospital_id, day, due_at, watched=True)
            held = None if self.days.put(new) else self.days.get(hospital.hospital_id, day)
            if held is not None and not held.watched and not self.days.put(replace(held, watched=True, due_at=due_at)):
                return False
        self.days.put_opened_until(day)
        return True
