"""The hour before last is put under seal, and every hour before it that is not yet (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.seal import HOUR, START, Seal, hour_of, hours, seal
from chalicelib.services.audit_ports import AuditHours, SealArchive

# An event's hour is that of its request's beginning, and no function runs longer than 15 minutes: a whole hour after
# an hour has ended nothing can still be written into it, even by clocks some minutes apart.
SETTLED = 2 * HOUR
LOOK_BACK = timedelta(hours=48)  # how far before the first run the first events may lie
MOST = 48  # hours a run seals


class SealConflict(Exception):  # noqa: N818 - the fact
    """A different seal of this hour stands in the archive, or a file that is no file of ours. Nothing goes on from it:
    `python -m infra.verify_audit` names what differs."""


@dataclass(frozen=True, slots=True)
class SealedHours:
    """What a run did. `head`: the last seal's digest, worth noting elsewhere. `left`: hours that are due and not yet
    sealed."""

    hours: int
    events: int
    last: datetime | None
    head: str
    left: int


@dataclass(frozen=True)
class SealAudit:
    """Seals hour after hour, none left out, empty ones too. A run again or beside another one changes nothing: bytes
    follow from the table alone, and what was put first stands. Of an hour only the packed file is in memory. Raises
    SealConflict."""

    table: AuditHours
    archive: SealArchive

    def __call__(self, now: datetime, keep_going: Callable[[], bool]) -> SealedHours:
        due = hour_of(now) - SETTLED
        last, head = self.archive.latest(due) or (None, START)
        begin = last + HOUR if last else self._begin(due)
        done = events = 0
        for hour in hours(begin, min(due, begin + (MOST - 1) * HOUR)):
            if not keep_going():
                break
            made = self._seal(hour, head)
            last, head, done, events = hour, made.digest, done + 1, events + made.count
        left = (due - last) // HOUR if last else (due - begin) // HOUR + 1
        return SealedHours(done, events, last, head, left)

    def _begin(self, due: datetime) -> datetime:
        """The first hour with an event, for the very first run; the hour due where there is none."""
        return next((hour for hour in hours(due - LOOK_BACK, due) if self.table.holds_any(hour)), due)

    def _seal(self, hour: datetime, previous: str) -> Seal:
        """File first: a crash between the two leaves a file without a seal, which the next run seals as it stands."""
        lines = self.archive.put_file(hour, (record.line for record in self.table.in_order(hour)))
        made = seal(hour, lines, previous)
        stands = self.archive.put_seal(hour, made.to_json())
        if stands != made.to_json():
            raise SealConflict(made.hour)
        return made
