"""The twelve-hour ledger."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.adapters import compliance_reports, exam_ledger, excuses, flags, hospitals, outages
from chalicelib.wiring.environment import now, settings

if TYPE_CHECKING:
    from chalicelib.services import ledger_ports
    from chalicelib.services.accept_outage import AcceptOutage, WithdrawOutage
    from chalicelib.services.answer_flag import AnswerFlag
    from chalicelib.services.derive_exams import DeriveExams
    from chalicelib.services.list_exams import ListFlagged, ListWorklist
    from chalicelib.services.list_reports import ListReports
    from chalicelib.services.look_at_day import LookAtDay
    from chalicelib.services.read_compliance import ReadCompliance
    from chalicelib.services.report_compliance import ReportCompliance
    from chalicelib.services.show_report import ShowReport
    from chalicelib.services.sweep_due import SweepDue
    from chalicelib.store.days import DynamoDays, DynamoWarnings
    from chalicelib.store.figures import DynamoFigures, DynamoOwedReports
    from chalicelib.store.topics import SnsTopic


@cache
def days() -> DynamoDays:
    from chalicelib.store import clients
    from chalicelib.store.days import DynamoDays

    return DynamoDays(clients.dynamodb(), settings().main_table)


@cache
def day_figures() -> DynamoFigures:
    from chalicelib.store import clients
    from chalicelib.store.figures import DynamoFigures

    return DynamoFigures(clients.dynamodb(), settings().main_table)


@cache
def owed_reports() -> DynamoOwedReports:
    from chalicelib.store import clients
    from chalicelib.store.figures import DynamoOwedReports

    return DynamoOwedReports(clients.dynamodb(), settings().main_table)


@cache
def warnings() -> DynamoWarnings:
    from chalicelib.store import clients
    from chalicelib.store.days import DynamoWarnings

    return DynamoWarnings(clients.dynamodb(), settings().main_table)


@cache
def report_page() -> ledger_ports.ReportPage:
    from chalicelib.store.report_page import report_page

    return report_page


@cache
def _look_at_day() -> LookAtDay:
    from chalicelib.services.look_at_day import LookAtDay

    return LookAtDay(days(), excuses(), hospitals())


@cache
def derive_exams() -> DeriveExams:
    from chalicelib.services.derive_exams import DeriveExams

    return DeriveExams(exam_ledger(), excuses(), hospitals(), _look_at_day())


@cache
def sweep_due() -> SweepDue:
    from chalicelib.services.accept_outage import ApplyOutages
    from chalicelib.services.keep_figures import KeepFigures
    from chalicelib.services.look_at_day import OpenDays
    from chalicelib.services.raise_flags import RaiseFlags
    from chalicelib.services.sweep_due import SweepDue
    from chalicelib.services.warn_hospitals import WarnHospitals
    from chalicelib.store import clients
    from chalicelib.store.backlog import QueueBacklog

    ledger, derive, look = exam_ledger(), derive_exams(), _look_at_day()
    return SweepDue(
        ledger,
        days(),
        OpenDays(days(), hospitals()),
        ApplyOutages(outages(), excuses(), hospitals(), ledger, derive, look, warnings()),
        WarnHospitals(ledger, excuses(), derive, warnings(), _topic(settings().hospitals_topic_arn)),
        derive,
        RaiseFlags(
            ledger,
            flags(),
            look,
            _topic(settings().flags_topic_arn),
            KeepFigures(day_figures(), owed_reports()),
        ),
        QueueBacklog(clients.sqs(), clients.cloudwatch(), settings().backlog_queues, now),
        settings().sweep_grace,
    )


def _topic(arn: str) -> SnsTopic:
    from chalicelib.store import clients
    from chalicelib.store.topics import SnsTopic

    return SnsTopic(clients.sns(), arn)


@cache
def accept_outage() -> AcceptOutage:
    from chalicelib.services.accept_outage import AcceptOutage

    return AcceptOutage(outages(), excuses(), hospitals())


@cache
def withdraw_outage() -> WithdrawOutage:
    from chalicelib.services.accept_outage import WithdrawOutage

    return WithdrawOutage(accept_outage(), outages(), excuses())


@cache
def answer_flag() -> AnswerFlag:
    from chalicelib.services.answer_flag import AnswerFlag

    return AnswerFlag(flags())


@cache
def read_compliance() -> ReadCompliance:
    from chalicelib.services.read_compliance import ReadCompliance

    return ReadCompliance(exam_ledger(), flags(), hospitals())


@cache
def list_worklist() -> ListWorklist:
    from chalicelib.services.list_exams import ListWorklist

    return ListWorklist(exam_ledger())


@cache
def list_flagged() -> ListFlagged:
    from chalicelib.services.list_exams import ListFlagged

    return ListFlagged(exam_ledger())


@cache
def report_compliance() -> ReportCompliance:
    from chalicelib.services.find_figures import FindFigures
    from chalicelib.services.report_compliance import MakeReports, ReportCompliance

    find = FindFigures(day_figures(), exam_ledger(), _look_at_day())
    making = MakeReports(find, flags(), hospitals(), compliance_reports(), report_page())
    return ReportCompliance(owed_reports(), making)


@cache
def show_report() -> ShowReport:
    from chalicelib.services.show_report import ShowReport

    return ShowReport(compliance_reports(), report_page())


@cache
def list_reports() -> ListReports:
    from chalicelib.services.list_reports import ListReports

    return ListReports(compliance_reports())
