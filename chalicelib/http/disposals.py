"""Legal holds, and the disposal of records whose time is over: the hospital proposes, its privacy officer and the
commission decide. The commission sees days, kinds and counts, and no study or patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from chalicelib import wiring
from chalicelib.domain.disposal import MOST, Stated
from chalicelib.http import disposal_shapes as shapes
from chalicelib.http import hold_shapes
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.errors import tell
from chalicelib.http.kinds import DAY, TOKEN, UID, Kinds, listed, one_of, optional, text, thing
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.domain.disposal import Disposal, Hold
    from chalicelib.domain.page import Page
    from chalicelib.services.place_hold import Over

LIST: Kinds = {"token": TOKEN}
REASON = text(500)
STATED = thing(study_instance_uid=UID, last_visit=DAY, last_discharge=optional(DAY, ""))
DECISION: Kinds = {
    "disposal_id": text(26),
    "decision": one_of(("approve", "refuse")),
    "reason": optional(REASON, ""),
}
HOLD: Kinds = {"study_instance_uid": optional(UID, ""), "patient_id": optional(text(64), ""), "reason": REASON}
LIFT: Kinds = {"hold_id": text(26), "reason": REASON}

routes = Routes()


# The hospital


@routes.post("/hospital/disposals", body={"studies": listed(STATED, MOST)}, status=201, tells=("nothing_to_dispose",))
def propose(asked: Asked) -> shapes.MadeDisposal | Response:
    """Each study once, with what the hospital's books say of its patient. What must be kept is answered with why and
    until when, and is not in the proposal."""
    from chalicelib.services.propose_disposal import NothingToDispose

    try:
        made, refused = wiring.propose_disposal()(asked.caller, _stated(asked), asked.now)
    except NothingToDispose as nothing:
        return tell("nothing_to_dispose", refused=[shapes.verdict(one) for one in nothing.refused])
    return shapes.made(made, refused, asked.now)


@routes.get("/hospital/disposals", query=LIST)
def own_disposals(asked: Asked) -> shapes.OwnDisposals:
    """The hospital's own proposals, newest first. Part by part."""
    return shapes.disposals(_disposals(asked, asked.caller.hospital_id), asked.now)


@routes.get("/hospital/disposals/{disposal_id}/certificate", tells=("not_found",))
def own_certificate(asked: Asked) -> shapes.ToldCertificate | Response:
    """The certificate of destruction as it was written, whose SHA-256 is in the audit."""
    found = wiring.read_disposals().one(asked.caller, asked.caller.hospital_id, asked.ulid("disposal_id"), asked.now)
    body = wiring.compliance_reports().get(f"disposals/{found.hospital_id}/{found.disposal_id}.json")
    if body is None or not found.certificate:
        return tell("not_found")
    return shapes.certificate(found, body)


# Its privacy officer


@routes.post("/privacy/disposals/decide", body=DECISION, tells=("not_found", "own_part", "disposal_closed"))
def decide_own(asked: Asked) -> shapes.OwnDisposal:
    """Who refuses says why in `reason`."""
    return shapes.disposal(_decided(asked, asked.caller.hospital_id), asked.now)


@routes.get("/privacy/holds", query=LIST)
def own_holds(asked: Asked) -> hold_shapes.OwnHolds:
    """Newest first, those that the commission placed and those that were lifted too. Part by part."""
    return hold_shapes.all_own(_holds(asked, asked.caller.hospital_id))


@routes.post("/privacy/holds", body=HOLD, status=201)
def place_own(asked: Asked) -> hold_shapes.PlacedOwnHold:
    """Over one study, or over a patient by the hospital's number."""
    over, reason = _over(asked, asked.caller.hospital_id)
    return hold_shapes.placed_own(wiring.place_hold().place(asked.caller, over, reason, asked.now))


@routes.post("/privacy/holds/lift", body=LIFT, tells=("not_found", "placed_above"))
def lift_own(asked: Asked) -> hold_shapes.OwnHold:
    """One that the commission placed is the commission's to lift."""
    return hold_shapes.own(_lifted(asked, asked.caller.hospital_id))


# The commission


@routes.get("/disposals", query=LIST)
def open_disposals(asked: Asked) -> shapes.AllDisposalFigures:
    """What is neither refused nor executed, of all hospitals, newest first."""
    with asked.own_token():
        found = wiring.read_disposals().open(asked.caller, asked.query("token"), asked.now)
    return shapes.all_figures(found, asked.now)


