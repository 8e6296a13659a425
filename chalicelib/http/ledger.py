"""The twelve-hour ledger, for hospitals about themselves and for the commission about all: days, flags and what is said
to them, outages, reports. No persons, no pixels."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from chalicelib import wiring
from chalicelib.domain.flag import VERDICTS, Step, Verdict
from chalicelib.domain.outage import REASON_LENGTH, Outage
from chalicelib.domain.rule import BY_NAME
from chalicelib.http import ledger_shapes as shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.errors import tell
from chalicelib.http.kinds import DAY, HOSPITAL, INSTANT, TOKEN, Kinds, one_of, optional, text
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.domain.flag import Act
    from chalicelib.http.asked import Fields

PAGE = 100
ROWS = 1000  # looked at for one part of a list of exams
WORKLIST = timedelta(days=31)
MOST_CHARACTERS = 4_000_000  # a function's answer holds 6 MB
LIST: Kinds = {"token": TOKEN}
DAYS: Kinds = {"from": DAY, "to": DAY}  # both included
FLAG: Kinds = {"day": DAY, "rule": one_of(BY_NAME)}
ANSWER: Kinds = {**FLAG, "version": text(64), "text": optional(text(2000), "")}
STALE = ("flag_not_so", "not_found")
EXCUSED = ("outage_withdrawn",)
SPAN: Kinds = {"from": INSTANT, "to": INSTANT, "reason": text(REASON_LENGTH)}

routes = Routes()


@routes.get("/hospital/compliance", query=DAYS, answers={200: shapes.Days})
def own_compliance(asked: Asked) -> Response:
    """How many exams of each day were due, on time, late or missing, and its flags."""
    asked.days()
    wiring.on_record()(asked.caller, "read_compliance", asked.now)
    return _days(asked, asked.caller.hospital_id)


@routes.get("/compliance/hospitals/{hospital_id}", query=DAYS, answers={200: shapes.Days}, tells=("not_found",))
def hospital_compliance(asked: Asked) -> Response:
    """How many of a hospital's exams of each day were due, on time, late or missing, and its flags."""
    hospital_id, _ = asked.hospital(), asked.days()
    wiring.on_record()(asked.caller, "read_compliance", asked.now, of=hospital_id)
    return tell("not_found") if wiring.hospitals().get(hospital_id) is None else _days(asked, hospital_id)


def _days(asked: Asked, hospital_id: str) -> Response:
    """Where the exams behind the flags of many days are too many for an answer it says how many there are."""
    found = wiring.read_compliance()(hospital_id, *asked.days())
    told = answer(shapes.days(found, named=True))
    return told if len(told.body) <= MOST_CHARACTERS else answer(shapes.days(found, named=False))


@routes.get("/hospital/exams", query={**LIST, "day": DAY})
def own_exams(asked: Asked) -> shapes.ExamRows:
    """Every exam of a day and how it stands. Part by part."""
    day = asked.day_asked().isoformat()
    wiring.on_record()(asked.caller, "read_exams", asked.now)
    with asked.own_token():
        found = wiring.exam_ledger().page_of_day(asked.caller.hospital_id, day, asked.query("token"), ROWS)
    return shapes.exams(found)


@routes.get("/hospital/worklist", query={**LIST, "from": optional(DAY), "to": optional(DAY)})
def own_worklist(asked: Asked) -> shapes.Worklist:
    """Of the last month where nothing is asked; the answer says of which days. Part by part."""
    first, last = asked.days(default=WORKLIST)
    wiring.on_record()(asked.caller, "read_worklist", asked.now)
    with asked.own_token():
        found = wiring.list_worklist()(asked.caller.hospital_id, first, last, asked.query("token"), PAGE)
    return {"from": first.isoformat(), "to": last.isoformat(), **shapes.exams(found)}


