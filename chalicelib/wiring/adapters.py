"""Ports filled with AWS, signatures and messages."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.environment import now, settings

if TYPE_CHECKING:
    from chalicelib.services import ledger_ports, ports
    from chalicelib.store.consents import DynamoConsents
    from chalicelib.store.counters import DynamoCounters
    from chalicelib.store.exams import DynamoExams
    from chalicelib.store.flags import DynamoFlags
    from chalicelib.store.guardians import DynamoGuardians, DynamoInAppNotices, DynamoQrs
    from chalicelib.store.hidden import DynamoHiddenStudies, DynamoPairs
    from chalicelib.store.outages import DynamoExcuses, DynamoOutages
    from chalicelib.store.people import DynamoPeople
    from chalicelib.store.signer import AssumedRole
    from chalicelib.store.studies import DynamoStudies
    from chalicelib.store.visits import DynamoDecisionFacts, DynamoDoctors, DynamoEncounters


@cache
def uploads() -> ports.Uploads:
    from chalicelib.store import clients
    from chalicelib.store.uploads import S3Uploads

    return S3Uploads(clients.s3(), settings().uploads_bucket)


@cache
def hospitals() -> ports.Hospitals:
    from chalicelib.store import clients
    from chalicelib.store.hospitals import DynamoHospitals

    return DynamoHospitals(clients.dynamodb(), settings().main_table)


@cache
def journal() -> ports.Journal:
    from chalicelib.store import clients
    from chalicelib.store.journal import DynamoJournal

    return DynamoJournal(clients.dynamodb(), settings().journal_table)


@cache
def quarantine() -> ports.Quarantine:
    from chalicelib.store import clients
    from chalicelib.store.quarantine import S3Quarantine

    return S3Quarantine(clients.s3(), settings().quarantine_bucket)


@cache
def receipts() -> ports.Receipts:
    from chalicelib.store import clients
    from chalicelib.store.receipts import S3Receipts

    return S3Receipts(clients.s3(), settings().uploads_bucket)


@cache
def settle_queue() -> ports.SettleQueue:
    from chalicelib.store import clients
    from chalicelib.store.settle_queue import SqsSettleQueue

    return SqsSettleQueue(clients.sqs(), settings().settle_queue_url, settings().settle_window, now)


@cache
def studies() -> DynamoStudies:
    from chalicelib.store import clients
    from chalicelib.store.studies import DynamoStudies

    return DynamoStudies(clients.dynamodb(), settings().main_table)


@cache
def exam_ledger() -> DynamoExams:
    from chalicelib.store import clients
    from chalicelib.store.exams import DynamoExams

    return DynamoExams(clients.dynamodb(), settings().main_table)


@cache
def excuses() -> DynamoExcuses:
    from chalicelib.store import clients
    from chalicelib.store.outages import DynamoExcuses

    return DynamoExcuses(clients.dynamodb(), settings().main_table)


@cache
def outages() -> DynamoOutages:
    from chalicelib.store import clients
    from chalicelib.store.outages import DynamoOutages

    return DynamoOutages(clients.dynamodb(), settings().main_table)


@cache
def flags() -> DynamoFlags:
    from chalicelib.store import clients
    from chalicelib.store.flags import DynamoFlags

    return DynamoFlags(clients.dynamodb(), settings().main_table)


@cache
def compliance_reports() -> ledger_ports.ComplianceReports:
    from chalicelib.store import clients
    from chalicelib.store.reports import S3Reports

    return S3Reports(clients.s3(), settings().reports_bucket)


@cache
def people() -> DynamoPeople:
    from chalicelib.store import clients
    from chalicelib.store.people import DynamoPeople

    return DynamoPeople(clients.dynamodb(), settings().main_table)


@cache
def doctors() -> DynamoDoctors:
    from chalicelib.store import clients
    from chalicelib.store.visits import DynamoDoctors

    return DynamoDoctors(clients.dynamodb(), settings().main_table)


@cache
def encounters() -> DynamoEncounters:
    from chalicelib.store import clients
    from chalicelib.store.visits import DynamoEncounters

    return DynamoEncounters(clients.dynamodb(), settings().main_table)


@cache
def decision_facts() -> DynamoDecisionFacts:
    from chalicelib.store import clients
    from chalicelib.store.visits import DynamoDecisionFacts

    return DynamoDecisionFacts(clients.dynamodb(), settings().main_table)


@cache
def consents() -> DynamoConsents:
    from chalicelib.store import clients
    from chalicelib.store.consents import DynamoConsents

    return DynamoConsents(clients.dynamodb(), settings().main_table)


@cache
def guardians() -> DynamoGuardians:
    from chalicelib.store import clients
    from chalicelib.store.guardians import DynamoGuardians

    return DynamoGuardians(clients.dynamodb(), settings().main_table)


@cache
def in_app_notices() -> DynamoInAppNotices:
    from chalicelib.store import clients
    from chalicelib.store.guardians import DynamoInAppNotices

    return DynamoInAppNotices(clients.dynamodb(), settings().main_table)


@cache
def hidden_studies() -> DynamoHiddenStudies:
    from chalicelib.store import clients
    from chalicelib.store.hidden import DynamoHiddenStudies

    return DynamoHiddenStudies(clients.dynamodb(), settings().main_table)


@cache
def pairs() -> DynamoPairs:
    from chalicelib.store import clients
    from chalicelib.store.hidden import DynamoPairs

    return DynamoPairs(clients.dynamodb(), settings().main_table)


@cache
def qrs() -> DynamoQrs:
    from chalicelib.store import clients
    from chalicelib.store.guardians import DynamoQrs

    return DynamoQrs(clients.dynamodb(), settings().main_table)


@cache
def counters() -> DynamoCounters:
    from chalicelib.store import clients
    from chalicelib.store.counters import DynamoCounters

    return DynamoCounters(clients.dynamodb(), settings().main_table)


@cache
def audit() -> ports.Audit:
    from chalicelib.store import clients
    from chalicelib.store.audit import DynamoAudit
    from chalicelib.store.emf import CountedAudit

    return CountedAudit(DynamoAudit(clients.dynamodb(), settings().audit_table))


@cache
def mac() -> ports.Mac:
    from chalicelib.store import clients
    from chalicelib.store.mac import KmsMac

    return KmsMac(clients.kms(), settings().mac_key_id)


# Signatures and messages


@cache
def signer_role() -> AssumedRole:
    """One for all that is signed: its credential is kept."""
    from chalicelib.store import clients
    from chalicelib.store.signer import AssumedRole

    return AssumedRole(clients.sts(), settings().signer_role_arn)


@cache
def signer() -> ports.Signer:
    from chalicelib.store import clients
    from chalicelib.store.signer import S3Signer, bucket_at

    bucket = bucket_at(settings().uploads_bucket, clients.region(), clients.s3_endpoint())
    return S3Signer(bucket, signer_role())


@cache
def sms() -> ports.Sms:
    from chalicelib.store.sms import UntoldSms

    return UntoldSms(queued_sms())


@cache
def queued_sms() -> ports.Sms:
    """Fails when the queue does, whoever the message is for."""
    from chalicelib.store import clients
    from chalicelib.store.messages import QueuedSms

    return QueuedSms(clients.sqs(), settings().messages_queue_url, now)


@cache
def sms_gateway() -> ports.SmsGateway:
    """For the queue's end, and for whom must know whether a message went: never where the answer, or how long it
    takes, would tell a stranger that there is a phone.

    `outbox:/path`, `http:https://host/path` or `sns`. The outbox is for a machine on a desk, never for Lambda."""
    from chalicelib.store import clients
    from chalicelib.store.sms import GatewaySms, OutboxSms, SnsSms, read_secret

    kind, _, where = settings().sms_gateway.partition(":")
    if kind == "outbox" and (os.environ.get("AWS_ENDPOINT_URL") or "AWS_LAMBDA_FUNCTION_NAME" not in os.environ):
        return OutboxSms(where)
    if kind == "http":
        secret_id = settings().sms_secret_id
        return GatewaySms(where, cache(lambda: read_secret(clients.secrets(), secret_id)))
    if kind == "sns":
        return SnsSms(clients.sns())
    raise ValueError("SMS_GATEWAY is not one that may be used here")
