"""How a hospital joins, keeps its keys, and gets what it uploads with (infra/JOINING.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import joining_shapes as shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

routes = Routes(__name__)


@routes.post("/hospital/credentials")
def vend_credentials(asked: Asked) -> Response:
    made = wiring.vend_credentials()(asked.caller, asked.now)
    return answer(shapes.upload_pass(made, wiring.depot()), 201)
