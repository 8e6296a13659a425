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
    from chalicelib.domain.upload_key import Kind
    from chalicelib.services import ledger_ports, ports
    from chalicelib.services.accept_notice import AcceptNotice
    from chalicelib.services.amend_study import AmendStudy
    from chalicelib.services.authorize import Authorize
    from chalicelib.services.derive_exams import DeriveExams
    from chalicelib.services.excuse_hospital import ExcuseHospital
    from chalicelib.services.find_visit import FindVisit
    from chalicelib.services.ingest_batch import IngestBatch
    from chalicelib.services.inspect_study import InspectStudy
    from chalicelib.services.own_account import OwnAccount
    from chalicelib.services.read_accesses import ReadAccesses, ReadConsents, ReadIdentities
    from chalicelib.services.read_timeline import ReadEncounterTimeline, ReadOwnTimeline
    from chalicelib.services.reconcile_uploads import ReconcileUploads
    from chalicelib.services.record_decision import RecordDecision
    from chalicelib.services.record_notice import RecordNotice
    from chalicelib.services.register_doctor import RegisterDoctor
    from chalicelib.services.register_hospital import RegisterHospital
    from chalicelib.services.register_patient import RegisterPatient
    from chalicelib.services.reindex_studies import ReindexStudies, TakeUp
    from chalicelib.services.report_compliance import ListWorklist, ReadCompliance, ReportCompliance
    from chalicelib.services.request_consent import RequestConsent
    from chalicelib.services.revoke_consent import RevokeConsent
    from chalicelib.services.settle_study import SettleStudy
    from chalicelib.services.sweep_due import SweepDue
    from chalicelib.services.unpack_archive import UnpackArchive
    from chalicelib.services.verify_code import VerifyCode
    from chalicelib.services.view_manifest import ViewManifest
    from chalicelib.store.consents import DynamoConsents
    from chalicelib.store.counters import DynamoCounters
    from chalicelib.store.exams import DynamoExams
    from chalicelib.store.flags import DynamoExcuses, DynamoFlags
    from chalicelib.store.people import DynamoPeople
    from chalicelib.store.studies import DynamoStudies
    from chalicelib.store.visits import DynamoDecisionFacts, DynamoDoctors, DynamoEncounters


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


# Stores


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
    from chalicelib.store.flags import DynamoExcuses

    return DynamoExcuses(clients.dynamodb(), settings().main_table)


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
def counters() -> DynamoCounters:
    from chalicelib.store import clients
    from chalicelib.store.counters import DynamoCounters

    return DynamoCounters(clients.dynamodb(), settings().main_table)


@cache
def audit() -> ports.Audit:
    from chalicelib.store import clients
    from chalicelib.store.audit import DynamoAudit

    return DynamoAudit(clients.dynamodb(), settings().audit_table)


@cache
def mac() -> ports.Mac:
    from chalicelib.store import clients
    from chalicelib.store.mac import KmsMac

    return KmsMac(clients.kms(), settings().mac_key_id)


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
    from chalicelib.store.sms import UntoldSms

    return UntoldSms(_sms())


def _sms() -> ports.Sms:
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


# Uploads


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


@cache
def accept_notice() -> AcceptNotice:
    from chalicelib.services.accept_notice import AcceptNotice

    return AcceptNotice(uploads(), new_id)


@cache
def record_notice() -> RecordNotice:
    from secrets import token_bytes

    from chalicelib.services.record_encounter import RecordEncounter
    from chalicelib.services.record_notice import RecordNotice
    from chalicelib.services.register_patient import LinkFromNotice

    link = LinkFromNotice(people(), mac(), token_bytes, record_decision())
    encounter = RecordEncounter(encounters())
    return RecordNotice(uploads(), hospitals(), quarantine(), receipts(), derive_exams(), link, encounter, now)


# Studies


@cache
def settle_study() -> SettleStudy:
    from chalicelib.services.settle_study import SettleStudy

    return SettleStudy(journal(), studies(), uploads(), derive_exams())


