"""A person's copy of their record: asked for and fetched by the API, built by a function of its own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import act_as, record_decision
from chalicelib.wiring.adapters import (
    audit,
    consents,
    counters,
    encounters,
    exam_ledger,
    guardians,
    hidden_studies,
    hospitals,
    in_app_notices,
    people,
    studies,
)
from chalicelib.wiring.environment import settings
from chalicelib.wiring.exceptions import hand_overs, reviews
from chalicelib.wiring.oversight import explain_accesses

if TYPE_CHECKING:
    from chalicelib.services import export_ports
    from chalicelib.services.export_person import BuildExport, ReadExport, RequestExport


@cache
def request_export() -> RequestExport:
    from secrets import token_bytes

    from chalicelib.services.export_person import RequestExport

    return RequestExport(act_as(), _exports(), _queue(), counters(), token_bytes, record_decision())


@cache
def read_export() -> ReadExport:
    from chalicelib.services.export_person import ReadExport

    return ReadExport(act_as(), people(), _exports(), _signer(), record_decision())


@cache
def build_export() -> BuildExport:
    from secrets import token_bytes

    from chalicelib.services.export_person import BuildExport
    from chalicelib.services.gather_exams import GatherExams
    from chalicelib.services.gather_record import GatherRecord

    own = (people(), studies(), hidden_studies(), consents(), guardians(), in_app_notices())
    done = (audit(), explain_accesses(), hospitals(), reviews())
    gather = GatherRecord(*own, *done, encounters(), GatherExams(exam_ledger()), hand_overs())
    return BuildExport(_exports(), people(), gather, _archives(), token_bytes)


@cache
def _exports() -> export_ports.Exports:
    from chalicelib.store import clients
    from chalicelib.store.exports import DynamoExports

    return DynamoExports(clients.dynamodb(), settings().main_table)


@cache
def _queue() -> export_ports.ExportQueue:
    from chalicelib.store import clients
    from chalicelib.store.exports import SqsExportQueue

    return SqsExportQueue(clients.sqs(), settings().exports_queue_url)


@cache
def _archives() -> export_ports.ExportArchives:
    from chalicelib.store import clients
    from chalicelib.store.exports import S3ExportArchives

    return S3ExportArchives(clients.s3(), settings().reports_bucket)


@cache
def _signer() -> export_ports.ExportSigner:
    from chalicelib.store import clients
    from chalicelib.store.signer import AssumedRole, S3ExportSigner, bucket_at

    bucket = bucket_at(settings().reports_bucket, clients.region(), clients.s3_endpoint())
    return S3ExportSigner(bucket, AssumedRole(clients.sts(), settings().signer_role_arn))
