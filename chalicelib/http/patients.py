"""For patients: their own record, who asks for it, what they allowed, who looked, and who acts for them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chalicelib import wiring
from chalicelib.domain.identity import IdentityKey
from chalicelib.http import person_shapes, shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.domain.consent import Consent
    from chalicelib.http.asked import Fields
    from chalicelib.services.decide_request import Choice

CONFIRM = ("yes",)  # what cannot be undone from the app is asked twice
MOST_DAYS = 30  # of an approval in the app (`domain.consent.CONSENT_LIVES`)

routes = Routes(__name__)


@routes.get("/me/studies")
def own_studies(asked: Asked) -> Response:
    with asked.own_token():
        found = wiring.read_own_timeline()(asked.caller, asked.now, asked.query("token"))
    return answer(shapes.page("studies", found, shapes.summary))


@routes.get("/me/consents")
def own_consents(asked: Asked) -> Response:
    given = wiring.read_consents()(asked.caller, asked.now)
    return answer({"consents": [shapes.consent(one) for one in given]})


@routes.post("/me/consents/revoke")
def revoke_consent(asked: Asked) -> Response:
    revoked = wiring.revoke_consent()(asked.caller, asked.fields().text("consent_id", 64), asked.now)
    return answer(shapes.consent(revoked))


@routes.get("/me/accesses")
def own_accesses(asked: Asked) -> Response:
    """?kind=routine: one's own lists and sign-ins, and doctors' polling, which would bury who looked."""
    kind = asked.query("kind")
    if kind not in ("", "routine"):
        raise BadRequest("kind")
    with asked.own_token():
        token, routine = asked.query("token"), kind == "routine"
        found = wiring.read_accesses()(asked.caller, asked.now, token, routine=routine)
    return answer(shapes.page("accesses", wiring.explain_accesses()(found), shapes.access))


@routes.get("/me/identities")
def own_identities(asked: Asked) -> Response:
    known = wiring.read_identities()(asked.caller, asked.now)
    return answer({"identities": [shapes.identity(one) for one in known]})


@routes.get("/me/requests")
def own_requests(asked: Asked) -> Response:
    """Who asks, and the words that approving agrees to."""
    from chalicelib.domain.consent_notice import APP_NOTICE

    found = wiring.read_requests()(asked.caller, asked.now)
    return answer({"requests": [shapes.request(one) for one in found], "notice": shapes.agreement(APP_NOTICE)})


@routes.post("/me/requests/decide")
def decide_request(asked: Asked) -> Response:
    """{request_id, decision: approve|deny, studies?: [{hospital_id, study_instance_uid}], days?: 1 to 30}"""
    fields = asked.fields()
    consent = wiring.decide_request()(asked.caller, fields.text("request_id", 64), choice(fields), asked.now)
    return answer(decided(consent))


@routes.post("/me/qr")
def show_qr(asked: Asked) -> Response:
    """What the phone draws; it needs a new one at `expires_at`."""
    from chalicelib.domain.consent_notice import QR_NOTICE

    shown = wiring.show_qr()(asked.caller, asked.now)
    told = {"qr": shown.text, "expires_at": shapes.instant(shown.expires_at)}
    return answer({**told, "notice": shapes.agreement(QR_NOTICE)}, 201)


@routes.get("/me/guardians")
def own_guardians(asked: Asked) -> Response:
    found = wiring.read_guardians()(asked.caller, asked.now)
    return answer({"guardians": [shapes.guardianship(one) for one in found]})


@routes.post("/me/guardians/object")
def object_to_guardian(asked: Asked) -> Response:
    """{ward}: the `ward` of that guardianship in GET /me/guardians. It stops at once."""
    stopped = wiring.object_to_guardian()(asked.caller, asked.fields().text("ward", 64), asked.now)
    return answer({"ward": stopped.ward, "objected_at": shapes.instant(stopped.objected_at)})


@routes.get("/me/notices")
def own_notices(asked: Asked) -> Response:
    with asked.own_token():
        found = wiring.read_notices()(asked.caller, asked.now, asked.query("token"))
    return answer(shapes.page("notices", found, shapes.notice))


def choice(fields: Fields) -> Choice:
    """What a person decides about a request; all their studies and a day unless they choose."""
    from chalicelib.services.decide_request import Choice

    approve = fields.choice("decision", ("approve", "deny")) == "approve"
    days = fields.optional_number("days", 1, least=1, most=MOST_DAYS)
    return Choice(approve, fields.studies("studies"), timedelta(days=days))


def decided(consent: Consent | None) -> dict[str, Any]:
    return {"state": "approved" if consent else "denied", "consent": shapes.consent(consent) if consent else None}


# One's own hands on one's own record


@routes.post("/me/identities/contest")
def contest_identity(asked: Asked) -> Response:
    fields = asked.fields()
    identity = IdentityKey(fields.hospital("hospital_id"), fields.text("patient_id", 64))
    link = wiring.contest_identity()(asked.caller, identity, asked.now)
    return answer({"hospital_id": identity.issuer, "patient_id": identity.local_id, "status": link.status})


@routes.post("/me/freeze")
def freeze(asked: Asked) -> Response:
    """The "not me" button. The answer says in clear words what is closed, what is not, and how it opens again."""
    asked.fields().choice("confirm", CONFIRM)
    person = wiring.freeze_person()(asked.caller, asked.now)
    return answer({"frozen_at": shapes.instant(person.frozen_at), "message": person_shapes.wording("frozen")})


@routes.post("/me/sessions/end")
def end_sessions(asked: Asked) -> Response:
    """Sign out everywhere, here too."""
    asked.fields().choice("confirm", CONFIRM)
    person = wiring.end_sessions().own(asked.caller, asked.now)
    return answer({"session_epoch": person.session_epoch})


@routes.post("/me/studies/hide")
def hide_study(asked: Asked) -> Response:
    study = asked.fields().study()
    still = wiring.hide_study().hide(asked.caller, study, asked.now)
    return answer({**shapes.study_ref(study), "hidden": True, "still_open_to": [shapes.consent(one) for one in still]})


@routes.post("/me/studies/show")
def show_study(asked: Asked) -> Response:
    study = asked.fields().study()
    wiring.hide_study().show(asked.caller, study, asked.now)
    return answer({**shapes.study_ref(study), "hidden": False})


@routes.get("/me/studies/hidden")
def hidden_studies(asked: Asked) -> Response:
    found = wiring.read_hidden()(asked.caller, asked.now)
    return answer({"studies": [shapes.study_ref(ref) for ref in found]})


@routes.get("/me/phone")
def own_phone(asked: Asked) -> Response:
    return answer(person_shapes.phone(wiring.read_phone()(asked.caller, asked.now)))


@routes.post("/me/phone")
def change_phone(asked: Asked) -> Response:
    """Only the number that the token itself vouches for: the real-name app's."""
    wiring.change_phone()(asked.caller, asked.fields().text("phone", 20), asked.now)
    return answer(person_shapes.phone(wiring.read_phone()(asked.caller, asked.now)))


@routes.post("/me/phone/void")
def void_phone(asked: Asked) -> Response:
    """The "not my number" button."""
    asked.fields().choice("confirm", CONFIRM)
    wiring.void_phone()(asked.caller, asked.now)
    return answer(person_shapes.phone(wiring.read_phone()(asked.caller, asked.now)))


@routes.post("/me/export")
def request_export(asked: Asked) -> Response:
    """A copy of all that is held. It is built apart: GET says how far it is, and then where."""
    asked.fields().choice("confirm", CONFIRM)
    return answer(person_shapes.export(wiring.request_export()(asked.caller, asked.now)), 202)


@routes.get("/me/export")
def own_export(asked: Asked) -> Response:
    return answer(person_shapes.export(wiring.read_export()(asked.caller, asked.now)))
