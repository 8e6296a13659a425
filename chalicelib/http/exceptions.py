"""What is done without the patient's own answer: doctors and witnesses, the desk's papers, the officer's reviews."""

from __future__ import annotations

from typing import cast, get_args

from chalicelib import wiring
from chalicelib.domain.assisted import AssistedReason
from chalicelib.domain.break_glass import BreakGlassReason
from chalicelib.domain.hand_over import HandedHow
from chalicelib.domain.review import Verdict
from chalicelib.http import exception_shapes as shapes
from chalicelib.http import told as types
from chalicelib.http.asked import Asked
from chalicelib.http.doctors import ENCOUNTER_ID, REQUEST_ID
from chalicelib.http.kinds import TOKEN, Kinds, one_of, optional, text
from chalicelib.http.routes import Routes
from chalicelib.http.shapes import given

CONSENT_ID, REVIEW_ID = text(64), text(64)
NATIONAL_ID = text(32)  # as the reader read it
OWN_WORDS = text(1000)
OBJECTION: Kinds = {"consent_id": CONSENT_ID, "text": optional(OWN_WORDS, "")}
EMERGENCY: Kinds = {
    "encounter_id": ENCOUNTER_ID,
    "reason": one_of(get_args(BreakGlassReason)),
    "text": OWN_WORDS,
    "confirmation": text(128),
}

routes = Routes()


@routes.post(
    "/assisted-requests",
    body={"encounter_id": ENCOUNTER_ID, "national_id": NATIONAL_ID, "reason": one_of(get_args(AssistedReason))},
    status=202,
    tells=("card_refused", "identity_unlinked", "phone_exists"),
)
def request_assisted(asked: Asked) -> shapes.AskedAssisted:
    """`national_id`: as the reader read it. The answer holds what to read to the patient."""
    from chalicelib.domain.consent_notice import ASSISTED_NOTICE
    from chalicelib.services.request_assisted import CardRead

    fields = asked.fields()
    reason = cast(AssistedReason, fields.choice("reason"))
    read = CardRead(fields.text("encounter_id"), fields.text("national_id"), reason)
    return shapes.asked(wiring.request_assisted()(asked.caller, read, asked.now), ASSISTED_NOTICE)


@routes.post("/assisted-requests/outcome", body={"encounter_id": ENCOUNTER_ID, "request_id": REQUEST_ID})
def assisted_outcome(asked: Asked) -> shapes.ToldAssisted:
    """For the doctor to poll."""
    fields = asked.fields()
    named = (fields.text("encounter_id"), fields.text("request_id"))
    return shapes.outcome(*wiring.read_assisted_outcome()(asked.caller, *named, asked.now))


@routes.get("/assisted-requests")
def waiting_requests(asked: Asked) -> shapes.AllWaitingAssisted:
    """What waits for a witness at this hospital."""
    found = wiring.read_assisted()(asked.caller, asked.now)
    return {"requests": [shapes.waiting(one) for one in found]}


@routes.post(
    "/assisted-requests/confirm",
    body={"request_id": REQUEST_ID},
    status=201,
    tells=("assisted_closed", "witness_is_doctor", "witness_not_fresh"),
)
def confirm_assisted(asked: Asked) -> shapes.Confirmed:
    """The witness, within two minutes of signing in. What it opened is the doctor's to see, not the witness's."""
    request_id = asked.fields().text("request_id")
    return shapes.confirmed(wiring.confirm_assisted()(asked.caller, request_id, asked.now))


@routes.post(
    "/break-glass",
    body=EMERGENCY,
    status=201,
    tells=("break_glass_suspended", "not_an_emergency", "not_confirmed", "unknown_person", "break_glass_quota"),
)
def break_glass(asked: Asked) -> types.GivenConsent:
    """`text`: in the doctor's own words. `confirmation`: the sentence, as it was typed."""
    from chalicelib.services.break_glass import Emergency

    fields = asked.fields()
    emergency = Emergency(
        encounter_id=fields.text("encounter_id"),
        reason=cast(BreakGlassReason, fields.choice("reason")),
        text=fields.text("text"),
        confirmation=fields.text("confirmation"),
    )
    return given(wiring.break_glass()(asked.caller, emergency, asked.now))


