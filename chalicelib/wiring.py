"""The one place where use cases meet their adapters: a cached factory each, importing inside, so that a function's
cold start pays only for what it uses (DESIGN §9). Settings are read from the environment here and nowhere else."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.services import ports
    from chalicelib.services.ingest_batch import IngestBatch
    from chalicelib.services.reconcile_uploads import ReconcileUploads
    from chalicelib.services.unpack_archive import UnpackArchive


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of a function; the names are the upper case of these (README lists them)."""

    uploads_bucket: str
    reports_bucket: str
    quarantine_bucket: str
    journal_table: str
    main_table: str
    audit_table: str
    settle_queue_url: str
    flags_topic_arn: str
    mac_key_id: str
    signer_role_arn: str
    issuers: str
    origin: str
    sms_gateway: str
    sms_secret_id: str
    backlog_queues: tuple[str, ...]
    settle_window: timedelta
    sweep_grace: timedelta


@cache
def settings() -> Settings:
    """What is missing is "": a function that does not use a setting need not have it."""
    given = os.environ.get
    return Settings(
        uploads_bucket=given("UPLOADS_BUCKET", ""),
        reports_bucket=given("REPORTS_BUCKET", ""),
        quarantine_bucket=given("QUARANTINE_BUCKET", ""),
        journal_table=given("JOURNAL_TABLE", ""),
        main_table=given("MAIN_TABLE", ""),
        audit_table=given("AUDIT_TABLE", ""),
        settle_queue_url=given("SETTLE_QUEUE_URL", ""),
        flags_topic_arn=given("FLAGS_TOPIC_ARN", ""),
        mac_key_id=given("MAC_KEY_ID", ""),
        signer_role_arn=given("SIGNER_ROLE_ARN", ""),
        issuers=given("ISSUERS", "[]"),
        origin=given("ORIGIN", ""),
        sms_gateway=given("SMS_GATEWAY", ""),
        sms_secret_id=given("SMS_SECRET_ID", ""),
        backlog_queues=tuple(json.loads(given("BACKLOG_QUEUES", "[]"))),
        settle_window=timedelta(seconds=float(given("SETTLE_SECONDS", "60"))),
        sweep_grace=timedelta(seconds=float(given("SWEEP_GRACE_SECONDS", "900"))),
    )


def now() -> datetime:
    """The clock, aware UTC."""
    return datetime.now(UTC)


def origin() -> str:
    return settings().origin


# The door


@cache
def tokens() -> ports.Tokens:
    from chalicelib.store.tokens import Tokens, parse_issuers

    return Tokens(parse_issuers(settings().issuers))


@cache
def signer() -> ports.Signer:
    from chalicelib.store import clients
    from chalicelib.store.signer import AssumedRole, S3Signer, bucket_at

    bucket = bucket_at(settings().uploads_bucket, clients.region(), clients.s3_endpoint())
    return S3Signer(bucket, AssumedRole(clients.sts(), settings().signer_role_arn))


@cache
def sms() -> ports.Sms:
    """`outbox:/path`, `http:https://host/path` or `sns`. The outbox is for a machine on a desk, never for Lambda."""
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


# Ingest


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
def receipts() -> ports.Receipts:
    from chalicelib.store import clients
    from chalicelib.store.receipts import S3Receipts

    return S3Receipts(clients.s3(), settings().uploads_bucket)


@cache
def quarantine() -> ports.Quarantine:
    from chalicelib.store import clients
    from chalicelib.store.quarantine import S3Quarantine

    return S3Quarantine(clients.s3(), settings().quarantine_bucket)


@cache
def journal() -> ports.Journal:
    from chalicelib.store import clients
    from chalicelib.store.journal import DynamoJournal

    return DynamoJournal(clients.dynamodb(), settings().journal_table)


@cache
def settle_queue() -> ports.SettleQueue:
    from chalicelib.store import clients
    from chalicelib.store.settle_queue import SqsSettleQueue

    return SqsSettleQueue(clients.sqs(), settings().settle_queue_url, settings().settle_window, now)


@cache
def ingest_batch() -> IngestBatch:
    from chalicelib.services.ingest_batch import IngestBatch

    return IngestBatch(uploads(), hospitals(), journal(), quarantine(), receipts(), settle_queue(), now)


@cache
def unpack_archive() -> UnpackArchive:
    from chalicelib.services.unpack_archive import UnpackArchive

    return UnpackArchive(uploads(), hospitals(), journal(), quarantine(), receipts(), settle_queue(), now)


@cache
def reconcile_uploads() -> ReconcileUploads:
    from chalicelib.services.reconcile_uploads import ReconcileUploads
    from chalicelib.store import clients
    from chalicelib.store.refeed import SqsRefeed

    return ReconcileUploads(uploads(), receipts(), hospitals(), SqsRefeed(clients.sqs()))
