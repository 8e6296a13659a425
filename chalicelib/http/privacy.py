"""For a hospital's privacy officer: wrong links, and who works together too well."""

from __future__ import annotations

from chalicelib import wiring
from chalicelib.http import person_shapes
from chalicelib.http.asked import Asked
from chalicelib.http.desks import PATIENT
from chalicelib.http.kinds import MONTH, optional, text
from chalicelib.http.routes import Routes

routes = Routes()


@routes.post("/privacy/identities/history", body=PATIENT)
def history(asked: Asked) -> person_shapes.Links:
    """A read that is a POST: no patient's number stands in a URL."""
    patient_id = asked.fields().text("patient_id")
    links = wiring.undo_link().history(asked.caller, patient_id, asked.now)
    return {"links": [person_shapes.link(one) for one in links]}


@routes.post("/privacy/identities/contest", body=PATIENT, tells=("unlink_refused",))
def contest(asked: Asked) -> person_shapes.Link:
    """Closes a number of this hospital to everybody, until a desk sees the card."""
    patient_id = asked.fields().text("patient_id")
    return person_shapes.link(wiring.undo_link().contest(asked.caller, patient_id, asked.now))


@routes.post("/privacy/identities/unlink", body=PATIENT, tells=("unlink_refused",))
def unlink(asked: Asked) -> person_shapes.Link:
    """Takes a number of this hospital from its person; no study moves."""
    patient_id = asked.fields().text("patient_id")
    return person_shapes.link(wiring.undo_link().unlink(asked.caller, patient_id, asked.now))


@routes.post("/privacy/identities/relink", body={**PATIENT, "person_id": text(64)}, tells=("unlink_refused",))
def relink(asked: Asked) -> person_shapes.Link:
    """Back to a person who had it before; it counts when a desk has seen the card."""
    fields = asked.fields()
    given = (fields.text("patient_id"), fields.text("person_id"))
    return person_shapes.link(wiring.undo_link().relink(asked.caller, *given, asked.now))


@routes.get("/privacy/pairs", query={"month": optional(MONTH)})
def pairs(asked: Asked) -> person_shapes.Pairs:
    """Who so often did together what needs two; this month's where none is asked (UTC)."""
    month = asked.month()
    found = wiring.read_pairs()(asked.caller, month, asked.now)
    return {"month": month, "pairs": [person_shapes.pair(one, count) for one, count in found]}
