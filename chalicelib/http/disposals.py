"""Legal holds, and the disposal of records whose time is over: the hospital proposes, its privacy officer and the
commission decide. The commission sees days, kinds and counts, and no study or patient."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

from chalicelib import wiring
from chalicelib.http import disposal_shapes as shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked, BadRequest, Fields
from chalicelib.http.errors import tell
from chalicelib.http.routes import Routes
from chalicelib.http.shapes import page

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.domain.disposal import Stated

routes = Routes(__name__)


# The hospital


@routes.post("/hospital/disposals")
def propose(asked: Asked) -> Response:
    """{"studies": [{"study_instance_uid", "last_visit", "last_discharge"?}]}: at most 200, each once. What must be kept
    is answered with why and until when, and is not in the proposal."""
    from chalicelib.services.propose_disposal import NothingToDispose

    try:
        made, refused = wiring.propose_disposal()(asked.caller, _stated(asked), asked.now)
    except NothingToDispose as nothing:
        return tell("nothing_to_dispose", refused=list(map(shapes.verdict, nothing.refused)))
    return answer({**shapes.disposal(made, asked.now), "refused": list(map(shapes.verdict, refused))}, 201)


@routes.get("/hospital/disposals")
def own_disposals(asked: Asked) -> Response:
    with asked.own_token():
        found = wiring.read_disposals().of_hospital(
            asked.caller, asked.caller.hospital_id, asked.query("token"), asked.now
        )
    return answer(page("disposals", found, lambda one: shapes.disposal(one, asked.now)))


@routes.get("/hospital/disposals/{disposal_id}/certificate")
def own_certificate(asked: Asked) -> Response:
    """The certificate of destruction as it was written, whose SHA-256 is in the audit."""
    found = wiring.read_disposals().one(asked.caller, asked.caller.hospital_id, asked.ulid("disposal_id"), asked.now)
    body = wiring.compliance_reports().get(f"disposals/{found.hospital_id}/{found.disposal_id}.json")
    if body is None or not found.certificate:
        return tell("not_found")
    return answer({"sha256": found.certificate, "text": body.decode(), "certificate": json.loads(body)})


# Its privacy officer


@routes.post("/privacy/disposals/decide")
def decide_own(asked: Asked) -> Response:
    """{"disposal_id", "decision": approve|refuse, "reason"?}"""
    return _decide(asked, asked.caller.hospital_id)


@routes.get("/privacy/holds")
def own_holds(asked: Asked) -> Response:
    return _holds(asked, asked.caller.hospital_id)


@routes.post("/privacy/holds")
def place_own(asked: Asked) -> Response:
    """{"study_instance_uid" or "patient_id", "reason"}"""
    return _place(asked, asked.caller.hospital_id)


@routes.post("/privacy/holds/lift")
def lift_own(asked: Asked) -> Response:
    """{"hold_id", "reason"}"""
    return _lift(asked, asked.caller.hospital_id)


# The commission


@routes.get("/disposals")
def open_disposals(asked: Asked) -> Response:
    """What is neither refused nor executed, of all hospitals, newest first."""
    with asked.own_token():
        found = wiring.read_disposals().open(asked.caller, asked.query("token"), asked.now)
    return answer(page("disposals", found, lambda one: shapes.figures(one, asked.now)))


@routes.get("/hospitals/{hospital_id}/disposals")
def disposals_of(asked: Asked) -> Response:
    hospital_id = asked.hospital()
    with asked.own_token():
        found = wiring.read_disposals().of_hospital(asked.caller, hospital_id, asked.query("token"), asked.now)
    if wiring.hospitals().get(hospital_id) is None:
        return tell("not_found")
    return answer(page("disposals", found, lambda one: shapes.figures(one, asked.now)))


@routes.post("/hospitals/{hospital_id}/disposals/decide")
def decide(asked: Asked) -> Response:
    """{"disposal_id", "decision": approve|refuse, "reason"?}"""
    return _decide(asked, asked.hospital())


@routes.get("/hospitals/{hospital_id}/holds")
def holds_of(asked: Asked) -> Response:
    return _holds(asked, asked.hospital())


@routes.post("/hospitals/{hospital_id}/holds")
def place(asked: Asked) -> Response:
    """{"study_instance_uid" or "patient_id", "reason"}"""
    return _place(asked, asked.hospital())


@routes.post("/hospitals/{hospital_id}/holds/lift")
def lift(asked: Asked) -> Response:
    """{"hold_id", "reason"}"""
    return _lift(asked, asked.hospital())


# What both do alike


def _decide(asked: Asked, hospital_id: str) -> Response:
    fields = asked.fields()
    decision, disposal_id = fields.choice("decision", ("approve", "refuse")), fields.text("disposal_id", 26)
    service, shape = wiring.decide_disposal(), _shape_for(asked)
    if decision == "approve":
        return answer(shape(service.approve(asked.caller, hospital_id, disposal_id, asked.now), asked.now))
    reason = fields.text("reason", 500)
    return answer(shape(service.refuse(asked.caller, hospital_id, disposal_id, reason, asked.now), asked.now))


def _shape_for(asked: Asked) -> shapes.Shaper:
    return shapes.disposal if asked.caller.hospital_id else shapes.figures


def _holds(asked: Asked, hospital_id: str) -> Response:
    with asked.own_token():
        found = wiring.place_hold().list(asked.caller, hospital_id, asked.query("token"), asked.now)
    if not asked.caller.hospital_id and wiring.hospitals().get(hospital_id) is None:
        return tell("not_found")
    return answer(page("holds", found, lambda one: shapes.hold(one, asked.caller)))


def _place(asked: Asked, hospital_id: str) -> Response:
    from chalicelib.services.place_hold import Over

    fields = asked.fields()
    uid, patient_id = fields.optional_text("study_instance_uid", 64), fields.optional_text("patient_id", 64)
    if bool(uid) == bool(patient_id):
        _refuse("study_instance_uid")
    if not asked.caller.hospital_id and wiring.hospitals().get(hospital_id) is None:
        wiring.on_record()(asked.caller, "place_hold", asked.now, of=hospital_id)
        return tell("not_found")
    over = Over(hospital_id, fields.uid("study_instance_uid") if uid else "", patient_id.strip())
    placed = wiring.place_hold().place(asked.caller, over, fields.text("reason", 500), asked.now)
    known = {"known": placed.is_known} if asked.caller.hospital_id else {}
    return answer({**shapes.hold(placed.hold, asked.caller), **known, "too_late": placed.is_late}, 201)


def _lift(asked: Asked, hospital_id: str) -> Response:
    fields = asked.fields()
    hold_id, reason = fields.text("hold_id", 26), fields.text("reason", 500)
    lifted = wiring.place_hold().lift(asked.caller, hospital_id, hold_id, reason, asked.now)
    return answer(shapes.hold(lifted, asked.caller))


def _stated(asked: Asked) -> list[Stated]:
    from chalicelib.domain.disposal import MOST, Stated
    from chalicelib.domain.retention import local_day

    given = asked.fields().values.get("studies")
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        _refuse("studies")
    found: dict[str, Stated] = {}
    today = local_day(asked.now)
    for one in given:
        fields = Fields(one) if isinstance(one, dict) else _refuse("studies")
        discharge = fields.day("last_discharge") if fields.values.get("last_discharge") is not None else None
        stated = Stated(fields.uid("study_instance_uid"), fields.day("last_visit"), discharge)
        if stated.last_visit > today or (discharge is not None and discharge > today):
            _refuse("last_visit" if stated.last_visit > today else "last_discharge")
        if found.setdefault(stated.study_instance_uid, stated) is not stated:
            _refuse("study_instance_uid")
    return list(found.values())


def _refuse(field: str) -> NoReturn:
    raise BadRequest(field)
