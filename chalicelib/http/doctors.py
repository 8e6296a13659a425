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
    """The same 202 whether anybody could be asked or not. The code ends at `expires_at`, the app's list at
    `open_until`."""
    fields = asked.fields()
    purpose = cast(Purpose, fields.choice("purpose", get_args(Purpose)))
    made = wiring.request_consent()(asked.caller, fields.text("encounter_id", 128), purpose, asked.now)
    times = {"expires_at": shapes.instant(made.expires_at), "open_until": shapes.instant(made.open_until)}
    return answer({"request_id": made.request_id, **times}, 202)


@routes.post("/consent-requests/verify")
def verify_code(asked: Asked) -> Response:
    fields = asked.fields()
    given = (fields.text("encounter_id", 128), fields.text("request_id", 64), fields.text("code", 16))
    consent = wiring.verify_code()(asked.caller, *given, asked.now)
    return answer(shapes.given(consent))


@routes.post("/consent-requests/outcome")
def read_outcome(asked: Asked) -> Response:
    """What the patient answered in the app: state waiting, approved, denied or expired. For polling."""
    fields = asked.fields()
    given = (fields.text("encounter_id", 128), fields.text("request_id", 64))
    state, consent = wiring.read_outcome()(asked.caller, *given, asked.now)
    return answer({"state": state, "consent": shapes.given(consent) if consent else None})


@routes.post("/consent-requests/qr")
def scan_qr(asked: Asked) -> Response:
    fields = asked.fields()
    given = (fields.text("encounter_id", 128), fields.text("qr", 256))
    purpose = cast(Purpose, fields.choice("purpose", get_args(Purpose), "treatment"))
    return answer(shapes.given(wiring.scan_qr()(asked.caller, *given, purpose, asked.now)))


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
    lap = wiring.Stopwatch()
    made = answer(wiring.view_manifest()(asked.caller, asked.study(), asked.query("token"), asked.now, lap))
    lap("answer")
    wiring.emit_view(lap)
    return made
