"""For patients: their own record, what they allowed, and who looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

routes = Routes(__name__)


@routes.get("/me/studies")
def own_studies(asked: Asked) -> Response:
    with asked.own_token():
        found = wiring.read_own_timeline()(asked.caller, asked.now, asked.query("token"))
    return answer(shapes.page("studies", found, shapes.summary))


@routes.get("/me/consents")
def own_consents(asked: Asked) -> Response:
    given = wiring.read_consents()(asked.caller, asked.now)
    return answer({"consents": [shapes.consent(one) for one in given]})


@routes.post("/me/consents/revoke")
def revoke_consent(asked: Asked) -> Response:
    revoked = wiring.revoke_consent()(asked.caller, asked.fields().text("consent_id", 64), asked.now)
    return answer(shapes.consent(revoked))


@routes.get("/me/accesses")
def own_accesses(asked: Asked) -> Response:
    with asked.own_token():
        found = wiring.read_accesses()(asked.caller, asked.now, asked.query("token"))
    return answer(shapes.page("accesses", found, shapes.access))


@routes.get("/me/identities")
def own_identities(asked: Asked) -> Response:
    known = wiring.read_identities()(asked.caller, asked.now)
    return answer({"identities": [shapes.identity(one) for one in known]})
