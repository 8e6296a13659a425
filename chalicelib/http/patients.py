"""For patients: their own record, who asks for it, what they allowed, who looked, and who acts for them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.domain.identity import IdentityKey
from chalicelib.http import person_shapes, shapes
from chalicelib.http import told as types
from chalicelib.http.asked import Asked
from chalicelib.http.kinds import HOSPITAL, STUDY, TOKEN, UID, Kinds, listed, one_of, optional, text, whole
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalicelib.domain.consent import Consent
    from chalicelib.http.asked import Fields
    from chalicelib.services.decide_request import Choice

CONFIRM: Kinds = {"confirm": one_of(("yes",))}  # what cannot be undone from the app is asked twice
MOST_STUDIES = 10_000  # in one choice
MOST_DAYS = 30  # of an approval in the app (`domain.consent.CONSENT_LIVES`)
LIST: Kinds = {"token": TOKEN}
CHOICE: Kinds = {
    "request_id": text(64),
    "decision": one_of(("approve", "deny")),
    "studies": optional(listed(STUDY, MOST_STUDIES)),
    "days": optional(whole(1, MOST_DAYS), 1),
}
ONE_STUDY: Kinds = {"hospital_id": HOSPITAL, "study_instance_uid": UID}

routes = Routes()


@routes.get("/me/studies", query=LIST)
def own_studies(asked: Asked) -> types.Studies:
    """Of all hospitals, newest first. Part by part."""
    with asked.own_token():
        found = wiring.read_own_timeline()(asked.caller, asked.now, asked.query("token"))
    return shapes.studies(found)


@routes.get("/me/consents")
def own_consents(asked: Asked) -> types.Consents:
    """What was allowed, to whom, and until when."""
    given = wiring.read_consents()(asked.caller, asked.now)
    return shapes.consents(given)


@routes.post("/me/consents/revoke", body={"consent_id": text(64)})
def revoke_consent(asked: Asked) -> types.Consent:
    """It ends now; links that are out already open for five minutes at most."""
    revoked = wiring.revoke_consent()(asked.caller, asked.fields().text("consent_id"), asked.now)
    return shapes.consent(revoked)


@routes.get("/me/accesses", query={**LIST, "kind": optional(one_of(("routine",)), "")})
def own_accesses(asked: Asked) -> types.Accesses:
    """?kind=routine: one's own lists and sign-ins, and doctors' polling, which would bury who looked."""
    routine = asked.query("kind") == "routine"
    with asked.own_token():
        token = asked.query("token")
        found = wiring.read_accesses()(asked.caller, asked.now, token, routine=routine)
    return shapes.accesses(wiring.explain_accesses()(found))


@routes.get("/me/identities")
def own_identities(asked: Asked) -> types.Identities:
    """One's own numbers at hospitals."""
    known = wiring.read_identities()(asked.caller, asked.now)
    return {"identities": [shapes.identity(one) for one in known]}


@routes.get("/me/requests")
def own_requests(asked: Asked) -> types.Requests:
    """Who asks, and the words that approving agrees to."""
    from chalicelib.domain.consent_notice import APP_NOTICE

    found = wiring.read_requests()(asked.caller, asked.now)
    return shapes.requests(found, APP_NOTICE)


@routes.post("/me/requests/decide", body=CHOICE, tells=("request_closed",))
def decide_request(asked: Asked) -> types.Decided:
    """All one's studies for a day, unless `studies` and `days` say less or more."""
    fields = asked.fields()
    consent = wiring.decide_request()(asked.caller, fields.text("request_id"), choice(fields), asked.now)
    return decided(consent)


@routes.post("/me/qr", status=201)
def show_qr(asked: Asked) -> types.Qr:
    """What the phone draws; it needs a new one at `expires_at`."""
    from chalicelib.domain.consent_notice import QR_NOTICE

    return shapes.qr(wiring.show_qr()(asked.caller, asked.now), QR_NOTICE)


@routes.get("/me/guardians")
def own_guardians(asked: Asked) -> types.Guardians:
    """Who may act for oneself, and who once could."""
    return shapes.guardianships(wiring.read_guardians()(asked.caller, asked.now))


@routes.post("/me/guardians/object", body={"ward": text(64)})
def object_to_guardian(asked: Asked) -> types.StoppedGuardian:
    """`ward`: the `ward` of that guardianship in GET /me/guardians. It stops at once."""
    return shapes.stopped_guardian(wiring.object_to_guardian()(asked.caller, asked.fields().text("ward"), asked.now))