# The desk's papers


@routes.get("/desk/hand-overs", query={"token": TOKEN})
def hand_overs(asked: Asked) -> shapes.HandOverPapers:
    """What waits to be handed over or posted."""
    with asked.own_token():
        found = wiring.read_hand_overs()(asked.caller, asked.now, asked.query("token"))
    return shapes.hand_overs(found)


@routes.post(
    "/desk/hand-overs/print",
    body={"consent_id": CONSENT_ID},
    tells=("unknown_hand_over", "witness_hands_over"),
)
def print_hand_over(asked: Asked) -> shapes.PrintedPaper:
    """The paper that tells the patient of an access which they did not answer themselves."""
    return shapes.printed(wiring.print_hand_over()(asked.caller, asked.fields().text("consent_id"), asked.now))


@routes.post(
    "/desk/hand-overs/done",
    body={"consent_id": CONSENT_ID, "how": one_of(get_args(HandedHow))},
    tells=("unknown_hand_over", "witness_hands_over"),
)
def finish_hand_over(asked: Asked) -> shapes.HandOverPaper:
    """The paper was handed over or posted."""
    fields = asked.fields()
    how = cast(HandedHow, fields.choice("how"))
    return shapes.hand_over(wiring.finish_hand_over()(asked.caller, fields.text("consent_id"), how, asked.now))


@routes.post("/desk/accesses/object", body={"national_id": NATIONAL_ID, **OBJECTION}, tells=("card_refused",))
def object_at_desk(asked: Asked) -> shapes.ObjectedAccess:
    """At any hospital's desk. `national_id`: as the reader read it; `consent_id`: the reference on the paper."""
    from chalicelib.services.prove_guardian import Card

    fields = asked.fields()
    card = Card(fields.text("national_id"))
    said = (fields.text("consent_id"), fields.text("text"))
    return shapes.objected(wiring.object_to_access().at_desk(asked.caller, card, *said, asked.now))


# The officer's reviews


@routes.get("/privacy/reviews", query={"token": TOKEN, "state": optional(one_of(("undecided",)), "")})
def reviews(asked: Asked) -> shapes.ReviewedAccesses:
    """?state=undecided: what waits for a verdict."""
    undecided = asked.query("state") == "undecided"
    with asked.own_token():
        found = wiring.read_reviews()(asked.caller, asked.now, asked.query("token"), undecided=undecided)
    return shapes.reviews(found)


@routes.post(
    "/privacy/reviews/verdict",
    body={"review_id": REVIEW_ID, "verdict": one_of(get_args(Verdict)), "note": OWN_WORDS},
    tells=("unknown_review", "own_part"),
)
def review_access(asked: Asked) -> shapes.ReviewedAccess:
    """The officer's verdict on one access; `note` says why."""
    fields = asked.fields()
    verdict = cast(Verdict, fields.choice("verdict"))
    said = (fields.text("review_id"), verdict, fields.text("note"))
    return shapes.review(wiring.review_access()(asked.caller, *said, asked.now))


@routes.get("/privacy/suspensions")
def suspensions(asked: Asked) -> shapes.SuspendedDoctors:
    """Doctors of this hospital who may not break the glass until their accesses are reviewed."""
    found = wiring.read_suspensions()(asked.caller, asked.now)
    return {"suspensions": [shapes.suspension(one) for one in found]}


@routes.post(
    "/privacy/suspensions/lift",
    body={"doctor_id": text(128), "note": OWN_WORDS},
    tells=("unknown_suspension", "own_part"),
)
def lift_suspension(asked: Asked) -> shapes.Lifted:
    """The right to break the glass is given back although reviews stand against the doctor; `note` says why."""
    fields = asked.fields()
    said = (fields.text("doctor_id"), fields.text("note"))
    return shapes.lifted(wiring.lift_suspension()(asked.caller, *said, asked.now))


# The patient


@routes.post("/me/accesses/object", body=OBJECTION)
def object_to_access(asked: Asked) -> shapes.ObjectedAccess:
    """It ends at once and goes to the hospital's privacy officer."""
    fields = asked.fields()
    said = (fields.text("consent_id"), fields.text("text"))
    return shapes.objected(wiring.object_to_access()(asked.caller, *said, asked.now))
