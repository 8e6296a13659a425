"""For ordering systems: reminders of similar exams by CDS Hooks 2.0 (infra/REMINDERS.md).

Open routes at the door: who calls proves it by a token made for this very address (`store.client_tokens`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from chalicelib import wiring
from chalicelib.domain.repeat_reason import CODES, SYSTEM
from chalicelib.domain.session import TokenRefused
from chalicelib.http import cds_cards
from chalicelib.http.asked import Asked, Fields
from chalicelib.http.bearer import bearer_of
from chalicelib.http.errors import tell
from chalicelib.http.kinds import ANY, INSTANT, Kind, Kinds, listed, matching, one_of, optional, text, thing
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.services.answer_reminder import Answered

MOST_FEEDBACK = 100  # cards of one call
LONGEST_ID: Final = 128
HOOK_INSTANCE: Final = "[!-~]{1,128}"

# CDS Hooks 2.0, "HTTP Request" and the two hooks' context. Resources are FHIR R4's: what is no ServiceRequest, or not
# as that says, is passed over.
_RESOURCE: Final = Kind({"type": "object"})
_CONTEXT: Final[Kinds] = {
    "userId": text(LONGEST_ID),
    "patientId": text(LONGEST_ID),
    "encounterId": optional(text(LONGEST_ID), ""),
    "selections": optional(Kind({"type": "array", "items": {"type": "string"}})),
    "draftOrders": _RESOURCE,
}
CALL: Final[Kinds] = {
    "hook": one_of(("order-select", "order-sign")),
    "hookInstance": matching(HOOK_INSTANCE, LONGEST_ID),
    "context": thing(**_CONTEXT),
    "prefetch": optional(ANY),
}
FEEDBACK: Kinds = {
    "feedback": listed(
        thing(
            card=text(64),
            outcome=one_of(("accepted", "overridden")),
            outcomeTimestamp=optional(INSTANT),
            overrideReason=optional(Kind({"type": "object"})),
        ),
        MOST_FEEDBACK,
    )
}
REFUSED = ("unauthenticated", "not_found")

routes = Routes()


class Discovered(TypedDict):
    """CDS Hooks 2.0, Discovery."""

    services: Sequence[Mapping[str, Any]]


class Cards(TypedDict):
    """CDS Hooks 2.0, CDS Service Response."""

    cards: Sequence[Mapping[str, Any]]


class Taken(TypedDict):
    pass


@routes.get("/cds-services")
def discover(_asked: Asked) -> Discovered:
    """Which reminders there are."""
    return cast(Discovered, cds_cards.discovery())


@routes.post("/cds-services/{service_id}", body=CALL, tells=REFUSED)
def remind(asked: Asked) -> Cards | Response:
    """What is not allowed, unknown, or has nothing similar is the same empty list."""
    hook = cds_cards.SERVICES.get(asked.path["service_id"])
    hospital_id = _client(asked, f"/cds-services/{asked.path['service_id']}")
    if hook is None or hospital_id is None:
        return tell("unauthenticated" if hospital_id is None else "not_found")
    from chalicelib.http.cds_orders import read_ordering

    ordering = read_ordering(asked.fields(), hook, hospital_id)
    return cast(Cards, cds_cards.cards(wiring.remind_of_similar()(ordering, asked.now), wiring.origin()))


@routes.post("/cds-services/{service_id}/feedback", body=FEEDBACK, tells=REFUSED)
def take_feedback(asked: Asked) -> Taken | Response:
    """What the doctor made of a card."""
    hospital_id = _client(asked, f"/cds-services/{asked.path['service_id']}/feedback")
    if hospital_id is None or asked.path["service_id"] not in cds_cards.SERVICES:
        return tell("unauthenticated" if hospital_id is None else "not_found")
    wiring.answer_reminder()(hospital_id, _feedback(asked.fields(), asked.now), asked.now)
    return {}


def _client(asked: Asked, path: str) -> str | None:
    """The hospital whose system calls; None when it cannot be told. That, and an unknown service, is put on record
    here. Raises AuditFailed."""
    bearer = bearer_of(asked.request.headers)
    if isinstance(bearer, TokenRefused) or bearer.by_cookie:
        found: str | TokenRefused = TokenRefused("absent")
    else:
        found = wiring.client_tokens().verify(bearer.token, wiring.origin() + path, asked.now)
    refused = found.reason if isinstance(found, TokenRefused) else ""
    if refused or asked.path["service_id"] not in cds_cards.SERVICES:
        route = f"{asked.request.method} {asked.request.path}"
        wiring.record_decision().turn_away(None, refused or "unknown_route", route, asked.now)
    return None if isinstance(found, TokenRefused) else found


def _feedback(fields: Fields, now: datetime) -> list[Answered]:
    return [_answered(one, now) for one in fields.parts("feedback")]


def _answered(one: Fields, now: datetime) -> Answered:
    """`userComment` is not kept: what doctors write may be about the patient."""
    from chalicelib.services.answer_reminder import Answered

    outcome = cast(Any, one.choice("outcome"))
    at = one.instant("outcomeTimestamp") if one.has("outcomeTimestamp") else now
    return Answered(one.text("card"), outcome, _reason(one) if outcome == "overridden" else "", at)


def _reason(one: Fields) -> str:
    """A code of ours; "" for a reason of the system's own, or none."""
    given = one.values.get("overrideReason")
    reason = given.get("reason") if isinstance(given, dict) else None
    if not isinstance(reason, dict) or reason.get("system", SYSTEM) != SYSTEM:
        return ""
    code = reason.get("code")
    return code if isinstance(code, str) and code in CODES else ""
