"""How a hospital joins, keeps its keys, and gets what it uploads with (infra/JOINING.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import hospital_shapes as shapes
from chalicelib.http.asked import Asked
from chalicelib.http.kinds import HOSPITAL, Kind, Kinds, text
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalicelib.http.asked import Fields
    from chalicelib.services.joining_ports import OfferedKey

OFFERED: Kinds = {
    "public_key": Kind({"type": ["string", "object"], "description": "RSA, as PEM or JWK"}),
    "proof": text(8 * 1024),  # a JWT, signed by the key's private half
}

routes = Routes()


@routes.post(
    "/joining",
    body={"hospital_id": HOSPITAL, "code": text(64), **OFFERED},
    status=201,
    tells=("joining_refused", "key_refused"),
)
def join(asked: Asked) -> shapes.JoinedHospital:
    """From whoever has the code: an open route."""
    fields = asked.fields()
    code, offered = fields.text("code"), _offered(fields)
    key = wiring.join_hospital()(fields.hospital("hospital_id"), code, offered, asked.now)
    return shapes.joined(key, wiring.origin())


@routes.get("/hospital/keys")
def list_keys(asked: Asked) -> shapes.OwnKeys:
    """All that the hospital ever joined with."""
    wiring.on_record()(asked.caller, "read_keys", asked.now)
    return {"keys": shapes.keys(wiring.hospital_keys().of(asked.caller.hospital_id))}


@routes.post("/hospital/keys", body=OFFERED, status=201, tells=("key_refused", "too_many_keys", "no_live_key"))
def add_key(asked: Asked) -> shapes.JoinedHospital:
    """A second key, to change to."""
    key = wiring.add_key()(asked.caller, _offered(asked.fields()), asked.now)
    return shapes.joined(key, wiring.origin())


@routes.post("/hospital/keys/retire", body={"kid": text(64)}, tells=("not_found", "last_key"))
def retire_key(asked: Asked) -> shapes.OwnKey:
    """Not the last one."""
    return shapes.key(wiring.retire_key()(asked.caller, asked.fields().text("kid"), asked.now))


@routes.post("/hospital/credentials", status=201)
def vend_credentials(asked: Asked) -> shapes.UploadGrant:
    """S3's own keys for an hour, and where what may be put with them."""
    made = wiring.vend_credentials()(asked.caller, asked.now)
    return shapes.upload_pass(made, wiring.depot())


def _offered(fields: Fields) -> OfferedKey:
    from chalicelib.services.joining_ports import OfferedKey

    return OfferedKey(fields.text_or_part("public_key"), fields.text("proof"))
