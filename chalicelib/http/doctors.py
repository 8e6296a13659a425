"""For doctors: asking the patient, what the patient allowed, and the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast, get_args

from chalicelib import wiring
from chalicelib.domain.access import Purpose
from chalicelib.http import shapes
from chalicelib.http import told as types
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.json_types import Instant
from chalicelib.http.kinds import TOKEN, one_of, optional, text
from chalicelib.http.manifest_shapes import Manifest
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

ENCOUNTER_ID, REQUEST_ID, PURPOSE = text(128), text(64), one_of(get_args(Purpose))

routes = Routes()


class Requested(TypedDict):
    """The code ends at `expires_at`, the app's list at `open_until`."""

    request_id: str
    expires_at: Instant | None
    open_until: Instant | None


@routes.post("/consent-requests", body={"encounter_id": ENCOUNTER_ID, "purpose": PURPOSE}, status=202)
def request_consent(asked: Asked) -> Requested:
    """The same 202 whether anybody could be asked or not."""
    fields = asked.fields()
    purpose = cast(Purpose, fields.choice("purpose"))
    made = wiring.request_consent()(asked.caller, fields.text("encounter_id"), purpose, asked.now)
    return {
        "request_id": made.request_id,
        "expires_at": shapes.instant(made.expires_at),
        "open_until": shapes.instant(made.open_until),
    }


@routes.post(
    "/consent-requests/verify",
    body={"encounter_id": ENCOUNTER_ID, "request_id": REQUEST_ID, "code": text(16)},
    tells=("code_refused", "code_locked"),
)
def verify_code(asked: Asked) -> types.GivenConsent:
    """The code that the patient reads out."""
    fields = asked.fields()
    given = (fields.text("encounter_id"), fields.text("request_id"), fields.text("code"))
    return shapes.given(wiring.verify_code()(asked.caller, *given, asked.now))


@routes.post("/consent-requests/outcome", body={"encounter_id": ENCOUNTER_ID, "request_id": REQUEST_ID})
def read_outcome(asked: Asked) -> types.Outcome:
    """What the patient answered in the app: state waiting, approved, denied or expired. For polling."""
    fields = asked.fields()
    given = (fields.text("encounter_id"), fields.text("request_id"))
    return shapes.outcome(*wiring.read_outcome()(asked.caller, *given, asked.now))


@routes.post(
    "/consent-requests/qr",
    body={"encounter_id": ENCOUNTER_ID, "qr": text(256), "purpose": optional(PURPOSE, "treatment")},
    tells=("qr_refused", "identity_unlinked"),
)
def scan_qr(asked: Asked) -> types.GivenConsent:
    """The code that the patient's phone shows."""
    fields = asked.fields()
    given = (fields.text("encounter_id"), fields.text("qr"))
    purpose = cast(Purpose, fields.choice("purpose"))
    return shapes.given(wiring.scan_qr()(asked.caller, *given, purpose, asked.now))


@routes.get("/encounters/{encounter_id}/timeline", query={"token": TOKEN})
def encounter_timeline(asked: Asked) -> types.Studies:
    """What of the patient's other hospitals the doctor may open, and of their own. Part by part."""
    with asked.own_token():
        found = wiring.read_encounter_timeline()(
            asked.caller, asked.name("encounter_id"), asked.now, asked.query("token")
        )
    return shapes.studies(found)


@routes.get(
    "/hospitals/{hospital_id}/studies/{uid}/manifest",
    query={"token": TOKEN},
    answers={200: Manifest},
    tells=("manifest_changed", "study_conflicted", "break_glass_suspended"),
)
def view_manifest(asked: Asked) -> Response:
    """For the patient too: the Grant decides, not the role."""
    lap = wiring.Stopwatch()
    made = answer(wiring.view_manifest()(asked.caller, asked.study(), asked.query("token"), asked.now, lap))
    lap("answer")
    wiring.emit_view(lap)
    return made
