"""The sweep: all of the ledger that must happen at a time (DESIGN §7). Its cost follows what is due, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.domain.exam import ExamKey
from chalicelib.domain.ledger import breaches
from chalicelib.services.accept_outage import ApplyOutages
from chalicelib.services.derive_exams import DeriveExams
from chalicelib.services.faults import note
from chalicelib.services.ledger_ports import SHARDS, Days, Derived, ExamLedger
from chalicelib.services.look_at_day import OpenDays
from chalicelib.services.ports import OldestUnprocessed
from chalicelib.services.raise_flags import RaiseFlags
from chalicelib.services.warn_hospitals import WarnHospitals

BATCH = 50  # accession numbers judged before their flags are raised and their dues cleared
PATIENCE = timedelta(minutes=30)  # with queues further behind, warnings would be of images that are here already
CAP = timedelta(hours=6)  # our backlog puts judgement off for no longer than this


@dataclass(frozen=True, slots=True)
class Swept:
    """What a run did. `held`: our queues could not be measured, so nothing was judged: raise the alarm.
    `due`: accession numbers that it came to. `days`: hospitals' days that were over. `excuses`: accepted outages whose
    exams were judged again. `warned`: hospitals told of what is due soon; `warnings_held`: no warnings, for our own
    queues are behind. `more`: time ran out, what is left is found by the next run. `faults`: what was left for the
    next run by a fault."""

    horizon: datetime | None
    due: int = 0
    judged: int = 0
    messages: int = 0
    faults: int = 0
    more: bool = False
    days: int = 0
    excuses: int = 0
    warned: int = 0
    warnings_held: bool = False

    @property
    def held(self) -> bool:
        return self.horizon is None


@dataclass(slots=True)
class _Run:
    horizon: datetime
    now: datetime
    keep_going: Callable[[], bool]
    due: int = 0
    judged: int = 0
    messages: int = 0
    faults: int = 0
    days: int = 0


@dataclass(frozen=True)
class SweepDue:
    """All that happens at a time: outages that were accepted, warnings, deadlines, days that are over. `grace` is how
    long an event may take from S3 into our queues."""

    ledger: ExamLedger
    days: Days
    open_days: OpenDays
    outages: ApplyOutages
    warn: WarnHospitals
    derive: DeriveExams
    flags: RaiseFlags
    oldest_unprocessed: OldestUnprocessed
    grace: timedelta

    def __call__(self, now: datetime, keep_going: Callable[[], bool]) -> Swept:
        """Judge what was due by now − max(age of the oldest unprocessed event, grace). What needs no judgement goes
        first, and is done also where our queues cannot be measured."""
        excuses, faults = self._guarded(lambda: self.outages(now, keep_going))
        opened, fault = self._guarded(lambda: (int(self.open_days(now, keep_going)), 0))
        faults += fault
        oldest = self.oldest_unprocessed()
        if oldest is None:
            return Swept(None, faults=faults, excuses=excuses, warnings_held=True)
        patient = oldest > PATIENCE
        warned, fault = (0, 0) if patient else self._guarded(lambda: self.warn(now, keep_going))
        run = _Run(now - min(max(oldest, self.grace), CAP), now, keep_going, faults=faults + fault)
        judged = all(self._batch(batch, run) for batch in self._due(run)) and self._days(run)
        more = not (judged and opened)
        return Swept(
            run.horizon, run.due, run.judged, run.messages, run.faults, more, run.days, excuses, warned, patient
        )

    @staticmethod
    def _guarded(part: Callable[[], tuple[int, int]]) -> tuple[int, int]:
        """(how many, faults)."""
        try:
            return part()
        except Exception as fault:  # noqa: BLE001 - whatever it was, it must not keep exams from being judged
            note(fault)
            return 0, 1

    def _due(self, run: _Run) -> Iterator[list[ExamKey]]:
        """In batches, shard by shard; beginning elsewhere every minute, so that none starves where runs end early."""
        for shard in range(SHARDS):
            due = self.ledger.due((shard + run.now.minute) % SHARDS, run.horizon)
            while batch := list(islice(due, BATCH)):
                yield batch

    def _batch(self, keys: Sequence[ExamKey], run: _Run) -> bool:
        """Rows first, then the flags of their days, then the dues: each step may be repeated. False: time is up."""
        run.due += len(keys)
        derived = [judged for key in keys if run.keep_going() and (judged := self._judge(key, run))]
        days = {judged.key: _days(judged) for judged in derived}
        kept = {place for place in sorted(set().union(*days.values())) if self._flag(place, run)}
        for judged in derived:
            if days[judged.key] <= kept:
                self.derive.told(judged)
                run.judged += 1
        return run.keep_going()

    def _days(self, run: _Run) -> bool:
        """Days that are over, once their last exams are judged. False: time is up."""
        for place in tuple(self.days.due(run.horizon)):
            if not run.keep_going():
                return False
            run.days += self._flag(place, run)
        return True

    def _judge(self, key: ExamKey, run: _Run) -> Derived | None:
        try:
            return self.derive.judge(key, run.horizon)
        except Exception as fault:  # noqa: BLE001 - whatever it was, it must not keep the others from being judged
            return self._left(fault, run)

    def _flag(self, place: tuple[str, str], run: _Run) -> bool:
        try:
            run.messages += self.flags(*place, run.now, run.horizon)
        except Exception as fault:  # noqa: BLE001 - as above; the dues of these exams stand, so the next run retries
            self._left(fault, run)
            return False
        return True

    @staticmethod
    def _left(fault: Exception, run: _Run) -> None:
        note(fault)
        run.faults += 1


def _days(derived: Derived) -> frozenset[tuple[str, str]]:
    """The (hospital, day) whose flags do not yet tell what these rows say."""
    untold = set(breaches(derived.exams)) ^ set(derived.docket.swept)
    return frozenset((derived.key.hospital_id, breach.day) for breach in untold)
