from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.exam import BREACHES, Excuse, Standing
from chalicelib.domain.outage import BadExcuse, Outage, OutageWithdrawn, check, days
from chalicelib.domain.warning import Warned
from chalicelib.services.derive_exams import DeriveExams
from chalicelib.services.faults import note
from chalicelib.services.ledger_ports import ExamLedger, Excuses, Outages, Warnings
from chalicelib.services.look_at_day import LookAtDay
from chalicelib.services.ports import Hospitals

MOST = 5_000  # accession numbers that one run derives again, some two minutes: what else is due waits for it
EXCUSED: frozenset[Standing] = frozenset({"excused"})
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
        """How many hospitals it touches. Raises BadExcuse, and OutageWithdrawn."""
        check(outage)
        if self.outages.withdrawals([outage]):
            raise OutageWithdrawn
        touched = [outage.of] if outage.scope == "hospital" else outage.left(self.hospitals.list())
        if not touched:
            raise BadExcuse("region")
        if outage.scope == "hospital":
            self.excuses.put(outage.excuse(outage.of))
            outage = replace(outage, after=outage.of, hospitals=1, spread_at=outage.made_at)
        self.outages.put(outage)
        return len(touched)


@dataclass(frozen=True)
class WithdrawOutage:
    """A regulator takes an accepted outage back, or but a part of it is left: what it excused counts again.

    A fact beside the other: whichever comes first to a hospital, there the outage does not count, and it never will
    again. What is left is accepted before, so that no exam is held against a hospital between the two.
    """

    accept: AcceptOutage
    outages: Outages
    excuses: Excuses

    def __call__(self, withdrawal: Outage, left: Outage | None = None) -> None:
        """`withdrawal`: of `Outage.withdrawn`, as `left` of `Outage.shortened`. Raises as AcceptOutage does."""
        if left is not None:
            self.accept(left)
        if withdrawal.scope == "hospital":
            self.excuses.put(withdrawal.excuse(withdrawal.of))
            withdrawal = replace(withdrawal, after=withdrawal.of, hospitals=1, spread_at=withdrawal.made_at)
        self.outages.put(withdrawal)


@dataclass(frozen=True)
class ApplyOutages:
    """What follows from outages that were accepted or withdrawn, in two steps that any run goes on with: each hospital
    gets its excuse, which is due until the rows that stand already are derived again. The fact comes first: a
    derivation that runs meanwhile sees the one or is seen by the other. Flags follow with the sweep, which the changed
    rows call. Withdrawals come last: what is left of a shortened outage is everywhere before the whole of it goes."""

    outages: Outages
    excuses: Excuses
    hospitals: Hospitals
    ledger: ExamLedger
    derive: DeriveExams
    look: LookAtDay
    warnings: Warnings
    most: int = MOST

    def __call__(self, now: datetime, keep_going: Callable[[], bool]) -> tuple[int, int]:
        """(excuses applied, hospitals left for the next run by a fault)."""
        for outage in sorted(self.outages.due(), key=lambda outage: bool(outage.withdrawal)):
            if not self._spread(outage, now, keep_going):
                break
        applied = faults = 0
        keep_going = _at_most(self.most, keep_going)
        for excuse in sorted(self.excuses.due(), key=lambda excuse: excuse.withdrawn):
            if not keep_going():
                break
            try:
                applied += self._apply(excuse, keep_going)
            except Exception as fault:  # noqa: BLE001 - whatever it was, it must not keep it from the other hospitals
                note(fault)
                faults += 1
        return applied, faults

    def _spread(self, outage: Outage, now: datetime, keep_going: Callable[[], bool]) -> bool:
        """False: it is due still."""
        gone = not outage.withdrawal and self.outages.withdrawals([outage])
        left = [] if gone else outage.left(self.hospitals.list())
        for start in range(0, len(left), STRIDE):
            if not keep_going():
                return False
            stride = left[start : start + STRIDE]
            for hospital_id in stride:
                self.excuses.put(outage.excuse(hospital_id))
            come = replace(outage, after=stride[-1], hospitals=outage.hospitals + len(stride))
            if not self.outages.come(come):
                return False  # told again meanwhile
            outage = replace(come, revision=come.revision + 1)
        return self.outages.come(replace(outage, spread_at=now))

    def _apply(self, excuse: Excuse, keep_going: Callable[[], bool]) -> int:
        """0: time is up. What is done is seen by the rows, so the next run does the rest."""
        if excuse.withdrawn and not self.excuses.has(excuse):  # of a hospital that never had it
            self.excuses.applied(excuse)
            return 1
        concerned = EXCUSED if excuse.withdrawn else BREACHES
        for day in days(excuse):
            rows = self.ledger.of_day(excuse.hospital_id, day)
            for key in sorted({exam.key for exam in rows if exam.standing in concerned}):
                if not keep_going():
                    return 0
                self.derive.again(key)
        self.look.changed(excuse.hospital_id, days(excuse))
        if excuse.withdrawn and not self.warnings.put(*self._to_warn_again(excuse.hospital_id)):
            return 0
        self.excuses.applied(excuse)
        return 1

    def _to_warn_again(self, hospital_id: str) -> tuple[str, Warned]:
        return hospital_id, self.warnings.get(hospital_id).to_look_again


def _at_most(number: int, keep_going: Callable[[], bool]) -> Callable[[], bool]:
    """`keep_going`, but no more than so many times."""
    left = iter(range(number))
    return lambda: keep_going() and next(left, None) is not None
