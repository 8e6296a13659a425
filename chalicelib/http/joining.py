"""How a hospital joins, keeps its keys, and gets what it uploads with (infra/JOINING.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import hospital_shapes as shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.services.joining_ports import OfferedKey

MOST_PROOF = 8 * 1024  # characters

routes = Routes(__name__)


@routes.post("/joining")
def join(asked: Asked) -> Response:
    """{hospital_id, code, public_key, proof}, from whoever has the code: an open route."""
    fields = asked.fields()
    code, offered = fields.text("code", 64), _offered(asked)
    key = wiring.join_hospital()(fields.hospital("hospital_id"), code, offered, asked.now)
    return answer(shapes.joined(key, wiring.origin()), 201)


@routes.get("/hospital/keys")
def list_keys(asked: Asked) -> Response:
    wiring.on_record()(asked.caller, "read_keys", asked.now)
    return answer(shapes.keys(wiring.hospital_keys().of(asked.caller.hospital_id)))


@routes.post("/hospital/keys")
def add_key(asked: Asked) -> Response:
    """{public_key, proof}: a second key, to change to."""
    key = wiring.add_key()(asked.caller, _offered(asked), asked.now)
    return answer(shapes.joined(key, wiring.origin()), 201)


@routes.post("/hospital/keys/retire")
def retire_key(asked: Asked) -> Response:
    """{kid}: not the last one."""
    return answer(shapes.key(wiring.retire_key()(asked.caller, asked.fields().text("kid", 64), asked.now)))


@routes.post("/hospital/credentials")
def vend_credentials(asked: Asked) -> Response:
    made = wiring.vend_credentials()(asked.caller, asked.now)
    return answer(shapes.upload_pass(made, wiring.depot()), 201)


def _offered(asked: Asked) -> OfferedKey:
    from chalicelib.services.joining_ports import OfferedKey

    fields = asked.fields()
    key = fields.values.get("public_key")
    if not isinstance(key, str | dict):
        raise BadRequest("public_key")
    return OfferedKey(key, fields.text("proof", MOST_PROOF))
