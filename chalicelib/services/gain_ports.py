"""What counting mutual recognition needs of the world (infra/RECOGNITION.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.domain.gains import Figures, Happening
from chalicelib.domain.recognition import Recognition
from chalicelib.domain.study import StudyRef


@dataclass(frozen=True, slots=True)
class DueDay:
    """A hospital's day with facts that its figures do not hold yet. `mark` says which was put last."""

    hospital_id: str
    day: str
    mark: str


@dataclass(frozen=True, slots=True)
class DueAlert:
    """A reminder that is to be taken up. `mark` says since when, and by what."""

    hospital_id: str
    alert_id: str
    mark: str


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What a receiving hospital's facts of a day came to, by source hospital, and when that was looked at."""

    of_source: Mapping[str, Figures]
    derived_at: datetime


class Recognitions(Protocol):
    """What doctors judged in a visit, and which studies they opened in it. Reads are strongly consistent."""

    def of_study(self, visit: tuple[str, str], study: StudyRef, doctor_id: str) -> tuple[Recognition, ...]:
        """What one doctor said in a visit (hospital, encounter) of one study, oldest first."""
        ...

    def put(self, recognition: Recognition) -> bool:
        """False: something stands under this revision."""
        ...

    def viewed(self, opened: Collection[tuple[tuple[str, str], StudyRef]], now: datetime) -> None:
        """That studies were opened in visits. Blind, kept for as long as reminders wait for it."""
        ...

    def judged(self, visit: tuple[str, str], doctor_id: str) -> frozenset[StudyRef]:
        """The studies of which this doctor said anything in a visit."""
        ...

    def opened(self, visit: tuple[str, str]) -> frozenset[StudyRef]:
        """The studies that were opened in a visit, or are recognised there now."""
        ...


class Gains(Protocol):
    """The facts of hospitals' days, and the figures that they were brought to."""

    def put(self, happening: Happening, now: datetime) -> None:
        """Grow-only: what stands under its key and revision stays. Its day is due then."""
        ...

    def put_all(self, happenings: Collection[Happening], now: datetime) -> None:
        """The same blindly, for such as say nothing else when they are told again; no key twice."""
        ...

    def of_day(self, hospital_id: str, day: str) -> tuple[Happening, ...]: ...

    def of_source(self, hospital_id: str, day: str) -> tuple[Happening, ...]:
        """Of all receiving hospitals, about exams that were made there. An index: eventually consistent."""
        ...

    def due(self, shard: int, until: datetime) -> Iterator[DueDay]:
        """An index: eventually consistent."""
        ...

    def put_figures(self, day: DueDay, of_source: Mapping[str, Figures], seen: int, now: datetime) -> None:
        """Unless what stands saw more facts."""
        ...

    def done(self, day: DueDay) -> None:
        """Due no more, if no fact was put since."""
        ...

    def figures(self, day: str, hospital_id: str = "") -> Mapping[str, DayFigures]:
        """By receiving hospital: of that one, or of all."""
        ...

    def counted_until(self) -> datetime | None:
        """The last hour of the audit whose views are facts."""
        ...

    def counted(self, hour: datetime) -> None: ...


class DueAlerts(Protocol):
    """Reminders that are new, were answered, or are old enough to be judged."""

    def due(self, shard: int, until: datetime) -> Iterator[DueAlert]:
        """An index: eventually consistent."""
        ...

    def due_again(self, alert: DueAlert, at: datetime | None) -> None:
        """At another time; None: never. Unless it was woken since it was read (`Alerts.wake`)."""
        ...
