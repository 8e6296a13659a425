"""For hospitals' systems and desks: their own uploads, notices, deadlines, and registering who stands before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from chalicelib import wiring
from chalicelib.domain.identity import PatientDetails
from chalicelib.http import shapes, upload_shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.errors import tell
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.http.asked import Fields
    from chalicelib.services.prove_guardian import Card


routes = Routes(__name__)


@routes.post("/hospital/notices")
def send_notice(asked: Asked) -> Response:
    asked.fields()  # a JSON object; what it says is read where all notices are
    wiring.on_record()(asked.caller, "send_notice", asked.now)
    return answer({"notice_key": wiring.accept_notice()(asked.caller, asked.raw(), asked.now)}, 202)


@routes.get("/hospital/studies/{uid}")
def inspect_study(asked: Asked) -> Response:
    study, token = asked.study(), asked.query("token")
    wiring.on_record()(asked.caller, "inspect_study", asked.now, study=study)
    found = wiring.inspect_study()(study, token)
    return tell("not_found") if found is None else answer(shapes.inspected(found))


@routes.get("/hospital/studies/{uid}/receipt")
def receipt(asked: Asked) -> Response:
    """What of the study arrived, under a root whose statement stands in the sealed audit."""
    found = wiring.give_receipt()(asked.caller, asked.study(), asked.query("token"), asked.now)
    return tell("not_found") if found is None else answer(upload_shapes.receipt(found))


@routes.get("/hospital/studies/{uid}/retention")
def retention(asked: Asked) -> Response:
    """By which rule and through which day the study must be kept, and whether that is over."""
    study = asked.study()
    wiring.on_record()(asked.caller, "judge_retention", asked.now, study=study)
    found = wiring.judge_retention()(study, asked.now)
    return tell("not_found") if found is None else answer(shapes.retention(found, asked.now))


@routes.post("/hospital/studies/{uid}/amendments")
def exclude_entry(asked: Asked) -> Response:
    """{"kind": "exclude", "version_id", "offset", "reason"}: this entry is served no more."""
    fields = asked.fields()
    fields.choice("kind", ("exclude",))
    place = asked.study(), fields.text("version_id", 1024), fields.optional_number("offset", 0)
    reason = fields.text("reason", 500)
    wiring.on_record()(asked.caller, "exclude_entry", asked.now, study=place[0])
    made = wiring.amend_study().exclude(*place, reason=reason, made_by=asked.caller.subject, now=asked.now)
    return answer({"amendment_id": made.amendment_id}, 202)


@routes.post("/desk/registrations")
def register_patient(asked: Asked) -> Response:
    fields = asked.fields()
    patient = PatientDetails(
        patient_id=fields.text("patient_id", 64),
        national_id=fields.text("national_id", 32),
        name=fields.text("name", 64),
        sex=fields.optional_text("sex", 8),
        birth_date=fields.optional_text("birth_date", 10),
        phone=fields.optional_text("phone", 20),
    )
    done = wiring.register_patient()(asked.caller, patient, asked.now)
    told = {"person_id": done.person_id, "patient_id": done.identity.local_id, "status": done.status}
    phone = {
        "phone": done.phone,
        "phone_waits": done.phone_waits,
        "phone_opens_at": shapes.instant(done.phone_opens_at),
    }
    return answer({**told, **phone, "name_differs": done.name_differs}, 201)


@routes.post("/desk/guardians")
def prove_guardian(asked: Asked) -> Response:
    """{ward: {national_id, name}, guardian: {national_id, name}, kind: minor|incapacity, document, ward_present?}"""
    from chalicelib.domain.guardian import Document, WardKind
    from chalicelib.services.prove_guardian import Claim

    fields = asked.fields()
    claim = Claim(
        ward=_card(fields, "ward"),
        guardian=_card(fields, "guardian"),
        kind=cast(WardKind, fields.choice("kind", get_args(WardKind))),
        document=cast(Document, fields.choice("document", get_args(Document))),
        ward_present=fields.flag("ward_present", default=False),
    )
    held = wiring.prove_guardian()(asked.caller, claim, asked.now)
    return answer({"starts_at": shapes.instant(held.starts_at), "ends_at": shapes.instant(held.ends_at)}, 201)


@routes.post("/desk/guardians/end")
def end_guardian(asked: Asked) -> Response:
    """{ward: {national_id, name}, guardian: {national_id, name}}"""
    fields = asked.fields()
    ended = wiring.end_guardian()(asked.caller, _card(fields, "ward"), _card(fields, "guardian"), asked.now)
    return answer({"ended_at": shapes.instant(ended.ended_at)})


def _card(fields: Fields, whose: str) -> Card:
    from chalicelib.services.prove_guardian import Card

    part = fields.part(whose)
    return Card(part.text("national_id", 32), part.text("name", 64))
