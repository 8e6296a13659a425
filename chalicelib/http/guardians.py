"""For guardians: what they may do for a ward, named by the reference in X-Ward that GET /wards gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import person_shapes, shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.patients import CONFIRM, choice, decided
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

routes = Routes(__name__)


@routes.get("/wards")
def own_wards(asked: Asked) -> Response:
    found = wiring.read_wards()(asked.caller, asked.now)
    return answer({"wards": [shapes.guardianship(one) for one in found]})


@routes.get("/wards/studies")
def wards_studies(asked: Asked) -> Response:
    ward = asked.ward()
    with asked.own_token():
        found = wiring.read_own_timeline()(asked.caller, asked.now, asked.query("token"), ward=ward)
    return answer(shapes.page("studies", found, shapes.summary))


@routes.get("/wards/requests")
def wards_requests(asked: Asked) -> Response:
    from chalicelib.domain.consent_notice import GUARDIAN_NOTICE

    found = wiring.read_requests()(asked.caller, asked.now, asked.ward())
    return answer({"requests": [shapes.request(one) for one in found], "notice": shapes.agreement(GUARDIAN_NOTICE)})


@routes.post("/wards/requests/decide")
def decide_for_ward(asked: Asked) -> Response:
    fields = asked.fields()
    given = (fields.text("request_id", 64), choice(fields), asked.now)
    return answer(decided(wiring.decide_request()(asked.caller, *given, asked.ward())))


@routes.get("/wards/consents")
def wards_consents(asked: Asked) -> Response:
    found = wiring.read_consents()(asked.caller, asked.now, asked.ward())
    return answer({"consents": [shapes.consent(one) for one in found]})


@routes.post("/wards/consents/revoke")
def revoke_for_ward(asked: Asked) -> Response:
    consent_id = asked.fields().text("consent_id", 64)
    return answer(shapes.consent(wiring.revoke_consent()(asked.caller, consent_id, asked.now, asked.ward())))


@routes.get("/wards/accesses")
def wards_accesses(asked: Asked) -> Response:
    ward = asked.ward()
    with asked.own_token():
        found = wiring.read_accesses()(asked.caller, asked.now, asked.query("token"), ward=ward)
    return answer(shapes.page("accesses", wiring.explain_accesses()(found), shapes.access))


@routes.post("/wards/qr")
def show_wards_qr(asked: Asked) -> Response:
    from chalicelib.domain.consent_notice import QR_NOTICE

    shown = wiring.show_qr()(asked.caller, asked.now, asked.ward())
    told = {"qr": shown.text, "expires_at": shapes.instant(shown.expires_at)}
    return answer({**told, "notice": shapes.agreement(QR_NOTICE)}, 201)


@routes.post("/wards/export")
def request_wards_export(asked: Asked) -> Response:
    """A copy of all that is held about the ward, as POST /me/export."""
    ward = asked.ward()
    asked.fields().choice("confirm", CONFIRM)
    return answer(person_shapes.export(wiring.request_export()(asked.caller, asked.now, ward)), 202)


@routes.get("/wards/export")
def wards_export(asked: Asked) -> Response:
    return answer(person_shapes.export(wiring.read_export()(asked.caller, asked.now, asked.ward())))


@routes.get("/wards/guardians")
def wards_guardians(asked: Asked) -> Response:
    found = wiring.read_guardians()(asked.caller, asked.now, asked.ward())
    return answer({"guardians": [shapes.guardianship(one) for one in found]})


@routes.post("/wards/guardians/object")
def object_for_ward(asked: Asked) -> Response:
    """{ward}: the `ward` of another guardianship of this ward that still waits; X-Ward is one's own."""
    other = asked.fields().text("ward", 64)
    stopped = wiring.object_for_ward()(asked.caller, other, asked.now, asked.ward())
    return answer({"ward": stopped.ward, "objected_at": shapes.instant(stopped.objected_at)})