@routes.get("/hospitals/{hospital_id}/disposals", query=LIST, tells=("not_found",))
def disposals_of(asked: Asked) -> shapes.AllDisposalFigures | Response:
    """A hospital's proposals, newest first: days, kinds and counts. Part by part."""
    hospital_id = asked.hospital()
    found = _disposals(asked, hospital_id)
    return shapes.all_figures(found, asked.now) if _is_known(hospital_id) else tell("not_found")


@routes.post(
    "/hospitals/{hospital_id}/disposals/decide",
    body=DECISION,
    tells=("not_found", "own_part", "disposal_closed"),
)
def decide(asked: Asked) -> shapes.DisposalFigures:
    """Who refuses says why in `reason`."""
    return shapes.figures(_decided(asked, asked.hospital()), asked.now)


@routes.get("/hospitals/{hospital_id}/holds", query=LIST, tells=("not_found",))
def holds_of(asked: Asked) -> hold_shapes.HoldsAbroad | Response:
    """A hospital's holds, newest first. Part by part."""
    hospital_id = asked.hospital()
    found = _holds(asked, hospital_id)
    return hold_shapes.all_abroad(found) if _is_known(hospital_id) else tell("not_found")


@routes.post("/hospitals/{hospital_id}/holds", body=HOLD, status=201, tells=("not_found",))
def place(asked: Asked) -> hold_shapes.PlacedHold | Response:
    """Over one study, or over a patient by the hospital's number."""
    over, reason = _over(asked, asked.hospital())
    if not _is_known(over.hospital_id):
        wiring.on_record()(asked.caller, "place_hold", asked.now, of=over.hospital_id)
        return tell("not_found")
    return hold_shapes.placed_above(wiring.place_hold().place(asked.caller, over, reason, asked.now))


@routes.post("/hospitals/{hospital_id}/holds/lift", body=LIFT, tells=("not_found",))
def lift(asked: Asked) -> hold_shapes.HoldAbove | hold_shapes.HoldFacts:
    """An officer's too; its reasons stay at the hospital."""
    return hold_shapes.abroad(_lifted(asked, asked.hospital()))


# What both do alike


def _is_known(hospital_id: str) -> bool:
    return wiring.hospitals().get(hospital_id) is not None


def _disposals(asked: Asked, hospital_id: str) -> Page[Disposal]:
    with asked.own_token():
        return wiring.read_disposals().of_hospital(asked.caller, hospital_id, asked.query("token"), asked.now)


def _decided(asked: Asked, hospital_id: str) -> Disposal:
    fields = asked.fields()
    decision, disposal_id, reason = fields.choice("decision"), fields.text("disposal_id"), fields.text("reason")
    service = wiring.decide_disposal()
    if decision == "approve":
        return service.approve(asked.caller, hospital_id, disposal_id, asked.now)
    return service.refuse(asked.caller, hospital_id, disposal_id, reason or _refuse("reason"), asked.now)


def _holds(asked: Asked, hospital_id: str) -> Page[Hold]:
    with asked.own_token():
        return wiring.place_hold().list(asked.caller, hospital_id, asked.query("token"), asked.now)


def _over(asked: Asked, hospital_id: str) -> tuple[Over, str]:
    """What a hold is to be over, and why."""
    from chalicelib.services.place_hold import Over

    fields = asked.fields()
    uid, patient_id = fields.text("study_instance_uid"), fields.text("patient_id")
    if bool(uid) == bool(patient_id):
        _refuse("study_instance_uid")
    over = Over(hospital_id, fields.uid("study_instance_uid") if uid else "", patient_id.strip())
    return over, fields.text("reason")


def _lifted(asked: Asked, hospital_id: str) -> Hold:
    fields = asked.fields()
    hold_id, reason = fields.text("hold_id"), fields.text("reason")
    return wiring.place_hold().lift(asked.caller, hospital_id, hold_id, reason, asked.now)


def _stated(asked: Asked) -> list[Stated]:
    from chalicelib.domain.retention import local_day

    found: dict[str, Stated] = {}
    today = local_day(asked.now)
    for fields in asked.fields().parts("studies"):
        discharge = fields.day("last_discharge") if fields.has("last_discharge") else None
        stated = Stated(fields.uid("study_instance_uid"), fields.day("last_visit"), discharge)
        if stated.last_visit > today or (discharge is not None and discharge > today):
            _refuse("last_visit" if stated.last_visit > today else "last_discharge")
        if found.setdefault(stated.study_instance_uid, stated) is not stated:
            _refuse("study_instance_uid")
    return list(found.values())


def _refuse(field: str) -> NoReturn:
    raise BadRequest(field)
