"""The functions' settings, read from the environment here and nowhere else, the clock, and new ids."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of a function; the names are the upper case of these (README lists them)."""

    uploads_bucket: str
    reports_bucket: str
    quarantine_bucket: str
    journal_table: str
    main_table: str
    audit_table: str
    audit_archive_bucket: str
    access_logs_bucket: str
    settle_queue_url: str
    exports_queue_url: str
    messages_queue_url: str
    reconcile_queue_url: str
    flags_topic_arn: str
    hospitals_topic_arn: str
    alarms_topic_arn: str
    privacy_topic_arn: str
    mac_key_id: str
    signer_role_arn: str
    uploader_role_arn: str
    data_key_arn: str
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
        audit_archive_bucket=given("AUDIT_ARCHIVE_BUCKET", ""),
        access_logs_bucket=given("ACCESS_LOGS_BUCKET", ""),
        settle_queue_url=given("SETTLE_QUEUE_URL", ""),
        exports_queue_url=given("EXPORTS_QUEUE_URL", ""),
        messages_queue_url=given("MESSAGES_QUEUE_URL", ""),
        reconcile_queue_url=given("RECONCILE_QUEUE_URL", ""),
        flags_topic_arn=given("FLAGS_TOPIC_ARN", ""),
        hospitals_topic_arn=given("HOSPITALS_TOPIC_ARN", ""),
        alarms_topic_arn=given("ALARMS_TOPIC_ARN", ""),
        privacy_topic_arn=given("PRIVACY_TOPIC_ARN", ""),
        mac_key_id=given("MAC_KEY_ID", ""),
        signer_role_arn=given("SIGNER_ROLE_ARN", ""),
        uploader_role_arn=given("UPLOADER_ROLE_ARN", ""),
        data_key_arn=given("DATA_KEY_ARN", ""),
        issuers=given("ISSUERS", "[]"),
        origin=given("ORIGIN", ""),
        sms_gateway=given("SMS_GATEWAY", ""),
        sms_secret_id=given("SMS_SECRET_ID", ""),
        backlog_queues=tuple(json.loads(given("BACKLOG_QUEUES", "[]"))),
        settle_window=timedelta(seconds=float(given("SETTLE_SECONDS", "60"))),
        sweep_grace=timedelta(seconds=float(given("SWEEP_GRACE_SECONDS", "900"))),
    )


def new_id(at: datetime) -> str:
    """A ULID."""
    from secrets import token_bytes

    from chalicelib.domain.ulid import RANDOM_BYTES, ulid

    return ulid(at, token_bytes(RANDOM_BYTES))


def now() -> datetime:
    """The clock, aware UTC."""
    return datetime.now(UTC)


def origin() -> str:
    return settings().origin


def serves_routes() -> bool:
    """Whether this process answers HTTP: Lambda says in `_HANDLER` what a function runs, of which Chalice's API is
    `app.app`; on a desk there is no such setting, and one process does all."""
    return os.environ.get("_HANDLER", "app.app") == "app.app"
