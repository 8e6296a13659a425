"""A ledger on any ports, and short words for what happens to it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.arrivals import Arrivals
from chalicelib.domain.exam import Excuse, NoticeFact, StudyFact
from chalicelib.domain.outage import Outage, OutageWithdrawn
from chalicelib.domain.rule import RULES
from chalicelib.domain.study import StudyRef
from chalicelib.services.accept_outage import AcceptOutage, ApplyOutages, WithdrawOutage
from chalicelib.services.derive_exams import DeriveExams
from chalicelib.services.find_figures import FindFigures
from chalicelib.services.keep_figures import KeepFigures
from chalicelib.services.look_at_day import LookAtDay, OpenDays
from chalicelib.services.raise_flags import RaiseFlags
from chalicelib.services.report_compliance import MakeReports, ReportCompliance
from chalicelib.services.sweep_due import SweepDue
from chalicelib.services.warn_hospitals import WarnHospitals
from tests.support.fakes_days import FakeDays, FakeExcuses, FakeOutages, FakeWarnings
from tests.support.fakes_ledger import (
    FakeBacklog,
    FakeFigures,
    FakeFlags,
    FakeLedger,
    FakeOwedReports,
    FakeReports,
    FakeTopic,
    OneZone,
)

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)  # 12:00 in China
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
GRACE = timedelta(minutes=15)
DUE = NOON + 12 * HOUR
AFTER = DUE + GRACE
BEFORE = DUE + GRACE - MINUTE


def notice(status="performed", at=NOON, **given):
    """`at` is the exam's end (scheduled: its time), and when the notice was sent unless `sent_at` says otherwise."""
    given = {"accession_number": "A1", "patient_id": "P1", "sent_at": at} | given
    given = {"notice_id": f"n-{status}-{given['accession_number']}"} | given
    given = {"received_at": given["sent_at"]} | given
    when = {"performed": {"performed_at": at}, "scheduled": {"scheduled_at": at}, "cancelled": {}}[status]
    return NoticeFact(status=status, **when | given)


def study(*received, **given):
    """`received`: (instant, how many) or instants."""
    runs = [run if isinstance(run, tuple) else (run, 1) for run in received]
    arrivals = Arrivals.of(at for at, count in runs for _ in range(count))
    given = {"study_instance_uid": "1.2.3", "accession_number": "A1", "patient_id": "P1", "modality": "CT"} | given
    given = {"exam_ended_at": None, "exam_end_source": "none", "entry_count": arrivals.total, "amend_count": 0} | given
    return StudyFact(received=arrivals, **given)


def page(report):
    return f"<p>{report['name']}</p>"


