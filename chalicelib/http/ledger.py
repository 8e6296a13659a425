"""The twelve-hour ledger, for hospitals about themselves and for the commission about all: days, flags and what is said
to them, outages, reports. No persons, no pixels."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.domain.flag import VERDICTS, Step
from chalicelib.domain.outage import REASON_LENGTH, Outage
from chalicelib.domain.rule import BY_NAME
from chalicelib.http import ledger_shapes, shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.errors import tell
from chalicelib.http.routes import Routes
from chalicelib.services.read_compliance import exam_answer, flag_answer, step_answer

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.domain.flag import Act
    from chalicelib.http.asked import Fields

PAGE = 100
ROWS = 1000  # looked at for one part of a list of exams
WORKLIST = timedelta(days=31)
MOST_CHARACTERS = 4_000_000  # a function's answer holds 6 MB

routes = Routes(__name__)


@routes.get("/hospital/compliance")
def own_compliance(asked: Asked) -> Response:
    asked.days()
    wiring.on_record()(asked.caller, "read_compliance", asked.now)
    return _days(asked, asked.caller.hospital_id)


@routes.get("/compliance/hospitals/{hospital_id}")
def hospital_compliance(asked: Asked) -> Response:
    hospital_id, _ = asked.hospital(), asked.days()
    wiring.on_record()(asked.caller, "read_compliance", asked.now, of=hospital_id)
    return tell("not_found") if wiring.hospitals().get(hospital_id) is None else _days(asked, hospital_id)


def _days(asked: Asked, hospital_id: str) -> Response:
    """Where the exams behind the flags of many days are too many for an answer it says how many there are."""
    found = wiring.read_compliance()(hospital_id, *asked.days())
    told = answer(ledger_shapes.days(found, named=True))
    return told if len(told.body) <= MOST_CHARACTERS else answer(ledger_shapes.days(found, named=False))


@routes.get("/hospital/exams")
def own_exams(asked: Asked) -> Response:
    """?day=: every exam of a day and how it stands. Part by part."""
    day = asked.day_asked().isoformat()
    wiring.on_record()(asked.caller, "read_exams", asked.now)
    with asked.own_token():
        found = wiring.exam_ledger().page_of_day(asked.caller.hospital_id, day, asked.query("token"), ROWS)
    return answer(shapes.page("exams", found, ledger_shapes.exam))


@routes.get("/hospital/worklist")
def own_worklist(asked: Asked) -> Response:
    """Of the last month where nothing is asked; the answer says of which days. Part by part."""
    first, last = asked.days(default=WORKLIST)
    wiring.on_record()(asked.caller, "read_worklist", asked.now)
    with asked.own_token():
        found = wiring.list_worklist()(asked.caller.hospital_id, first, last, asked.query("token"), PAGE)
    told = {"from": first.isoformat(), "to": last.isoformat()}
    return answer({**told, **shapes.page("exams", found, ledger_shapes.exam)})


@routes.get("/compliance/flags")
def open_flags(asked: Asked) -> Response:
    """With the exams behind each, of which there may be hundreds: so many flags a page as an answer holds."""
    wiring.on_record()(asked.caller, "read_flags", asked.now)
    limit = PAGE
    while True:
        with asked.own_token():
            found = wiring.flags().open(asked.query("token"), limit)
        told = answer(shapes.page("flags", found, flag_answer))
        if limit == 1 or len(told.body) <= MOST_CHARACTERS:
            return told
        limit = max(limit // 4, 1)


@routes.get("/hospital/flags/exams")
def own_flagged(asked: Asked) -> Response:
    return _flagged(asked, asked.caller.hospital_id)


@routes.get("/compliance/flags/exams")
def flagged(asked: Asked) -> Response:
    return _flagged(asked, asked.hospital_asked())


def _flagged(asked: Asked, hospital_id: str) -> Response:
    """?day=&rule=: all exams that count for a rule that day. Part by part; a part may be empty."""
    day, rule = asked.day_asked().isoformat(), BY_NAME.get(asked.query("rule"))
    if rule is None:
        raise BadRequest("rule")
    wiring.on_record()(asked.caller, "read_flags", asked.now, of=hospital_id)
    if wiring.hospitals().get(hospital_id) is None:
        return tell("not_found")
    with asked.own_token():
        found = wiring.list_flagged()(hospital_id, day, rule, asked.query("token"), ROWS)
    return answer(shapes.page("exams", found, exam_answer))


@routes.get("/hospital/flags/history")
def own_history(asked: Asked) -> Response:
    return _history(asked, asked.caller.hospital_id)


@routes.get("/compliance/flags/history")
def history(asked: Asked) -> Response:
    return _history(asked, asked.hospital_asked())


def _history(asked: Asked, hospital_id: str) -> Response:
    """?day=&rule=: all that became of a flag, oldest first."""
    place = hospital_id, asked.day_asked().isoformat(), asked.query("rule")
    if place[2] not in BY_NAME:
        raise BadRequest("rule")
    wiring.on_record()(asked.caller, "read_flags", asked.now, of=hospital_id)
    if wiring.flags().get(*place) is None:
        return tell("not_found")
    with asked.own_token():
        found = wiring.flags().history(place, asked.query("token"), PAGE)
    return answer(shapes.page("steps", found, step_answer))


@routes.post("/hospital/flags/acknowledge")
def own_acknowledge(asked: Asked) -> Response:
    """{day, rule, version}"""
    return _answer_flag(asked, asked.fields(), asked.caller.hospital_id, "acknowledge")


@routes.post("/hospital/flags/explain")
def explain(asked: Asked) -> Response:
    """{day, rule, version, text}"""
    return _answer_flag(asked, asked.fields(), asked.caller.hospital_id, "explain")


@routes.post("/compliance/flags/acknowledge")
def acknowledge(asked: Asked) -> Response:
    """{hospital_id, day, rule, version}"""
    fields = asked.fields()
    return _answer_flag(asked, fields, fields.hospital("hospital_id"), "acknowledge")


@routes.post("/compliance/flags/close")
def close(asked: Asked) -> Response:
    """{hospital_id, day, rule, version, verdict, text?}"""
    fields = asked.fields()
    return _answer_flag(asked, fields, fields.hospital("hospital_id"), "close")


def _answer_flag(asked: Asked, fields: Fields, hospital_id: str, act: Act) -> Response:
    place = hospital_id, fields.day("day").isoformat(), fields.choice("rule", BY_NAME)
    version = fields.text("version", 64)
    text = fields.text("text", 2000) if act == "explain" else fields.optional_text("text", 2000)
    verdict = next(one for one in VERDICTS if one == fields.choice("verdict", VERDICTS)) if act == "close" else ""
    step = Step(asked.now, "raised", asked.caller.subject, asked.caller.role, text, verdict)
    wiring.on_record()(asked.caller, f"{act}_flag", asked.now, of=hospital_id)
    return answer(flag_answer(wiring.answer_flag()(place, act, step, version)))


@routes.post("/hospitals/{hospital_id}/excuses")
def excuse_hospital(asked: Asked) -> Response:
    """{"from", "to", "reason"}: an outage that is not held against the hospital."""
    fields = asked.fields()
    from_at, to_at, reason = fields.instant("from"), fields.instant("to"), fields.text("reason", 500)
    outage = Outage("hospital", asked.hospital(), from_at, to_at, reason, asked.caller.subject, asked.now)
    wiring.on_record()(asked.caller, "excuse_hospital", asked.now, of=outage.of)
    if wiring.hospitals().get(outage.of) is None:
        return tell("not_found")
    return answer({"outage_id": outage.outage_id, "hospitals": wiring.accept_outage()(outage)}, 202)


@routes.post("/compliance/excuses")
def excuse_many(asked: Asked) -> Response:
    """{"scope": region|all, "region"?, "from", "to", "reason"}: an outage of many hospitals at once."""
    fields = asked.fields()
    scope = fields.choice("scope", ("region", "all"))
    of = fields.text("region", 32) if scope == "region" else ""
    from_at, to_at, reason = fields.instant("from"), fields.instant("to"), fields.text("reason", 500)
    outage = Outage("region" if of else "all", of, from_at, to_at, reason, asked.caller.subject, asked.now)
    wiring.on_record()(asked.caller, "excuse_hospitals", asked.now)
    return answer({"outage_id": outage.outage_id, "hospitals": wiring.accept_outage()(outage)}, 202)


@routes.get("/compliance/excuses")
def accepted_outages(asked: Asked) -> Response:
    """What was accepted, and how many hospitals have it: all where `spread_at` is set."""
    wiring.on_record()(asked.caller, "read_excuses", asked.now)
    with asked.own_token():
        found = wiring.outages().list(asked.query("token"), PAGE)
    withdrawn = wiring.outages().withdrawals(found.items)
    return answer(shapes.page("outages", found, lambda one: ledger_shapes.outage(one, withdrawn.get(one.outage_id))))


@routes.post("/compliance/excuses/withdraw")
def withdraw_excuse(asked: Asked) -> Response:
    """{"outage_id", "reason", "from"?, "to"?}: an outage counts no more; with a time, but for what is left of it."""
    fields = asked.fields()
    outage_id, reason = fields.text("outage_id", 64), fields.text("reason", REASON_LENGTH)
    outage = wiring.outages().find(outage_id)
    of = outage.of if outage and outage.scope == "hospital" else ""
    from_at, to_at = (fields.instant(name) if fields.has(name) else None for name in ("from", "to"))
    wiring.on_record()(asked.caller, "withdraw_excuse", asked.now, of=of)
    if outage is None:
        return tell("not_found")
    by = asked.caller.subject, asked.now
    cut = from_at is not None or to_at is not None
    left = outage.shortened(from_at or outage.from_at, to_at or outage.to_at, *by) if cut else None
    wiring.withdraw_outage()(outage.withdrawn(reason, *by), left)
    return answer({"outage_id": outage_id, "left": left.outage_id if left else None}, 202)
