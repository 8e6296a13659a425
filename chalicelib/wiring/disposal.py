"""Legal holds, proposals, and their execution."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import record_decision
from chalicelib.wiring.adapters import (
    compliance_reports,
    encounters,
    exam_ledger,
    hospitals,
    in_app_notices,
    journal,
    people,
    studies,
    uploads,
)
from chalicelib.wiring.environment import new_id, now, settings
from chalicelib.wiring.imaging import judge_retention, settle_study

if TYPE_CHECKING:
    from chalicelib.services.destroy_studies import DestroyStudies
    from chalicelib.services.disposal_ports import Disposals, Holds, Plans
    from chalicelib.services.judge_disposal import JudgeDisposal
    from chalicelib.services.place_hold import PlaceHold
    from chalicelib.services.propose_disposal import DecideDisposal, ProposeDisposal, ReadDisposals


@cache
def holds() -> Holds:
    from chalicelib.store import clients
    from chalicelib.store.holds import DynamoHolds

    return DynamoHolds(clients.dynamodb(), settings().main_table)


@cache
def disposals() -> Disposals:
    from chalicelib.store import clients
    from chalicelib.store.disposals import DynamoDisposals

    return DynamoDisposals(clients.dynamodb(), settings().main_table)


@cache
def plans() -> Plans:
    from chalicelib.store import clients
    from chalicelib.store.destruction import DynamoPlans

    return DynamoPlans(clients.dynamodb(), settings().main_table)


@cache
def judge_disposal() -> JudgeDisposal:
    from chalicelib.services.judge_disposal import JudgeDisposal

    return JudgeDisposal(judge_retention(), studies(), encounters(), holds())


@cache
def place_hold() -> PlaceHold:
    from chalicelib.services.place_hold import PlaceHold

    return PlaceHold(holds(), studies(), plans(), record_decision(), new_id)


@cache
def propose_disposal() -> ProposeDisposal:
    from chalicelib.services.propose_disposal import ProposeDisposal

    return ProposeDisposal(disposals(), judge_disposal(), record_decision(), new_id)


@cache
def decide_disposal() -> DecideDisposal:
    from chalicelib.services.propose_disposal import DecideDisposal

    return DecideDisposal(disposals(), judge_disposal(), record_decision())


@cache
def read_disposals() -> ReadDisposals:
    from chalicelib.services.propose_disposal import ReadDisposals

    return ReadDisposals(disposals(), record_decision())


@cache
def destroy_studies() -> DestroyStudies:
    from chalicelib.services.destroy_studies import DestroyStudies
    from chalicelib.services.find_told import FindTold
    from chalicelib.services.plan_destruction import PlanDestruction
    from chalicelib.store import clients
    from chalicelib.store.derived import S3DerivedRemains
    from chalicelib.store.destruction import DynamoRemains, S3Shredder

    told = FindTold(uploads(), studies(), exam_ledger())
    return DestroyStudies(
        disposals=disposals(),
        judge=judge_disposal(),
        plan=PlanDestruction(uploads(), studies(), journal(), people(), told),
        plans=plans(),
        studies=studies(),
        uploads=uploads(),
        settle=settle_study(),
        shredder=S3Shredder(clients.s3(), settings().uploads_bucket),
        remains=DynamoRemains(clients.dynamodb(), settings().main_table),
        derived=S3DerivedRemains(clients.s3(), settings().reports_bucket),
        notices=in_app_notices(),
        hospitals=hospitals(),
        reports=compliance_reports(),
        record=record_decision(),
        clock=now,
    )
