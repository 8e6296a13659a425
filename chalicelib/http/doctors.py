"""For doctors: asking the patient, what the patient allowed, and the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from chalicelib import wiring
from chalicelib.domain.access import Purpose
from chalicelib.http import shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

routes = Routes(__name__)


@routes.post("/consent-requests")
def request_consent(asked: Asked) -> Response:
    """The same 202 whether anybody could be asked or not."""
    fields = asked.fields()
    purpose = cast(Purpose, fields.choice("purpose", get_args(Purpose)))
    made = wiring.request_consent()(asked.caller, fields.text("encounter_id", 128), purpose, asked.now)
    return answer({"request_id": made.request_id, "expires_at": made.expires_at.isoformat()}, 202)


@routes.post("/consent-requests/verify")
def verify_code(asked: Asked) -> Response:
    fields = asked.fields()
    given = (fields.text("encounter_id", 128), fields.text("request_id", 64), fields.text("code", 16))
    consent = wiring.verify_code()(asked.caller, *given, asked.now)
    studies = [shapes.study_ref(ref) for ref in sorted(consent.studies)]
    expires_at = consent.expires_at.isoformat()
    return answer({"consent_id": consent.consent_id, "expires_at": expires_at, "studies": studies})


@routes.get("/encounters/{encounter_id}/timeline")
def encounter_timeline(asked: Asked) -> Response:
    with asked.own_token():
        found = wiring.read_encounter_timeline()(
            asked.caller, asked.name("encounter_id"), asked.now, asked.query("token")
        )
    return answer(shapes.page("studies", found, shapes.summary))


@routes.get("/hospitals/{hospital_id}/studies/{uid}/manifest")
def view_manifest(asked: Asked) -> Response:
    """For the patient too: the Grant decides, not the role."""
    return answer(wiring.view_manifest()(asked.caller, asked.study(), asked.query("token"), asked.now))
