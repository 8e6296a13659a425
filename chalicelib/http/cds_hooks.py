"""For ordering systems: reminders of similar exams by CDS Hooks 2.0 (infra/REMINDERS.md).

Open routes at the door: who calls proves it by a token made for this very address (`store.client_tokens`).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from chalicelib import wiring
from chalicelib.domain.repeat_reason import CODES, SYSTEM
from chalicelib.domain.session import TokenRefused
from chalicelib.http import cds_cards
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked, BadRequest, Fields
from chalicelib.http.bearer import bearer_of
from chalicelib.http.errors import tell
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.services.answer_reminder import Answered

MOST_FEEDBACK = 100  # cards of one call

routes = Routes(__name__)


@routes.get("/cds-services")
def discover(_asked: Asked) -> Response:
    return answer(cds_cards.discovery())


@routes.post("/cds-services/{service_id}")
def remind(asked: Asked) -> Response:
    """What is not allowed, unknown, or has nothing similar is the same empty list."""
    hook = cds_cards.SERVICES.get(asked.path["service_id"])
    hospital_id = _client(asked, f"/cds-services/{asked.path['service_id']}")
    if hook is None or hospital_id is None:
        return tell("unauthenticated" if hospital_id is None else "not_found")
    from chalicelib.http.cds_orders import read_ordering

    ordering = read_ordering(asked.fields(), hook, hospital_id)
    return answer(cds_cards.cards(wiring.remind_of_similar()(ordering, asked.now), wiring.origin()))


@routes.post("/cds-services/{service_id}/feedback")
def take_feedback(asked: Asked) -> Response:
    hospital_id = _client(asked, f"/cds-services/{asked.path['service_id']}/feedback")
    if hospital_id is None or asked.path["service_id"] not in cds_cards.SERVICES:
        return tell("unauthenticated" if hospital_id is None else "not_found")
    wiring.answer_reminder()(hospital_id, _feedback(asked.fields(), asked.now), asked.now)
    return answer({})


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
    given = fields.values.get("feedback")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_FEEDBACK:
        raise BadRequest("feedback")
    return [_answered(Fields(one) if isinstance(one, dict) else Fields({}), now) for one in given]


def _answered(one: Fields, now: datetime) -> Answered:
    """`userComment` is not kept: what doctors write may be about the patient."""
    from chalicelib.services.answer_reminder import Answered

    outcome = cast(Any, one.choice("outcome", ("accepted", "overridden")))
    at = one.instant("outcomeTimestamp") if one.values.get("outcomeTimestamp") else now
    return Answered(one.text("card", 64), outcome, _reason(one) if outcome == "overridden" else "", at)


def _reason(one: Fields) -> str:
    """A code of ours; "" for a reason of the system's own, or none."""
    given = one.values.get("overrideReason")
    reason = given.get("reason") if isinstance(given, dict) else None
    if not isinstance(reason, dict) or reason.get("system", SYSTEM) != SYSTEM:
        return ""
    code = reason.get("code")
    return code if isinstance(code, str) and code in CODES else ""
