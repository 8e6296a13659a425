"""For the health commission: hospitals; deadlines stand in `ledger`. No persons, no pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import hospital_shapes as shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.errors import tell
from chalicelib.http.registration import HINTS, read_registration
from chalicelib.http.routes import Routes
from chalicelib.http.shapes import page

if TYPE_CHECKING:
    from chalice.app import Response

PAGE = 100

routes = Routes(__name__)


@routes.post("/hospitals")
def register_hospital(asked: Asked) -> Response:
    """All that is known of a hospital; what is left out is empty. The first time the answer holds its joining code."""
    try:
        hospital = read_registration(asked.fields())
    except BadRequest as bad:
        hint = {"hint": shapes.hint(HINTS[bad.field])} if bad.field in HINTS else {}
        return tell("bad_request", field=bad.field, **hint)
    is_new = wiring.hospitals().get(hospital.hospital_id) is None
    registered = wiring.register_hospital()(asked.caller, hospital, asked.now)
    told = shapes.hospital(registered)
    if is_new:
        issued = wiring.issue_joining_code()(asked.caller, hospital.hospital_id, asked.now)
        told["joining"] = shapes.issued(*issued, wiring.origin())
    return answer(told, 201)


@routes.get("/hospitals")
def list_hospitals(asked: Asked) -> Response:
    """By id, without contacts."""
    wiring.on_record()(asked.caller, "list_hospitals", asked.now)
    with asked.own_token():
        found = wiring.hospitals().page(asked.query("token"), PAGE)
    return answer(page("hospitals", found, shapes.listed))


@routes.get("/hospitals/{hospital_id}")
def read_hospital(asked: Asked) -> Response:
    """With contacts, keys, and whether a joining code waits."""
    hospital_id = asked.hospital()
    wiring.on_record()(asked.caller, "read_hospital", asked.now, of=hospital_id)
    known = wiring.hospitals().get(hospital_id)
    if known is None:
        return tell("not_found")
    keys, code = wiring.hospital_keys().of(hospital_id), wiring.joining_codes().get(hospital_id)
    return answer({**shapes.hospital(known), **shapes.keys(keys), "joining": shapes.waiting(code, asked.now)})


@routes.post("/hospitals/{hospital_id}/joining-code")
def issue_joining_code(asked: Asked) -> Response:
    """A new code; the one before is void."""
    issued = wiring.issue_joining_code()(asked.caller, asked.hospital(), asked.now)
    return answer(shapes.issued(*issued, wiring.origin()), 201)


@routes.post("/hospitals/{hospital_id}/keys/revoke")
def revoke_keys(asked: Asked) -> Response:
    """All keys and the code; the hospital joins anew."""
    return answer({"revoked": wiring.revoke_keys()(asked.caller, asked.hospital(), asked.now)})
