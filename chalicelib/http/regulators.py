"""For the health commission: hospitals; deadlines stand in `ledger`. No persons, no pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import hospital_shapes as shapes
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.errors import tell
from chalicelib.http.kinds import TOKEN
from chalicelib.http.registration import HINTS, REGISTRATION, read_registration
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

PAGE = 100

routes = Routes()


@routes.post("/hospitals", body=REGISTRATION, status=201)
def register_hospital(asked: Asked) -> shapes.RegisteredHospital | shapes.NewHospital | Response:
    """All that is known of a hospital; what is left out is empty. The first time the answer holds its joining code."""
    try:
        hospital = read_registration(asked.fields())
    except BadRequest as bad:
        hint = {"hint": shapes.hint(HINTS[bad.field])} if bad.field in HINTS else {}
        return tell("bad_request", field=bad.field, **hint)
    is_new = wiring.hospitals().get(hospital.hospital_id) is None
    told = shapes.hospital(wiring.register_hospital()(asked.caller, hospital, asked.now))
    if not is_new:
        return told
    issued = wiring.issue_joining_code()(asked.caller, hospital.hospital_id, asked.now)
    return {**told, "joining": shapes.issued(*issued, wiring.origin())}


@routes.get("/hospitals", query={"token": TOKEN})
def list_hospitals(asked: Asked) -> shapes.ListedHospitals:
    """By id, without contacts."""
    wiring.on_record()(asked.caller, "list_hospitals", asked.now)
    with asked.own_token():
        found = wiring.hospitals().page(asked.query("token"), PAGE)
    return shapes.hospitals(found)


@routes.get("/hospitals/{hospital_id}", tells=("not_found",))
def read_hospital(asked: Asked) -> shapes.KnownHospital | Response:
    """With contacts, keys, and whether a joining code waits."""
    hospital_id = asked.hospital()
    wiring.on_record()(asked.caller, "read_hospital", asked.now, of=hospital_id)
    known = wiring.hospitals().get(hospital_id)
    if known is None:
        return tell("not_found")
    keys, code = wiring.hospital_keys().of(hospital_id), wiring.joining_codes().get(hospital_id)
    return {**shapes.hospital(known), "keys": shapes.keys(keys), "joining": shapes.waiting(code, asked.now)}


@routes.post("/hospitals/{hospital_id}/joining-code", status=201, tells=("not_found",))
def issue_joining_code(asked: Asked) -> shapes.IssuedCode:
    """A new code; the one before is void."""
    issued = wiring.issue_joining_code()(asked.caller, asked.hospital(), asked.now)
    return shapes.issued(*issued, wiring.origin())


@routes.post("/hospitals/{hospital_id}/keys/revoke", tells=("not_found",))
def revoke_keys(asked: Asked) -> shapes.RevokedKeys:
    """All keys and the code; the hospital joins anew."""
    return {"revoked": wiring.revoke_keys()(asked.caller, asked.hospital(), asked.now)}
