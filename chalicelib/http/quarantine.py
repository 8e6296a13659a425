"""What could not be indexed: its hospital sees, corrects and asks; the commission sees all and decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from chalicelib import wiring
from chalicelib.domain.quarantine import UNKNOWN
from chalicelib.domain.release import GROUNDS, Decision, Ground
from chalicelib.http import shapes, upload_shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.errors import tell
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

PAGE = 100
ENTRY_ID = 80  # characters

routes = Routes(__name__)


@routes.get("/hospital/quarantine")
def own_quarantine(asked: Asked) -> Response:
    wiring.on_record()(asked.caller, "read_quarantine", asked.now)
    with asked.own_token():
        found = wiring.list_quarantine()(asked.caller.hospital_id, asked.query("token"), PAGE)
    return answer(shapes.page("records", found, upload_shapes.quarantined))


@routes.post("/hospital/quarantine/replaced")
def close_quarantined(asked: Asked) -> Response:
    """{entry_id, study_instance_uid?, version_id?, offset?, accession_number?}: what took its place has arrived."""
    from chalicelib.services.close_quarantined import Sent

    fields = asked.fields()
    sent = Sent(
        study_instance_uid=fields.optional_text("study_instance_uid", 64),
        version_id=fields.optional_text("version_id", 1024),
        offset=fields.optional_number("offset", 0),
        accession_number=fields.optional_text("accession_number", 64),
    )
    entry_id = fields.text("entry_id", ENTRY_ID)
    done = wiring.close_quarantined()(asked.caller, entry_id, sent, asked.now)
    return tell("not_found") if done is None else answer(upload_shapes.quarantined(done))


@routes.post("/hospital/quarantine/release")
def ask_release(asked: Asked) -> Response:
    """{entry_id, ground}: to be looked at again, on one of the grounds that the list names."""
    fields = asked.fields()
    entry_id, ground = fields.text("entry_id", ENTRY_ID), cast(Ground, fields.choice("ground", GROUNDS))
    done = wiring.ask_release()(asked.caller, entry_id, ground, asked.now)
    return tell("not_found") if done is None else answer(upload_shapes.quarantined(done), 202)


@routes.get("/compliance/quarantine")
def asked_releases(asked: Asked) -> Response:
    """Of all hospitals what waits for a decision."""
    wiring.on_record()(asked.caller, "read_releases", asked.now)
    with asked.own_token():
        found = wiring.standings().asked(asked.query("token"), PAGE)
    return answer(shapes.page("requests", found, upload_shapes.waiting))


@routes.get("/compliance/quarantine/{hospital_id}")
def quarantine_of(asked: Asked) -> Response:
    """`unknown` stands for what lies under a key that names no hospital."""
    hospital_id = UNKNOWN if asked.path["hospital_id"] == UNKNOWN else asked.hospital()
    wiring.on_record()(asked.caller, "read_quarantine", asked.now, of=hospital_id)
    with asked.own_token():
        found = wiring.list_quarantine()(hospital_id, asked.query("token"), PAGE)
    if not found.items and hospital_id != UNKNOWN and wiring.hospitals().get(hospital_id) is None:
        return tell("not_found")
    return answer(shapes.page("records", found, upload_shapes.quarantined_abroad))


@routes.post("/compliance/quarantine/{hospital_id}/decisions")
def decide_release(asked: Asked) -> Response:
    """{entry_id, decision: grant | refuse, note}: what is granted is looked at again, under the rules of any other."""
    fields = asked.fields()
    decision = cast(Decision, fields.choice("decision", get_args(Decision)))
    entry_id, note = fields.text("entry_id", ENTRY_ID), fields.text("note", 500)
    decide = wiring.decide_release()
    done = decide(asked.caller, asked.hospital(), entry_id, decision=decision, note=note, now=asked.now)
    return tell("not_found") if done is None else answer(upload_shapes.quarantined_abroad(done))
