"""The audit under seal, and what S3 saw held against it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.adapters import consents, decision_facts, doctors, exam_ledger, hospitals, people, studies
from chalicelib.wiring.environment import settings

if TYPE_CHECKING:
    from chalicelib.services.audit_ports import AuditHours, SealArchive
    from chalicelib.services.check_reads import CheckReads
    from chalicelib.services.explain_accesses import ExplainAccesses
    from chalicelib.services.seal_audit import SealAudit


@cache
def audit_hours() -> AuditHours:
    from chalicelib.store import clients
    from chalicelib.store.audit_hours import DynamoAuditHours

    return DynamoAuditHours(clients.dynamodb(), settings().audit_table)


@cache
def seal_archive() -> SealArchive:
    from chalicelib.store import clients
    from chalicelib.store.audit_archive import S3SealArchive

    return S3SealArchive(clients.s3(), settings().audit_archive_bucket)


@cache
def seal_audit() -> SealAudit:
    from chalicelib.services.seal_audit import SealAudit

    return SealAudit(audit_hours(), seal_archive())


@cache
def explain_accesses() -> ExplainAccesses:
    from chalicelib.services.explain_accesses import ExplainAccesses

    return ExplainAccesses(hospitals(), doctors(), people(), consents(), decision_facts())


@cache
def check_reads() -> CheckReads:
    from chalicelib.services.check_reads import CheckReads
    from chalicelib.services.find_reports import FindReports
    from chalicelib.store import clients
    from chalicelib.store.access_logs import S3AccessLogs, Source
    from chalicelib.store.topics import SnsTopic

    role = settings().signer_role_arn
    account_id = role.split(":")[4] if role.count(":") >= 5 else ""
    buckets = {"uploads": settings().uploads_bucket, "reports": settings().reports_bucket}
    sources = [Source(folder, account_id, clients.region(), bucket) for folder, bucket in buckets.items()]
    logs = S3AccessLogs(clients.s3(), settings().access_logs_bucket, sources)
    topic = SnsTopic(clients.sns(), settings().alarms_topic_arn)
    return CheckReads(logs, seal_archive(), studies(), FindReports(exam_ledger()), topic, role)
