"""What is done without the patient's own answer: doctors and witnesses, the desk's papers, the officer's reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from chalicelib import wiring
from chalicelib.domain.assisted import AssistedReason
from chalicelib.domain.break_glass import BreakGlassReason
from chalicelib.domain.hand_over import HandedHow
from chalicelib.domain.review import Verdict
from chalicelib.http import exception_shapes, shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.domain.review import Review

MOST_TEXT = 1000  # characters of anybody's own words

routes = Routes(__name__)


@routes.post("/assisted-requests")
def request_assisted(asked: Asked) -> Response:
    """{encounter_id, national_id: as the reader read it, reason}: 202, and what to read to the patient."""
    from chalicelib.domain.consent_notice import ASSISTED_NOTICE
    from chalicelib.services.request_assisted import CardRead

    fields = asked.fields()
    reason = cast(AssistedReason, fields.choice("reason", get_args(AssistedReason)))
    read = CardRead(fields.text("encounter_id", 128), fields.text("national_id", 32), reason)
    made = wiring.request_assisted()(asked.caller, read, asked.now)
    return answer({**exception_shapes.asked(made), "notice": shapes.agreement(ASSISTED_NOTICE)}, 202)


@routes.post("/assisted-requests/outcome")
def assisted_outcome(asked: Asked) -> Response:
    """For the doctor to poll: state waiting, confirmed or expired."""
    fields = asked.fields()
    given = (fields.text("encounter_id", 128), fields.text("request_id", 64))
    state, consent = wiring.read_assisted_outcome()(asked.caller, *given, asked.now)
    return answer({"state": state, "consent": shapes.given(consent) if consent else None})


@routes.get("/assisted-requests")
def waiting_requests(asked: Asked) -> Response:
    found = wiring.read_assisted()(asked.caller, asked.now)
    return answer({"requests": [exception_shapes.waiting(one) for one in found]})


@routes.post("/assisted-requests/confirm")
def confirm_assisted(asked: Asked) -> Response:
    """The witness, within two minutes of signing in. What it opened is the doctor's to see, not the witness's."""
    consent = wiring.confirm_assisted()(asked.caller, asked.fields().text("request_id", 64), asked.now)
    return answer({"consent_id": consent.consent_id, "expires_at": shapes.instant(consent.ends_at)}, 201)


@routes.post("/break-glass")
def break_glass(asked: Asked) -> Response:
    """{encounter_id, reason, text: in the doctor's own words, confirmation: typed}"""
    from chalicelib.services.break_glass import Emergency

    fields = asked.fields()
    emergency = Emergency(
        encounter_id=fields.text("encounter_id", 128),
        reason=cast(BreakGlassReason, fields.choice("reason", get_args(BreakGlassReason))),
        text=fields.text("text", MOST_TEXT),
        confirmation=fields.text("confirmation", 128),
    )
    return answer(shapes.given(wiring.break_glass()(asked.caller, emergency, asked.now)), 201)


# The desk's papers


@routes.get("/desk/hand-overs")
def hand_overs(asked: Asked) -> Response:
    with asked.own_token():
        found = wiring.read_hand_overs()(asked.caller, asked.now, asked.query("token"))
    return answer(shapes.page("hand_overs", found, exception_shapes.hand_over))


@routes.post("/desk/hand-overs/print")
def print_hand_over(asked: Asked) -> Response:
    text = wiring.print_hand_over()(asked.caller, asked.fields().text("consent_id", 64), asked.now)
    return answer({"text": shapes.words(text)})


@routes.post("/desk/hand-overs/done")
def finish_hand_over(asked: Asked) -> Response:
    """{consent_id, how: handed_over|posted}"""
    fields = asked.fields()
    how = cast(HandedHow, fields.choice("how", get_args(HandedHow)))
    done = wiring.finish_hand_over()(asked.caller, fields.text("consent_id", 64), how, asked.now)
    return answer(exception_shapes.hand_over(done))


@routes.post("/desk/accesses/object")
def object_at_desk(asked: Asked) -> Response:
    """{national_id: as the reader read it, consent_id: the reference on the paper, text?}: any hospital's desk."""
    from chalicelib.services.prove_guardian import Card

    fields = asked.fields()
    card = Card(fields.text("national_id", 32))
    given = (fields.text("consent_id", 64), fields.optional_text("text", MOST_TEXT))
    return answer(_objected(wiring.object_to_access().at_desk(asked.caller, card, *given, asked.now)))


# The officer's reviews


@routes.get("/privacy/reviews")
def reviews(asked: Asked) -> Response:
    """?state=undecided: what waits for a verdict."""
    undecided = asked.query("state") == "undecided"
    with asked.own_token():
        found = wiring.read_reviews()(asked.caller, asked.now, asked.query("token"), undecided=undecided)
    return answer(shapes.page("reviews", found, exception_shapes.review))


@routes.post("/privacy/reviews/verdict")
def review_access(asked: Asked) -> Response:
    """{review_id, verdict: justified|not_justified, note}"""
    fields = asked.fields()
    verdict = cast(Verdict, fields.choice("verdict", get_args(Verdict)))
    given = (fields.text("review_id", 64), verdict, fields.text("note", MOST_TEXT))
    return answer(exception_shapes.review(wiring.review_access()(asked.caller, *given, asked.now)))


@routes.get("/privacy/suspensions")
def suspensions(asked: Asked) -> Response:
    found = wiring.read_suspensions()(asked.caller, asked.now)
    return answer({"suspensions": [exception_shapes.suspension(one) for one in found]})


@routes.post("/privacy/suspensions/lift")
def lift_suspension(asked: Asked) -> Response:
    """{doctor_id, note}"""
    fields = asked.fields()
    given = (fields.text("doctor_id", 128), fields.text("note", MOST_TEXT))
    doctor = wiring.lift_suspension()(asked.caller, *given, asked.now)
    return answer({"doctor_id": doctor.doctor_id, "suspended": doctor.break_glass_suspended})


# The patient


@routes.post("/me/accesses/object")
def object_to_access(asked: Asked) -> Response:
    """{consent_id, text?}: it ends at once and goes to the hospital's privacy officer."""
    fields = asked.fields()
    given = (fields.text("consent_id", 64), fields.optional_text("text", MOST_TEXT))
    return answer(_objected(wiring.object_to_access()(asked.caller, *given, asked.now)))


def _objected(review: Review) -> dict[str, object]:
    return {"consent_id": review.review_id, "objected_at": shapes.instant(review.objected_at)}