def reindex_studies() -> ReindexStudies:
    """Ingest and unpacking as ever, but what they touch is settled directly. Made anew for each run."""
    from dataclasses import replace

    from chalicelib.services.reindex_studies import ReindexStudies, TouchedStudies

    touched = TouchedStudies()
    instances = replace(ingest_batch(), settle_queue=touched)
    archives = replace(unpack_archive(), settle_queue=touched)
    take_up: dict[Kind, TakeUp] = {"archives": archives, "unpacked": instances, "instances": instances}
    take_up["notices"] = record_notice()
    return ReindexStudies(uploads(), hospitals(), take_up, touched, settle_study(), now)


@cache
def amend_study() -> AmendStudy:
    from chalicelib.services.amend_study import AmendStudy

    return AmendStudy(studies(), settle_queue(), new_id)


@cache
def inspect_study() -> InspectStudy:
    from chalicelib.services.inspect_study import InspectStudy

    return InspectStudy(studies())


@cache
def view_manifest() -> ViewManifest:
    from chalicelib.services.find_reports import FindReports
    from chalicelib.services.view_manifest import ViewManifest

    return ViewManifest(authorize(), studies(), FindReports(exam_ledger()), signer())


# People


@cache
def record_decision() -> RecordDecision:
    from secrets import token_bytes

    from chalicelib.services.record_decision import RecordDecision

    return RecordDecision(audit(), token_bytes)


@cache
def authorize() -> Authorize:
    from chalicelib.services.authorize import Authorize

    return Authorize(decision_facts(), people(), consents(), record_decision())


@cache
def find_visit() -> FindVisit:
    from chalicelib.services.find_visit import FindVisit

    return FindVisit(doctors(), encounters(), people())


@cache
def request_consent() -> RequestConsent:
    from secrets import token_bytes

    from chalicelib.services.request_consent import RequestConsent

    return RequestConsent(find_visit(), people(), consents(), counters(), mac(), sms(), token_bytes, record_decision())


@cache
def verify_code() -> VerifyCode:
    from secrets import token_bytes

    from chalicelib.services.resolve_studies import ResolveStudies
    from chalicelib.services.verify_code import VerifyCode

    resolve = ResolveStudies(people(), studies())
    return VerifyCode(find_visit(), people(), consents(), counters(), resolve, mac(), token_bytes, record_decision())


@cache
def read_encounter_timeline() -> ReadEncounterTimeline:
    from chalicelib.services.read_timeline import ReadEncounterTimeline

    return ReadEncounterTimeline(find_visit(), decision_facts(), people(), consents(), record_decision())


@cache
def own_account() -> OwnAccount:
    from chalicelib.services.own_account import OwnAccount

    return OwnAccount(people(), record_decision())


@cache
def read_own_timeline() -> ReadOwnTimeline:
    from chalicelib.services.read_timeline import ReadOwnTimeline

    return ReadOwnTimeline(own_account(), people(), studies(), record_decision())


@cache
def read_accesses() -> ReadAccesses:
    from chalicelib.services.read_accesses import ReadAccesses

    return ReadAccesses(own_account(), audit())


@cache
def read_consents() -> ReadConsents:
    from chalicelib.services.read_accesses import ReadConsents

    return ReadConsents(own_account(), consents())


@cache
def read_identities() -> ReadIdentities:
    from chalicelib.services.read_accesses import ReadIdentities

    return ReadIdentities(own_account(), people())


@cache
def revoke_consent() -> RevokeConsent:
    from chalicelib.services.revoke_consent import RevokeConsent

    return RevokeConsent(own_account(), consents(), record_decision())


@cache
def register_patient() -> RegisterPatient:
    from chalicelib.services.register_patient import RegisterPatient

    return RegisterPatient(people(), mac(), record_decision())


@cache
def register_doctor() -> RegisterDoctor:
    from chalicelib.services.register_doctor import RegisterDoctor

    return RegisterDoctor(doctors(), record_decision())


@cache
def register_hospital() -> RegisterHospital:
    from chalicelib.services.register_hospital import RegisterHospital

    return RegisterHospital(hospitals(), record_decision())


# The ledger


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
    from chalicelib.services.report_compliance import ReadCompliance

    return ReadCompliance(exam_ledger(), flags(), hospitals())


@cache
def list_worklist() -> ListWorklist:
    from chalicelib.services.report_compliance import ListWorklist

    return ListWorklist(exam_ledger())


@cache
def report_compliance() -> ReportCompliance:
    from chalicelib.services.report_compliance import ReportCompliance

    return ReportCompliance(read_compliance(), hospitals(), compliance_reports())
