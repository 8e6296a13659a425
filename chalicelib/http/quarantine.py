"""What could not be indexed: its hospital sees, corrects and asks; the commission sees all and decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from chalicelib import wiring
from chalicelib.domain.quarantine import UNKNOWN
from chalicelib.domain.release import GROUNDS, Decision, Ground
from chalicelib.http import upload_shapes as shapes
from chalicelib.http.asked import Asked
from chalicelib.http.errors import tell
from chalicelib.http.kinds import TOKEN, Kinds, one_of, optional, text, whole
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

PAGE = 100
LIST: Kinds = {"token": TOKEN}
ENTRY_ID = text(80)
REPLACED: Kinds = {
    "entry_id": ENTRY_ID,
    "study_instance_uid": optional(text(64), ""),
    "version_id": optional(text(1024), ""),
    "offset": optional(whole(), 0),
    "accession_number": optional(text(64), ""),
}

routes = Routes()


@routes.get("/hospital/quarantine", query=LIST)
def own_quarantine(asked: Asked) -> shapes.AllOwnQuarantined:
    """What could not be indexed, why, and what can be done about it. Part by part."""
    wiring.on_record()(asked.caller, "read_quarantine", asked.now)
    with asked.own_token():
        found = wiring.list_quarantine()(asked.caller.hospital_id, asked.query("token"), PAGE)
    return shapes.own_quarantine(found)


@routes.post("/hospital/quarantine/replaced", body=REPLACED, tells=("not_found", "quarantine_refused"))
def close_quarantined(asked: Asked) -> shapes.OwnQuarantined | Response:
    """What took its place has arrived: an entry of a study, or of a notice the exam's accession number or study."""
    from chalicelib.services.close_quarantined import Sent

    fields = asked.fields()
    sent = Sent(
        study_instance_uid=fields.text("study_instance_uid"),
        version_id=fields.text("version_id"),
        offset=fields.number("offset"),
        accession_number=fields.text("accession_number"),
    )
    done = wiring.close_quarantined()(asked.caller, fields.text("entry_id"), sent, asked.now)
    return tell("not_found") if done is None else shapes.quarantined(done)


@routes.post(
    "/hospital/quarantine/release",
    body={"entry_id": ENTRY_ID, "ground": one_of(GROUNDS)},
    status=202,
    tells=("not_found", "quarantine_refused"),
)
def ask_release(asked: Asked) -> shapes.OwnQuarantined | Response:
    """To be looked at again, on one of the grounds that the list names."""
    fields = asked.fields()
    entry_id, ground = fields.text("entry_id"), cast(Ground, fields.choice("ground"))
    done = wiring.ask_release()(asked.caller, entry_id, ground, asked.now)
    return tell("not_found") if done is None else shapes.quarantined(done)


@routes.get("/compliance/quarantine", query=LIST)
def asked_releases(asked: Asked) -> shapes.AskedReleases:
    """Of all hospitals what waits for a decision."""
    wiring.on_record()(asked.caller, "read_releases", asked.now)
    with asked.own_token():
        found = wiring.standings().asked(asked.query("token"), PAGE)
    return shapes.releases(found)


@routes.get("/compliance/quarantine/{hospital_id}", query=LIST, tells=("not_found",))
def quarantine_of(asked: Asked) -> shapes.AllQuarantinedAbroad | Response:
    """`unknown` stands for what lies under a key that names no hospital."""
    hospital_id = UNKNOWN if asked.path["hospital_id"] == UNKNOWN else asked.hospital()
    wiring.on_record()(asked.caller, "read_quarantine", asked.now, of=hospital_id)
    with asked.own_token():
        found = wiring.list_quarantine()(hospital_id, asked.query("token"), PAGE)
    if not found.items and hospital_id != UNKNOWN and wiring.hospitals().get(hospital_id) is None:
        return tell("not_found")
    return shapes.quarantine_abroad(found)


@routes.post(
    "/compliance/quarantine/{hospital_id}/decisions",
    body={"entry_id": ENTRY_ID, "decision": one_of(get_args(Decision)), "note": text(500)},
    tells=("not_found", "quarantine_refused"),
)
def decide_release(asked: Asked) -> shapes.QuarantinedAbroad | Response:
    """What is granted is looked at again, under the rules of any other."""
    fields = asked.fields()
    decision = cast(Decision, fields.choice("decision"))
    entry_id, note = fields.text("entry_id"), fields.text("note")
    decide = wiring.decide_release()
    done = decide(asked.caller, asked.hospital(), entry_id, decision=decision, note=note, now=asked.now)
    return tell("not_found") if done is None else shapes.quarantined_abroad(done)
