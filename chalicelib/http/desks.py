"""For desks, about persons whose card they have read, and about what is wrongly linked at their hospital."""

from __future__ import annotations

from chalicelib import wiring
from chalicelib.http import person_shapes
from chalicelib.http.asked import Asked
from chalicelib.http.kinds import Kinds, text
from chalicelib.http.routes import Routes

CARD: Kinds = {"national_id": text(32), "name": text(64)}  # as the reader read it
PATIENT: Kinds = {"patient_id": text(64)}

routes = Routes()


@routes.post("/desk/persons/unfreeze", body=CARD, tells=("registration_refused",))
def unfreeze(asked: Asked) -> person_shapes.OpenedPerson:
    """Whoever froze their record opens it again with their card."""
    fields = asked.fields()
    person = wiring.unfreeze_person()(asked.caller, fields.text("national_id"), fields.text("name"), asked.now)
    return {"person_id": person.person_id, "frozen_at": None}


@routes.post("/desk/persons/sessions/end", body=CARD, tells=("registration_refused",))
def end_sessions(asked: Asked) -> person_shapes.EndedSessions:
    """For whoever lost their phone: every session of the card's person ends."""
    from chalicelib.services.prove_guardian import Card

    fields = asked.fields()
    card = Card(fields.text("national_id"), fields.text("name"))
    person = wiring.end_sessions().at_desk(asked.caller, card, asked.now)
    return {"person_id": person.person_id, "session_epoch": person.session_epoch}


@routes.post("/desk/identities/contest", body=PATIENT, tells=("unlink_refused",))
def contest(asked: Asked) -> person_shapes.Link:
    """A number of this hospital may be the wrong person's: it gives nothing from now on."""
    patient_id = asked.fields().text("patient_id")
    return person_shapes.link(wiring.undo_link().contest(asked.caller, patient_id, asked.now))


@routes.post("/desk/identities/unlink", body=PATIENT, tells=("unlink_refused",))
def unlink(asked: Asked) -> person_shapes.Link:
    """Takes a number of this hospital from its person; no study moves."""
    patient_id = asked.fields().text("patient_id")
    return person_shapes.link(wiring.undo_link().unlink(asked.caller, patient_id, asked.now))
