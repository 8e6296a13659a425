"""Proposals and holds as JSON: for the hospital's own people with their studies, for the commission without."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain import destruction
from chalicelib.http.shapes import Shape, instant

if TYPE_CHECKING:
    from chalicelib.domain.access import Caller
    from chalicelib.domain.disposal import Act, Disposal, Hold, Item, Outcome, Verdict

Shaper = Callable[["Disposal", datetime], Shape]


def disposal(found: Disposal, now: datetime) -> Shape:
    """For its hospital."""
    outcomes = {one.study_instance_uid: one for one in found.outcomes}
    return {**_state(found, now), "studies": [_item(one, outcomes) for one in found.items]}


def figures(found: Disposal, now: datetime) -> Shape:
    """For the commission: days, kinds and counts."""
    return {**_state(found, now), "studies": destruction.figures(found.items)}


def verdict(found: Verdict) -> Shape:
    return {
        "study_instance_uid": found.study_instance_uid,
        "why": found.why,
        "keep_through": found.keep_through.isoformat() if found.keep_through else None,
        "rule": found.rule,
    }


def hold(found: Hold, reader: Caller) -> Shape:
    """Whom or what it is over, and why a hospital's officer placed it, is told at that hospital only."""
    told = {
        "hold_id": found.hold_id,
        "hospital_id": found.hospital_id,
        "over": "study" if found.study_instance_uid else "patient",
        "placed_as": found.placed_as,
        "placed_at": instant(found.placed_at),
        "lifted_at": instant(found.lifted_at),
    }
    if reader.hospital_id:
        told |= {"study_instance_uid": found.study_instance_uid, "patient_id": found.patient_id}
    if reader.hospital_id or found.placed_as == "regulator":
        told |= {"reason": found.reason, "placed_by": found.placed_by}
        told |= {"lifted_by": found.lifted_by, "lifted_reason": found.lifted_reason}
    return told


def _state(found: Disposal, now: datetime) -> Shape:
    return {
        "disposal_id": found.disposal_id,
        "hospital_id": found.hospital_id,
        "state": found.state(now),
        "proposed": _act(found.proposed),
        "privacy_officer": _act(found.officer),
        "regulator": _act(found.regulator),
        "refused": _act(found.refused),
        "refusal": found.refusal,
        "lapses_at": instant(found.lapses_at),
        "begun_at": instant(found.begun_at),
        "executed_at": instant(found.executed_at),
        "certificate_sha256": found.certificate,
        "total": destruction.totals(found),
    }


def _act(act: Act | None) -> Shape | None:
    return {"by": act.by, "at": instant(act.at)} if act else None


def _item(item: Item, outcomes: dict[str, Outcome]) -> dict[str, Any]:
    (row,) = destruction.figures([item])
    outcome = outcomes.get(item.stated.study_instance_uid)
    done = None if outcome is None else outcome.why or "destroyed"
    return {"study_instance_uid": item.stated.study_instance_uid, **row, "outcome": done}
