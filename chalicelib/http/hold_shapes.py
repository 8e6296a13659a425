"""Holds as JSON. Whom or what one is over, and why a hospital's officer placed it, is told at that hospital only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from chalicelib.domain.disposal import Approver
from chalicelib.http.json_types import Instant
from chalicelib.http.shapes import instant

if TYPE_CHECKING:
    from chalicelib.domain.disposal import Hold
    from chalicelib.domain.page import Page
    from chalicelib.services.place_hold import Placed


class HoldFacts(TypedDict):
    hold_id: str
    hospital_id: str
    over: Literal["study", "patient"]
    placed_as: Approver
    placed_at: Instant | None
    lifted_at: Instant | None


class HoldReasons(TypedDict):
    """`lifted_by` and `lifted_reason` are "" until it is lifted."""

    reason: str
    placed_by: str
    lifted_by: str
    lifted_reason: str


class OwnHold(HoldFacts, HoldReasons):
    """At its hospital. It is over one of study and patient; the other is ""."""

    study_instance_uid: str
    patient_id: str


class OwnHolds(TypedDict):
    """Newest first."""

    holds: Sequence[OwnHold]
    next_token: str


class PlacedOwnHold(OwnHold):
    """`known`: whether there is such a study or patient, for a hold may come first. `too_late`: the study's destruction
    had begun, or is done."""

    known: bool
    too_late: bool


class HoldAbove(HoldFacts, HoldReasons):
    """Placed by the commission."""


class HoldsAbroad(TypedDict):
    """For the commission, newest first: the reasons of its own alone."""

    holds: Sequence[HoldAbove | HoldFacts]
    next_token: str


class PlacedHold(HoldAbove):
    """`too_late`: the study's destruction had begun, or is done."""

    too_late: bool


def own(found: Hold) -> OwnHold:
    return {
        **_facts(found),
        **_reasons(found),
        "study_instance_uid": found.study_instance_uid,
        "patient_id": found.patient_id,
    }


def all_own(found: Page[Hold]) -> OwnHolds:
    return {"holds": [own(one) for one in found.items], "next_token": found.next_token}


def placed_own(placed: Placed) -> PlacedOwnHold:
    return {**own(placed.hold), "known": placed.is_known, "too_late": placed.is_late}


def abroad(found: Hold) -> HoldAbove | HoldFacts:
    return _above(found) if found.placed_as == "regulator" else _facts(found)


def all_abroad(found: Page[Hold]) -> HoldsAbroad:
    return {"holds": [abroad(one) for one in found.items], "next_token": found.next_token}


def placed_above(placed: Placed) -> PlacedHold:
    return {**_above(placed.hold), "too_late": placed.is_late}


def _above(found: Hold) -> HoldAbove:
    return {**_facts(found), **_reasons(found)}


def _facts(found: Hold) -> HoldFacts:
    return {
        "hold_id": found.hold_id,
        "hospital_id": found.hospital_id,
        "over": "study" if found.study_instance_uid else "patient",
        "placed_as": found.placed_as,
        "placed_at": instant(found.placed_at),
        "lifted_at": instant(found.lifted_at),
    }


def _reasons(found: Hold) -> HoldReasons:
    return {
        "reason": found.reason,
        "placed_by": found.placed_by,
        "lifted_by": found.lifted_by,
        "lifted_reason": found.lifted_reason,
    }
