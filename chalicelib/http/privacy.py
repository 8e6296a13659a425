"""For a hospital's privacy officer: wrong links, and who works together too well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import person_shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

routes = Routes(__name__)


@routes.post("/privacy/identities/history")
def history(asked: Asked) -> Response:
    """A read that is a POST: no patient's number stands in a URL."""
    patient_id = asked.fields().text("patient_id", 64)
    links = wiring.undo_link().history(asked.caller, patient_id, asked.now)
    return answer({"links": [person_shapes.link(one) for one in links]})


@routes.post("/privacy/identities/contest")
def contest(asked: Asked) -> Response:
    patient_id = asked.fields().text("patient_id", 64)
    return answer(person_shapes.link(wiring.undo_link().contest(asked.caller, patient_id, asked.now)))


@routes.post("/privacy/identities/unlink")
def unlink(asked: Asked) -> Response:
    patient_id = asked.fields().text("patient_id", 64)
    return answer(person_shapes.link(wiring.undo_link().unlink(asked.caller, patient_id, asked.now)))


@routes.post("/privacy/identities/relink")
def relink(asked: Asked) -> Response:
    """Back to a person who had it before; it counts when a desk has seen the card."""
    fields = asked.fields()
    given = (fields.text("patient_id", 64), fields.text("person_id", 64))
    return answer(person_shapes.link(wiring.undo_link().relink(asked.caller, *given, asked.now)))


@routes.get("/privacy/pairs")
def pairs(asked: Asked) -> Response:
    month = asked.month()
    found = wiring.read_pairs()(asked.caller, month, asked.now)
    return answer({"month": month, "pairs": [person_shapes.pair(one, count) for one, count in found]})
