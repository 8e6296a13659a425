"""For hospitals' systems and desks: their own uploads, notices, deadlines, and registering who stands before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast, get_args

from chalicelib import wiring
from chalicelib.domain.guardian import Document, WardKind
from chalicelib.domain.identity import LinkStatus, PatientDetails
from chalicelib.http import shapes, upload_shapes
from chalicelib.http import told as types
from chalicelib.http.asked import Asked
from chalicelib.http.desks import CARD
from chalicelib.http.errors import tell
from chalicelib.http.json_types import Instant
from chalicelib.http.kinds import FLAG, TOKEN, Kinds, one_of, optional, text, thing, whole
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.http.asked import Fields
    from chalicelib.services.prove_guardian import Card

EXCLUSION: Kinds = {
    "kind": one_of(("exclude",)),
    "version_id": text(1024),
    "offset": optional(whole(), 0),
    "reason": text(500),
}
PATIENT: Kinds = {
    "patient_id": text(64),
    **CARD,
    "sex": optional(text(8), ""),
    "birth_date": optional(text(10), ""),
    "phone": optional(text(20), ""),
}
PAIR: Kinds = {"ward": thing(**CARD), "guardian": thing(**CARD)}
CLAIM: Kinds = {
    **PAIR,
    "kind": one_of(get_args(WardKind)),
    "document": one_of(get_args(Document)),
    "ward_present": optional(FLAG, default=False),
}

routes = Routes()


class AcceptedNotice(TypedDict):
    """Where it lies; it is read from there."""

    notice_key: str


class MadeAmendment(TypedDict):
    amendment_id: str


class RegisteredPatient(TypedDict):
    """`phone` is masked; "" where the person has no verified one. While `phone_waits` it opens only the hospitals that
    saw it: until `phone_opens_at`, where that is not null. `name_differs`: the person keeps another name than this
    desk's."""

    person_id: str
    patient_id: str
    status: LinkStatus
    phone: str
    phone_waits: bool
    phone_opens_at: Instant | None
    name_differs: bool


class ProvenGuardian(TypedDict):
    starts_at: Instant | None
    ends_at: Instant | None


class EndedGuardian(TypedDict):
    ended_at: Instant | None


@routes.post("/hospital/notices", body={}, status=202)
def send_notice(asked: Asked) -> AcceptedNotice:
    """What a notice says is read where all notices are, as infra/NOTICES.md tells; here it is any JSON object."""
    asked.fields()
    wiring.on_record()(asked.caller, "send_notice", asked.now)
    return {"notice_key": wiring.accept_notice()(asked.caller, asked.raw(), asked.now)}


@routes.get("/hospital/studies/{uid}", query={"token": TOKEN}, tells=("not_found", "manifest_changed"))
def inspect_study(asked: Asked) -> types.Inspected | Response:
    """What of an own study arrived and how each object stands. Part by part."""
    study, token = asked.study(), asked.query("token")
    wiring.on_record()(asked.caller, "inspect_study", asked.now, study=study)
    found = wiring.inspect_study()(study, token)
    return tell("not_found") if found is None else shapes.inspected(found)


@routes.get("/hospital/studies/{uid}/receipt", query={"token": TOKEN}, tells=("not_found", "manifest_changed"))
def receipt(asked: Asked) -> upload_shapes.StudyReceipt | Response:
    """What of the study arrived, under a root whose statement stands in the sealed audit."""
    found = wiring.give_receipt()(asked.caller, asked.study(), asked.query("token"), asked.now)
    return tell("not_found") if found is None else upload_shapes.receipt(found)


@routes.get("/hospital/studies/{uid}/retention", tells=("not_found",))
def retention(asked: Asked) -> types.Retention | Response:
    """By which rule and through which day the study must be kept, and whether that is over."""
    study = asked.study()
    wiring.on_record()(asked.caller, "judge_retention", asked.now, study=study)
    found = wiring.judge_retention()(study, asked.now)
    return tell("not_found") if found is None else shapes.retention(found, asked.now)


@routes.post("/hospital/studies/{uid}/amendments", body=EXCLUSION, status=202, tells=("not_found",))
def exclude_entry(asked: Asked) -> MadeAmendment:
    """This entry is served no more."""
    fields = asked.fields()
    fields.choice("kind")
    place = asked.study(), fields.text("version_id"), fields.number("offset")
    reason = fields.text("reason")
    wiring.on_record()(asked.caller, "exclude_entry", asked.now, study=place[0])
    made = wiring.amend_study().exclude(*place, reason=reason, made_by=asked.caller.subject, now=asked.now)
    return {"amendment_id": made.amendment_id}


@routes.post("/desk/registrations", body=PATIENT, status=201, tells=("registration_refused",))
def register_patient(asked: Asked) -> RegisteredPatient:
    """As the card says, and the number that the patient has shown to be theirs."""
    fields = asked.fields()
    patient = PatientDetails(
        patient_id=fields.text("patient_id"),
        national_id=fields.text("national_id"),
        name=fields.text("name"),
        sex=fields.text("sex"),
        birth_date=fields.text("birth_date"),
        phone=fields.text("phone"),
    )
    done = wiring.register_patient()(asked.caller, patient, asked.now)
    return {
        "person_id": done.person_id,
        "patient_id": done.identity.local_id,
        "status": done.status,
        "phone": done.phone,
        "phone_waits": done.phone_waits,
        "phone_opens_at": shapes.instant(done.phone_opens_at),
        "name_differs": done.name_differs,
    }


@routes.post("/desk/guardians", body=CLAIM, status=201, tells=("guardian_refused",))
def prove_guardian(asked: Asked) -> ProvenGuardian:
    """Both cards as the reader read them; `ward_present`: the ward stands at the desk too."""
    from chalicelib.services.prove_guardian import Claim

    fields = asked.fields()
    claim = Claim(
        ward=_card(fields, "ward"),
        guardian=_card(fields, "guardian"),
        kind=cast(WardKind, fields.choice("kind")),
        document=cast(Document, fields.choice("document")),
        ward_present=fields.flag("ward_present"),
    )
    held = wiring.prove_guardian()(asked.caller, claim, asked.now)
    return {"starts_at": shapes.instant(held.starts_at), "ends_at": shapes.instant(held.ends_at)}


@routes.post("/desk/guardians/end", body=PAIR, tells=("guardian_refused",))
def end_guardian(asked: Asked) -> EndedGuardian:
    """Say after a court's decision."""
    fields = asked.fields()
    ended = wiring.end_guardian()(asked.caller, _card(fields, "ward"), _card(fields, "guardian"), asked.now)
    return {"ended_at": shapes.instant(ended.ended_at)}


def _card(fields: Fields, whose: str) -> Card:
    from chalicelib.services.prove_guardian import Card

    part = fields.part(whose)
    return Card(part.text("national_id"), part.text("name"))