@routes.get("/me/notices", query=LIST)
def own_notices(asked: Asked) -> types.Notices:
    """What others did about oneself, newest first. Part by part."""
    with asked.own_token():
        found = wiring.read_notices()(asked.caller, asked.now, asked.query("token"))
    return {"notices": [shapes.notice(one) for one in found.items], "next_token": found.next_token}


def choice(fields: Fields) -> Choice:
    """What a person decides about a request; all their studies and a day unless they choose."""
    from chalicelib.services.decide_request import Choice

    approve = fields.choice("decision") == "approve"
    days = fields.number("days")
    return Choice(approve, fields.studies("studies"), timedelta(days=days))


def decided(consent: Consent | None) -> types.Decided:
    return {"state": "approved" if consent else "denied", "consent": shapes.consent(consent) if consent else None}


# One's own hands on one's own record


@routes.post("/me/identities/contest", body={"hospital_id": HOSPITAL, "patient_id": text(64)})
def contest_identity(asked: Asked) -> types.ContestedIdentity:
    """A hospital's number that is not one's own: it gives nothing to anybody, until a desk sees the card."""
    fields = asked.fields()
    identity = IdentityKey(fields.hospital("hospital_id"), fields.text("patient_id"))
    link = wiring.contest_identity()(asked.caller, identity, asked.now)
    return {"hospital_id": identity.issuer, "patient_id": identity.local_id, "status": link.status}


@routes.post("/me/freeze", body=CONFIRM)
def freeze(asked: Asked) -> types.Frozen:
    """The "not me" button. The answer says in clear words what is closed, what is not, and how it opens again."""
    asked.fields().choice("confirm")
    person = wiring.freeze_person()(asked.caller, asked.now)
    return {"frozen_at": shapes.instant(person.frozen_at), "message": person_shapes.wording("frozen")}


@routes.post("/me/sessions/end", body=CONFIRM)
def end_sessions(asked: Asked) -> person_shapes.Epoch:
    """Sign out everywhere, here too."""
    asked.fields().choice("confirm")
    person = wiring.end_sessions().own(asked.caller, asked.now)
    return {"session_epoch": person.session_epoch}


@routes.post("/me/studies/hide", body=ONE_STUDY)
def hide_study(asked: Asked) -> types.Hidden:
    """No reminder, lookup or later consent shows it, unless one picks it oneself. `still_open_to`: consents that hold
    it already, and go on."""
    study = asked.fields().study()
    still = wiring.hide_study().hide(asked.caller, study, asked.now)
    return {**shapes.study_ref(study), "hidden": True, "still_open_to": [shapes.consent(one) for one in still]}


@routes.post("/me/studies/show", body=ONE_STUDY)
def show_study(asked: Asked) -> types.Shown:
    """A hidden study is out of sight no more."""
    study = asked.fields().study()
    wiring.hide_study().show(asked.caller, study, asked.now)
    return {**shapes.study_ref(study), "hidden": False}


@routes.get("/me/studies/hidden")
def hidden_studies(asked: Asked) -> types.Refs:
    """What one hides."""
    found = wiring.read_hidden()(asked.caller, asked.now)
    return {"studies": [shapes.study_ref(ref) for ref in found]}


@routes.get("/me/phone")
def own_phone(asked: Asked) -> person_shapes.Phone:
    """One's own verified number, masked, and what it opens."""
    return person_shapes.phone(wiring.read_phone()(asked.caller, asked.now))


@routes.post("/me/phone", body={"phone": text(20)}, tells=("phone_not_vouched",))
def change_phone(asked: Asked) -> person_shapes.Phone:
    """Only the number that the token itself vouches for: the real-name app's."""
    wiring.change_phone()(asked.caller, asked.fields().text("phone"), asked.now)
    return person_shapes.phone(wiring.read_phone()(asked.caller, asked.now))


@routes.post("/me/phone/void", body=CONFIRM)
def void_phone(asked: Asked) -> person_shapes.Phone:
    """The "not my number" button."""
    asked.fields().choice("confirm")
    wiring.void_phone()(asked.caller, asked.now)
    return person_shapes.phone(wiring.read_phone()(asked.caller, asked.now))


@routes.post("/me/export", body=CONFIRM, status=202, tells=("export_limit",))
def request_export(asked: Asked) -> person_shapes.Export:
    """A copy of all that is held. It is built apart: GET says how far it is, and then where."""
    asked.fields().choice("confirm")
    return person_shapes.export(wiring.request_export()(asked.caller, asked.now))


@routes.get("/me/export")
def own_export(asked: Asked) -> person_shapes.Export:
    """How far the copy is; once it is ready, a link for five minutes."""
    return person_shapes.export(wiring.read_export()(asked.caller, asked.now))