@routes.get("/compliance/flags", query=LIST, answers={200: shapes.Flags})
def open_flags(asked: Asked) -> Response:
    """With the exams behind each, of which there may be hundreds: so many flags a page as an answer holds."""
    wiring.on_record()(asked.caller, "read_flags", asked.now)
    limit = PAGE
    while True:
        with asked.own_token():
            found = wiring.flags().open(asked.query("token"), limit)
        told = answer(shapes.flags(found))
        if limit == 1 or len(told.body) <= MOST_CHARACTERS:
            return told
        limit = max(limit // 4, 1)


@routes.get("/hospital/flags/exams", query={**LIST, **FLAG}, tells=("not_found",))
def own_flagged(asked: Asked) -> shapes.ExamsBehind | Response:
    """All own exams that count for a rule that day. Part by part; a part may be empty."""
    return _flagged(asked, asked.caller.hospital_id)


@routes.get("/compliance/flags/exams", query={**LIST, **FLAG, "hospital_id": HOSPITAL}, tells=("not_found",))
def flagged(asked: Asked) -> shapes.ExamsBehind | Response:
    """All exams of a hospital that count for a rule that day. Part by part; a part may be empty."""
    return _flagged(asked, asked.hospital_asked())


def _flagged(asked: Asked, hospital_id: str) -> shapes.ExamsBehind | Response:
    day, rule = asked.day_asked().isoformat(), BY_NAME[asked.query("rule")]
    wiring.on_record()(asked.caller, "read_flags", asked.now, of=hospital_id)
    if wiring.hospitals().get(hospital_id) is None:
        return tell("not_found")
    with asked.own_token():
        found = wiring.list_flagged()(hospital_id, day, rule, asked.query("token"), ROWS)
    return shapes.exams_behind(found)


@routes.get("/hospital/flags/history", query={**LIST, **FLAG}, tells=("not_found",))
def own_history(asked: Asked) -> shapes.FlagSteps | Response:
    """All that became of an own flag, oldest first. Part by part."""
    return _history(asked, asked.caller.hospital_id)


@routes.get("/compliance/flags/history", query={**LIST, **FLAG, "hospital_id": HOSPITAL}, tells=("not_found",))
def history(asked: Asked) -> shapes.FlagSteps | Response:
    """All that became of a hospital's flag, oldest first. Part by part."""
    return _history(asked, asked.hospital_asked())


def _history(asked: Asked, hospital_id: str) -> shapes.FlagSteps | Response:
    place = hospital_id, asked.day_asked().isoformat(), asked.query("rule")
    wiring.on_record()(asked.caller, "read_flags", asked.now, of=hospital_id)
    if wiring.flags().get(*place) is None:
        return tell("not_found")
    with asked.own_token():
        found = wiring.flags().history(place, asked.query("token"), PAGE)
    return shapes.steps(found)


@routes.post("/hospital/flags/acknowledge", body=ANSWER, tells=STALE)
def own_acknowledge(asked: Asked) -> shapes.FlagTold:
    """The hospital has seen its flag, as `version` shows it."""
    return _answer_flag(asked, asked.fields(), asked.caller.hospital_id, "acknowledge")


@routes.post("/hospital/flags/explain", body={**ANSWER, "text": text(2000)}, tells=STALE)
def explain(asked: Asked) -> shapes.FlagTold:
    """The hospital says in `text` why it came to a flag."""
    return _answer_flag(asked, asked.fields(), asked.caller.hospital_id, "explain")


@routes.post("/compliance/flags/acknowledge", body={**ANSWER, "hospital_id": HOSPITAL}, tells=STALE)
def acknowledge(asked: Asked) -> shapes.FlagTold:
    """The commission has seen a flag, as `version` shows it."""
    fields = asked.fields()
    return _answer_flag(asked, fields, fields.hospital("hospital_id"), "acknowledge")


@routes.post(
    "/compliance/flags/close",
    body={**ANSWER, "hospital_id": HOSPITAL, "verdict": one_of(VERDICTS)},
    tells=STALE,
)
def close(asked: Asked) -> shapes.FlagTold:
    """With a verdict on what the hospital explained."""
    fields = asked.fields()
    return _answer_flag(asked, fields, fields.hospital("hospital_id"), "close")


def _answer_flag(asked: Asked, fields: Fields, hospital_id: str, act: Act) -> shapes.FlagTold:
    place = hospital_id, fields.day("day").isoformat(), fields.choice("rule")
    version, said = fields.text("version"), fields.text("text")
    verdict = cast(Verdict, fields.choice("verdict")) if act == "close" else ""
    step = Step(asked.now, "raised", asked.caller.subject, asked.caller.role, said, verdict)
    wiring.on_record()(asked.caller, f"{act}_flag", asked.now, of=hospital_id)
    return shapes.flag(wiring.answer_flag()(place, act, step, version))


@routes.post("/hospitals/{hospital_id}/excuses", body=SPAN, status=202, tells=(*EXCUSED, "not_found"))
def excuse_hospital(asked: Asked) -> shapes.AcceptedOutage | Response:
    """An outage that is not held against the hospital."""
    fields = asked.fields()
    from_at, to_at, reason = fields.instant("from"), fields.instant("to"), fields.text("reason")
    outage = Outage("hospital", asked.hospital(), from_at, to_at, reason, asked.caller.subject, asked.now)
    wiring.on_record()(asked.caller, "excuse_hospital", asked.now, of=outage.of)
    if wiring.hospitals().get(outage.of) is None:
        return tell("not_found")
    return {"outage_id": outage.outage_id, "hospitals": wiring.accept_outage()(outage)}


@routes.post(
    "/compliance/excuses",
    body={**SPAN, "scope": one_of(("region", "all")), "region": optional(text(32), "")},
    status=202,
    tells=EXCUSED,
)
def excuse_many(asked: Asked) -> shapes.AcceptedOutage:
    """An outage of many hospitals at once. `region`: where the scope is one."""
    fields = asked.fields()
    of = fields.text("region") if fields.choice("scope") == "region" else ""
    if not of and fields.choice("scope") == "region":
        raise BadRequest("region")
    from_at, to_at, reason = fields.instant("from"), fields.instant("to"), fields.text("reason")
    outage = Outage("region" if of else "all", of, from_at, to_at, reason, asked.caller.subject, asked.now)
    wiring.on_record()(asked.caller, "excuse_hospitals", asked.now)
    return {"outage_id": outage.outage_id, "hospitals": wiring.accept_outage()(outage)}


@routes.get("/compliance/excuses", query=LIST)
def accepted_outages(asked: Asked) -> shapes.Outages:
    """What was accepted, and how many hospitals have it: all where `spread_at` is set."""
    wiring.on_record()(asked.caller, "read_excuses", asked.now)
    with asked.own_token():
        found = wiring.outages().list(asked.query("token"), PAGE)
    withdrawn = wiring.outages().withdrawals(found.items)
    told = [shapes.outage(one, withdrawn.get(one.outage_id)) for one in found.items]
    return {"outages": told, "next_token": found.next_token}


@routes.post(
    "/compliance/excuses/withdraw",
    body={"outage_id": text(64), "reason": text(REASON_LENGTH), "from": optional(INSTANT), "to": optional(INSTANT)},
    status=202,
    tells=(*EXCUSED, "not_found"),
)
def withdraw_excuse(asked: Asked) -> shapes.Withdrawal | Response:
    """An outage counts no more; with a time, but for what is left of it."""
    fields = asked.fields()
    outage_id, reason = fields.text("outage_id"), fields.text("reason")
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
    return {"outage_id": outage_id, "left": left.outage_id if left else None}
