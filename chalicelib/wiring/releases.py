"""What becomes of uploads that could not be indexed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import record_decision
from chalicelib.wiring.adapters import exam_ledger, studies, uploads
from chalicelib.wiring.environment import new_id, settings

if TYPE_CHECKING:
    from chalicelib.services.close_quarantined import CloseQuarantined
    from chalicelib.services.decide_release import AskRelease, DecideRelease
    from chalicelib.services.list_quarantine import ListQuarantine
    from chalicelib.services.quarantine_ports import QuarantineRecords, Standings
    from chalicelib.services.step_quarantined import StepQuarantined


@cache
def quarantine_records() -> QuarantineRecords:
    from chalicelib.store import clients
    from chalicelib.store.quarantine import S3Quarantine

    return S3Quarantine(clients.s3(), settings().quarantine_bucket)


@cache
def standings() -> Standings:
    from chalicelib.store import clients
    from chalicelib.store.standings import DynamoStandings

    return DynamoStandings(clients.dynamodb(), settings().main_table)


@cache
def list_quarantine() -> ListQuarantine:
    from chalicelib.services.list_quarantine import ListQuarantine

    return ListQuarantine(quarantine_records(), standings())


@cache
def step_quarantined() -> StepQuarantined:
    from chalicelib.services.step_quarantined import StepQuarantined

    return StepQuarantined(quarantine_records(), standings(), record_decision(), uploads(), new_id)


@cache
def close_quarantined() -> CloseQuarantined:
    from chalicelib.services.close_quarantined import CloseQuarantined

    return CloseQuarantined(step_quarantined(), studies(), exam_ledger())


@cache
def ask_release() -> AskRelease:
    from chalicelib.services.decide_release import AskRelease

    return AskRelease(step_quarantined())


@cache
def decide_release() -> DecideRelease:
    from chalicelib.services.decide_release import DecideRelease
    from chalicelib.store import clients
    from chalicelib.store.refeed import SqsRefeed

    return DecideRelease(step_quarantined(), SqsRefeed(clients.sqs()))
