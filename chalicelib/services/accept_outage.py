from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.exam import BREACHES, Excuse
from chalicelib.domain.outage import BadExcuse, Outage, check, days
from chalicelib.services.derive_exams import DeriveExams
from chalicelib.services.faults import note
from chalicelib.services.ledger_ports import ExamLedger, Excuses, Outages
from chalicelib.services.look_at_day import LookAtDay
from chalicelib.services.ports import Hospitals

MOST = 5_000  # accession numbers that one run derives again, some two minutes: what else is due waits for it
STRIDE = 100  # hospitals between two notes of how far an outage has come


@dataclass(frozen=True)
class AcceptOutage:
    """A regulator accepts an outage: exams whose twelve hours it touches are excused where they missed them.

    Of one hospital it counts at once; to the hospitals of a region, or to all, sweeps bring it. Telling it again
    changes nothing and finishes what a crash left.
    """

    outages: Outages
    excuses: Excuses
    hospitals: Hospitals

    def __call__(self, outage: Outage) -> int:
        """How many hospitals it touches. Raises BadExcuse."""
        check(outage)
        touched = [outage.of] if outage.scope == "hospital" else outage.left(self.hospitals.list())
        if not touched:
            raise BadExcuse("region")
        if outage.scope == "hospital":
            self.excuses.put(outage.excuse(outage.of))
            outage = replace(outage, after=outage.of, hospitals=1, spread_at=outage.made_at)
        self.outages.put(outage)
        return len(touched)


@dataclass(frozen=True)
class ApplyOutages:
    """What follows from accepted outages, in two steps that any run goes on with: each hospital gets its excuse, which
    is due until the rows that stand already are derived again. The fact comes first: a derivation that runs meanwhile
    sees the one or is seen by the other. Flags follow with the sweep, which the changed rows call."""

    outages: Outages
    excuses: Excuses
    hospitals: Hospitals
    ledger: ExamLedger
    derive: DeriveExams
    look: LookAtDay
    most: int = MOST

    def __call__(self, now: datetime, keep_going: Callable[[], bool]) -> tuple[int, int]:
        """(excuses applied, hospitals left for the next run by a fault)."""
        for outage in tuple(self.outages.due()):
            self._spread(outage, now, keep_going)
        applied = faults = 0
        keep_going = _at_most(self.most, keep_going)
        for excuse in tuple(self.excuses.due()):
            if not keep_going():
                break
            try:
                applied += self._apply(excuse, keep_going)
            except Exception as fault:  # noqa: BLE001 - whatever it was, it must not keep it from the other hospitals
                note(fault)
                faults += 1
        return applied, faults

    def _spread(self, outage: Outage, now: datetime, keep_going: Callable[[], bool]) -> None:
        left = outage.left(self.hospitals.list())
        for start in range(0, len(left), STRIDE):
            if not keep_going():
                return
            stride = left[start : start + STRIDE]
            for hospital_id in stride:
                self.excuses.put(outage.excuse(hospital_id))
            come = replace(outage, after=stride[-1], hospitals=outage.hospitals + len(stride))
            if not self.outages.come(come):
                return  # told again meanwhile: it is due still
            outage = replace(come, revision=come.revision + 1)
        self.outages.come(replace(outage, spread_at=now))

    def _apply(self, excuse: Excuse, keep_going: Callable[[], bool]) -> int:
        """0: time is up. What is done is seen by the rows, so the next run does the rest."""
        for day in days(excuse):
            rows = self.ledger.of_day(excuse.hospital_id, day)
            for key in sorted({exam.key for exam in rows if exam.standing in BREACHES}):
                if not keep_going():
                    return 0
                self.derive.again(key)
        self.look.changed(excuse.hospital_id, days(excuse))
        self.excuses.applied(excuse)
        return 1


def _at_most(number: int, keep_going: Callable[[], bool]) -> Callable[[], bool]:
    """`keep_going`, but no more than so many times."""
    left = iter(range(number))
    return lambda: keep_going() and next(left, None) is not None