@dataclass
class World:
    """One ledger. `gate` wraps every port, to crash or to interleave."""

    ledger: Any = field(default_factory=FakeLedger)
    excuses: Any = field(default_factory=FakeExcuses)
    flags: Any = field(default_factory=FakeFlags)
    topic: Any = field(default_factory=FakeTopic)
    backlog: Any = field(default_factory=FakeBacklog)
    hospitals: Any = field(default_factory=OneZone)
    days: Any = field(default_factory=FakeDays)
    outages: Any = field(default_factory=FakeOutages)
    warnings: Any = field(default_factory=FakeWarnings)
    figures: Any = field(default_factory=FakeFigures)
    owed: Any = field(default_factory=FakeOwedReports)
    reports: Any = field(default_factory=FakeReports)
    warned: Any = field(default_factory=FakeTopic)
    rules: Any = RULES

    def look(self, gate=lambda port: port):
        return LookAtDay(gate(self.days), gate(self.excuses), gate(self.hospitals))

    def derive(self, gate=lambda port: port):
        return DeriveExams(gate(self.ledger), gate(self.excuses), gate(self.hospitals), self.look(gate))

    def apply(self, gate=lambda port: port):
        ports = gate(self.outages), gate(self.excuses), gate(self.hospitals), gate(self.ledger)
        return ApplyOutages(*ports, self.derive(gate), self.look(gate), gate(self.warnings))

    def warn(self, gate=lambda port: port):
        ports = gate(self.ledger), gate(self.excuses)
        return WarnHospitals(*ports, self.derive(gate), gate(self.warnings), gate(self.warned))

    def keep(self, gate=lambda port: port):
        return KeepFigures(gate(self.figures), gate(self.owed))

    def making(self, gate=lambda port: port, workers=1):
        find = FindFigures(gate(self.figures), gate(self.ledger), self.look(gate))
        return MakeReports(find, gate(self.flags), gate(self.hospitals), gate(self.reports), page, workers)

    def report(self, day, now, gate=lambda port: port, keep_going=lambda: True, workers=1):
        return ReportCompliance(gate(self.owed), self.making(gate, workers))(day, now, keep_going)

    def flagging(self, gate=lambda port: port):
        ports = gate(self.ledger), gate(self.flags), self.look(gate), gate(self.topic)
        return RaiseFlags(*ports, self.keep(gate), self.rules)

    def sweeping(self, gate=lambda port: port):
        return SweepDue(
            ledger=gate(self.ledger),
            days=gate(self.days),
            open_days=OpenDays(gate(self.days), gate(self.hospitals)),
            outages=self.apply(gate),
            warn=self.warn(gate),
            derive=self.derive(gate),
            flags=self.flagging(gate),
            oldest_unprocessed=self.backlog,
            grace=GRACE,
        )

    def sweep(self, now, gate=lambda port: port, keep_going=lambda: True):
        return self.sweeping(gate)(now, keep_going)

    def tell(self, fact, hospital="H1", gate=lambda port: port):
        if isinstance(fact, NoticeFact):
            self.derive(gate).notice_recorded(hospital, fact)
        elif isinstance(fact, StudyFact):
            self.derive(gate).study_settled(StudyRef(hospital, fact.study_instance_uid), fact, NOON)
        else:
            told = fact.from_at, fact.to_at, fact.reason, fact.made_by, fact.made_at
            self._tell_outage(Outage("hospital", hospital, *told), withdrawn=fact.withdrawn, gate=gate)

    def _tell_outage(self, outage, *, withdrawn, gate):
        """What comes too late to count is refused."""
        if withdrawn:
            self.withdraw(outage, outage.made_at, gate=gate)
        else:
            with suppress(OutageWithdrawn):
                self.accept(outage)
        self.apply(gate)(outage.made_at, lambda: True)

    def accept(self, outage, gate=lambda port: port):
        return self.accepting(gate)(outage)

    def accepting(self, gate=lambda port: port):
        return AcceptOutage(gate(self.outages), gate(self.excuses), gate(self.hospitals))

    def withdraw(self, outage, at, left=None, gate=lambda port: port):
        """`left`: (from, to)."""
        withdraw = WithdrawOutage(self.accepting(gate), gate(self.outages), gate(self.excuses))
        rest = outage.shortened(*left, "regulator", at) if left else None
        withdraw(outage.withdrawn("误报 told by mistake", "regulator", at), rest)

    def excuse(self, from_at, to_at, hospital="H1"):
        fact = Excuse(hospital, from_at, to_at, "停电 power cut", "regulator", to_at)
        self.tell(fact, hospital)
        return fact

    def exams(self, day="2026-11-20", hospital="H1"):
        return list(self.ledger.of_day(hospital, day))

    def exam(self, day="2026-11-20", hospital="H1"):
        (only,) = self.exams(day, hospital)
        return only

    def flag(self, day="2026-11-20", hospital="H1", rule="missed_deadline"):
        return self.flags.get(hospital, day, rule)


def told(world, *facts, sweep=AFTER):
    for fact in facts:
        world.tell(fact)
    world.sweep(sweep)
    return world.exam()
