"""For desks, about persons whose card they have read, and about what is wrongly linked at their hospital."""

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


@routes.post("/desk/persons/unfreeze")
def unfreeze(asked: Asked) -> Response:
    fields = asked.fields()
    person = wiring.unfreeze_person()(asked.caller, fields.text("national_id", 32), fields.text("name", 64), asked.now)
    return answer({"person_id": person.person_id, "frozen_at": None})


@routes.post("/desk/persons/sessions/end")
def end_sessions(asked: Asked) -> Response:
    """For whoever lost their phone: every session of the card's person ends."""
    from chalicelib.services.prove_guardian import Card

    fields = asked.fields()
    card = Card(fields.text("national_id", 32), fields.text("name", 64))
    person = wiring.end_sessions().at_desk(asked.caller, card, asked.now)
    return answer({"person_id": person.person_id, "session_epoch": person.session_epoch})


@routes.post("/desk/identities/contest")
def contest(asked: Asked) -> Response:
    patient_id = asked.fields().text("patient_id", 64)
    return answer(person_shapes.link(wiring.undo_link().contest(asked.caller, patient_id, asked.now)))


@routes.post("/desk/identities/unlink")
def unlink(asked: Asked) -> Response:
    patient_id = asked.fields().text("patient_id", 64)
    return answer(person_shapes.link(wiring.undo_link().unlink(asked.caller, patient_id, asked.now)))
