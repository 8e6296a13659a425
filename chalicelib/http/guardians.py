"""For guardians: what they may do for a ward, named by the reference in X-Ward that GET /wards gives."""

from __future__ import annotations

from chalicelib import wiring
from chalicelib.http import person_shapes, shapes
from chalicelib.http import told as types
from chalicelib.http.asked import Asked
from chalicelib.http.kinds import text
from chalicelib.http.patients import CHOICE, CONFIRM, LIST, choice, decided
from chalicelib.http.routes import Routes

routes = Routes()


@routes.get("/wards")
def own_wards(asked: Asked) -> types.Wards:
    """Whom one may act for: X-Ward names the `ward` of one. Who may not act yet, or any more, sees no name."""
    found = wiring.read_wards()(asked.caller, asked.now)
    return {"wards": [shapes.guardianship(one) for one in found]}


@routes.get("/wards/studies", query=LIST)
def wards_studies(asked: Asked) -> types.Studies:
    """A ward's studies of all hospitals, newest first. Part by part."""
    ward = asked.ward()
    with asked.own_token():
        found = wiring.read_own_timeline()(asked.caller, asked.now, asked.query("token"), ward=ward)
    return shapes.studies(found)


@routes.get("/wards/requests")
def wards_requests(asked: Asked) -> types.Requests:
    """Doctors who ask for a ward, and the words that approving agrees to."""
    from chalicelib.domain.consent_notice import GUARDIAN_NOTICE

    found = wiring.read_requests()(asked.caller, asked.now, asked.ward())
    return shapes.requests(found, GUARDIAN_NOTICE)


@routes.post("/wards/requests/decide", body=CHOICE, tells=("request_closed",))
def decide_for_ward(asked: Asked) -> types.Decided:
    """All the ward's studies for a day, unless `studies` and `days` say less or more."""
    fields = asked.fields()
    given = (fields.text("request_id"), choice(fields), asked.now)
    return decided(wiring.decide_request()(asked.caller, *given, asked.ward()))


@routes.get("/wards/consents")
def wards_consents(asked: Asked) -> types.Consents:
    """What was allowed for a ward, to whom, and until when."""
    return shapes.consents(wiring.read_consents()(asked.caller, asked.now, asked.ward()))


@routes.post("/wards/consents/revoke", body={"consent_id": text(64)})
def revoke_for_ward(asked: Asked) -> types.Consent:
    """It ends now; links that are out already open for five minutes at most."""
    consent_id = asked.fields().text("consent_id")
    return shapes.consent(wiring.revoke_consent()(asked.caller, consent_id, asked.now, asked.ward()))


@routes.get("/wards/accesses", query=LIST)
def wards_accesses(asked: Asked) -> types.Accesses:
    """Who looked at a ward's record or tried to, newest first. Part by part."""
    ward = asked.ward()
    with asked.own_token():
        found = wiring.read_accesses()(asked.caller, asked.now, asked.query("token"), ward=ward)
    return shapes.accesses(wiring.explain_accesses()(found))


@routes.post("/wards/qr", status=201)
def show_wards_qr(asked: Asked) -> types.Qr:
    """What the phone draws for a ward's doctor; it needs a new one at `expires_at`."""
    from chalicelib.domain.consent_notice import QR_NOTICE

    return shapes.qr(wiring.show_qr()(asked.caller, asked.now, asked.ward()), QR_NOTICE)


@routes.post("/wards/export", body=CONFIRM, status=202, tells=("export_limit",))
def request_wards_export(asked: Asked) -> person_shapes.Export:
    """A copy of all that is held about the ward, as POST /me/export."""
    ward = asked.ward()
    asked.fields().choice("confirm")
    return person_shapes.export(wiring.request_export()(asked.caller, asked.now, ward))


@routes.get("/wards/export")
def wards_export(asked: Asked) -> person_shapes.Export:
    """How far the copy is; once it is ready, a link for five minutes."""
    return person_shapes.export(wiring.read_export()(asked.caller, asked.now, asked.ward()))


@routes.get("/wards/guardians")
def wards_guardians(asked: Asked) -> types.Guardians:
    """All who may act for a ward, those who still wait too."""
    return shapes.guardianships(wiring.read_guardians()(asked.caller, asked.now, asked.ward()))


@routes.post("/wards/guardians/object", body={"ward": text(64)})
def object_for_ward(asked: Asked) -> types.StoppedGuardian:
    """`ward`: the `ward` of another guardianship of this ward that still waits; X-Ward is one's own."""
    other = asked.fields().text("ward")
    return shapes.stopped_guardian(wiring.object_for_ward()(asked.caller, other, asked.now, asked.ward()))
