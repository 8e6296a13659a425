"""Proposals as JSON: for the hospital's own people with their studies, for the commission without."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from chalicelib.domain import destruction
from chalicelib.domain.disposal import Because, State, Why
from chalicelib.domain.retention import Rule
from chalicelib.http import told as types
from chalicelib.http.json_types import Day, Instant
from chalicelib.http.shapes import instant

if TYPE_CHECKING:
    from chalicelib.domain.disposal import Act, Disposal, Item, Outcome, Verdict
    from chalicelib.domain.page import Page

DayOrNone = Day | Literal[""]


class DisposalAct(TypedDict):
    by: str
    at: Instant | None


class DisposalTotal(TypedDict):
    """What was destroyed: studies, object versions, bytes. `kept`: objects that stay, by why."""

    studies: int
    versions: int
    bytes: int
    spared: int
    kept: Mapping[str, int]


class DisposalFacts(TypedDict):
    """`certificate_sha256`: "" until it is executed."""

    disposal_id: str
    hospital_id: str
    state: State
    proposed: DisposalAct
    privacy_officer: DisposalAct | None
    regulator: DisposalAct | None
    refusal: str
    lapses_at: Instant | None
    begun_at: Instant | None
    executed_at: Instant | None
    certificate_sha256: str
    total: DisposalTotal


class DisposalFigure(TypedDict):
    """A study as one may see it who sees no person. The last two as the hospital states them."""

    exam_day: DayOrNone
    modalities: Sequence[str]
    instances: int
    rule: Rule
    keep_through: DayOrNone
    last_visit: Day
    last_discharge: DayOrNone


class DisposalStudy(DisposalFigure):
    """`outcome`: destroyed, or why it was spared; null until then."""

    study_instance_uid: str
    outcome: Why | None


class RefusedStudy(TypedDict):
    """What must be kept: why, and through which day where one ends it."""

    study_instance_uid: str
    why: Because
    keep_through: Day | None
    rule: Rule


class MadeDisposal(DisposalFacts):
    """A proposal, and what is not in it."""

    studies: Sequence[DisposalStudy]
    refused: Sequence[RefusedStudy]


class OwnDisposal(DisposalFacts):
    """For its hospital. `refused`: by whom, where it was."""

    refused: DisposalAct | None
    studies: Sequence[DisposalStudy]


class OwnDisposals(TypedDict):
    """Newest first."""

    disposals: Sequence[OwnDisposal]
    next_token: str


class DisposalFigures(DisposalFacts):
    """For the commission: days, kinds and counts."""

    refused: DisposalAct | None
    studies: Sequence[DisposalFigure]


class AllDisposalFigures(TypedDict):
    """Newest first."""

    disposals: Sequence[DisposalFigures]
    next_token: str


class CertifiedAct(DisposalAct):
    """`day`: in the province."""

    role: Literal["hospital", "privacy_officer", "regulator"]
    day: Day


class CertifiedStudy(DisposalFigure):
    """`why` it was spared; "" where it was destroyed, with so many object versions and bytes."""

    study_instance_uid: str
    clause: str
    at: Instant
    why: Because
    versions: int
    bytes: int
    kept: Mapping[str, int]


class Certificate(TypedDict):
    """`certificate_of_destruction`: of which proposal. `not_destroyed`: what stays, in words."""

    certificate_of_destruction: str
    hospital_id: str
    hospital: str
    law: Sequence[str]
    proposed: CertifiedAct
    approved: Sequence[CertifiedAct]
    begun_at: Instant | None
    executed_at: Instant | None
    destroyed: Sequence[CertifiedStudy]
    spared: Sequence[CertifiedStudy]
    total: DisposalTotal
    not_destroyed: types.Words


class ToldCertificate(TypedDict):
    """`text`: the very bytes whose SHA-256 (hex) it is."""

    sha256: str
    text: str
    certificate: Certificate


def made(found: Disposal, refused: Sequence[Verdict], now: datetime) -> MadeDisposal:
    return {**_facts(found, now), "studies": _studies(found), "refused": [verdict(one) for one in refused]}


def disposal(found: Disposal, now: datetime) -> OwnDisposal:
    return {**_facts(found, now), "refused": _act(found.refused), "studies": _studies(found)}


def disposals(found: Page[Disposal], now: datetime) -> OwnDisposals:
    return {"disposals": [disposal(one, now) for one in found.items], "next_token": found.next_token}


def figures(found: Disposal, now: datetime) -> DisposalFigures:
    studies = cast(list[DisposalFigure], destruction.figures(found.items))
    return {**_facts(found, now), "refused": _act(found.refused), "studies": studies}


def all_figures(found: Page[Disposal], now: datetime) -> AllDisposalFigures:
    return {"disposals": [figures(one, now) for one in found.items], "next_token": found.next_token}


def verdict(found: Verdict) -> RefusedStudy:
    return {
        "study_instance_uid": found.study_instance_uid,
        "why": found.why,
        "keep_through": found.keep_through.isoformat() if found.keep_through else None,
        "rule": found.rule,
    }


def certificate(found: Disposal, body: bytes) -> ToldCertificate:
    """As it was written."""
    return {"sha256": found.certificate, "text": body.decode(), "certificate": json.loads(body)}


def _facts(found: Disposal, now: datetime) -> DisposalFacts:
    return {
        "disposal_id": found.disposal_id,
        "hospital_id": found.hospital_id,
        "state": found.state(now),
        "proposed": _did(found.proposed),
        "privacy_officer": _act(found.officer),
        "regulator": _act(found.regulator),
        "refusal": found.refusal,
        "lapses_at": instant(found.lapses_at),
        "begun_at": instant(found.begun_at),
        "executed_at": instant(found.executed_at),
        "certificate_sha256": found.certificate,
        "total": cast(DisposalTotal, destruction.totals(found)),
    }


def _act(act: Act | None) -> DisposalAct | None:
    return _did(act) if act else None


def _did(act: Act) -> DisposalAct:
    return {"by": act.by, "at": instant(act.at)}


def _studies(found: Disposal) -> list[DisposalStudy]:
    outcomes = {one.study_instance_uid: one for one in found.outcomes}
    return [_study(one, outcomes.get(one.stated.study_instance_uid)) for one in found.items]


def _study(item: Item, outcome: Outcome | None) -> DisposalStudy:
    (row,) = cast(list[DisposalFigure], destruction.figures([item]))
    done = None if outcome is None else outcome.why or "destroyed"
    return {**row, "study_instance_uid": item.stated.study_instance_uid, "outcome": done}
