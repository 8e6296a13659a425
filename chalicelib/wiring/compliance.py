"""The twelve-hour ledger."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.adapters import compliance_reports, exam_ledger, excuses, flags, hospitals
from chalicelib.wiring.environment import now, settings

if TYPE_CHECKING:
    from chalicelib.services.derive_exams import DeriveExams
    from chalicelib.services.excuse_hospital import ExcuseHospital
    from chalicelib.services.read_compliance import ListWorklist, ReadCompliance
    from chalicelib.services.report_compliance import ReportCompliance
    from chalicelib.services.sweep_due import SweepDue


@cache
def derive_exams() -> DeriveExams:
    from chalicelib.services.derive_exams import DeriveExams

    return DeriveExams(exam_ledger(), excuses(), hospitals())


@cache
def sweep_due() -> SweepDue:
    from chalicelib.services.raise_flags import RaiseFlags
    from chalicelib.services.sweep_due import SweepDue
    from chalicelib.store import clients
    from chalicelib.store.backlog import QueueBacklog
    from chalicelib.store.topics import SnsTopic

    raise_flags = RaiseFlags(exam_ledger(), flags(), SnsTopic(clients.sns(), settings().flags_topic_arn))
    backlog = QueueBacklog(clients.sqs(), clients.cloudwatch(), settings().backlog_queues, now)
    return SweepDue(exam_ledger(), derive_exams(), raise_flags, backlog, settings().sweep_grace)


@cache
def excuse_hospital() -> ExcuseHospital:
    from chalicelib.services.excuse_hospital import ExcuseHospital

    return ExcuseHospital(excuses(), exam_ledger(), derive_exams())


@cache
def read_compliance() -> ReadCompliance:
    from chalicelib.services.read_compliance import ReadCompliance

    return ReadCompliance(exam_ledger(), flags(), hospitals())


@cache
def list_worklist() -> ListWorklist:
    from chalicelib.services.read_compliance import ListWorklist

    return ListWorklist(exam_ledger())


@cache
def report_compliance() -> ReportCompliance:
    from chalicelib.services.report_compliance import ReportCompliance

    return ReportCompliance(read_compliance(), hospitals(), compliance_reports())
