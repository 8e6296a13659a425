"""Mutual recognition: what a doctor makes of an earlier exam, and what that gains (infra/RECOGNITION.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING, NotRequired, TypedDict, cast, get_args

from chalicelib import wiring
from chalicelib.domain.disclosure import PROVINCE, Side
from chalicelib.domain.gains import MEASURES
from chalicelib.domain.recognition import ALL_REASONS, LONGEST_TEXT, REASONS_OF, Conclusion, Decision, Judgement
from chalicelib.http.asked import Asked, BadRequest, Fields
from chalicelib.http.json_types import Instant
from chalicelib.http.kinds import HOSPITAL, STUDY, TOKEN, Kinds, one_of, optional, text
from chalicelib.http.routes import Routes
from chalicelib.http.shapes import instant
from chalicelib.http.told import Ref

if TYPE_CHECKING:
    from chalicelib.domain.disclosure import Scope
    from chalicelib.domain.recognition import Recognition
    from chalicelib.services.read_gains import Happened, Table

LONGEST_REGION = 32  # as hospitals are registered
PROVINCE_TIME = timedelta(hours=8)
REASONS = sorted({*chain.from_iterable(REASONS_OF.values())} - {""})  # of any decision
JUDGEMENT: Kinds = {
    **STUDY.fields,
    "encounter_id": text(128),
    "decision": one_of(REASONS_OF),
    "reason": optional(one_of(REASONS), ""),
    "conclusion": optional(one_of(get_args(Conclusion)), "not_stated"),
    "text": optional(text(LONGEST_TEXT), ""),
}
SIDE: Kinds = {"side": optional(one_of(get_args(Side)), "receiving")}
EVENTS: Kinds = {"token": TOKEN, "measure": optional(one_of(MEASURES), MEASURES[0])}

routes = Routes()


class Reason(TypedDict):
    code: str
    zh: str
    en: str


class Recognised(Ref):
    """What the doctor decided of an earlier exam. `revision` counts how often."""

    encounter_id: str
    decision: Decision
    reason: Reason | None
    conclusion: Conclusion
    at: Instant | None
    revision: int


class Gains(TypedDict):
    """Of a hospital, region or day. A figure of fewer than ten, or one that lets such a one be told, is null."""

    name: str
    figures: Mapping[str, float | None]


class Statistics(TypedDict):
    period: str
    side: Side
    as_of: Instant | None
    total: Mapping[str, float | None]
    rows: Sequence[Gains]


class Happening(TypedDict):
    """One that a figure counts, by names that lead to nobody."""

    event: str
    visit: str
    measure: str
    modality: NotRequired[str]
    at: NotRequired[Instant | None]
    source: NotRequired[str]


class Happenings(TypedDict):
    events: Sequence[Happening]
    next_token: str


@routes.post("/recognitions", body=JUDGEMENT, status=201)
def recognise(asked: Asked) -> Recognised:
    """Accept an earlier exam in place of a new one, or refuse it for a reason of the rules."""
    fields = asked.fields()
    encounter_id, study = fields.text("encounter_id"), fields.study()
    return _kept(wiring.recognise_study()(asked.caller, encounter_id, study, _judgement(fields), asked.now))


@routes.get(
    "/statistics/recognition/{period}",
    query={
        **SIDE,
        "by": optional(one_of(("part", "day")), "part"),
        "region": optional(text(LONGEST_REGION)),
        "hospital_id": optional(HOSPITAL),
    },
)
def statistics(asked: Asked) -> Statistics:
    """Of a region or a hospital, else of the province; its parts or its days."""
    period, scope, side = asked.period(), _scope(asked), cast(Side, asked.query("side"))
    by_day = asked.query("by") == "day"
    wiring.on_record()(asked.caller, "read_statistics", asked.now, of=scope[1] if scope[0] == "hospital" else "")
    table = wiring.read_gains().province(period, scope, side, by_day=by_day, until=_today(asked))
    return _table(table, period.name, side)


@routes.get(
    "/statistics/recognition/{period}/events",
    query={**EVENTS, **SIDE, "hospital_id": HOSPITAL},
    tells=("figure_closed",),
)
def statistics_events(asked: Asked) -> Happenings:
    """Of the hospital that received, or where the exams were made."""
    return _events(asked, asked.hospital_asked(), cast(Side, asked.query("side")), own=False)


@routes.get("/hospital/statistics/recognition/{period}")
def own_statistics(asked: Asked) -> Statistics:
    """Of the caller's own hospital as the one that received, by day; nothing is hidden."""
    period = asked.period()
    wiring.on_record()(asked.caller, "read_statistics", asked.now)
    table = wiring.read_gains().own(asked.caller.hospital_id, period, _today(asked))
    return _table(table, period.name, "receiving")


@routes.get("/hospital/statistics/recognition/{period}/events", query=EVENTS)
def own_events(asked: Asked) -> Happenings:
    """What a figure of the caller's own hospital is made of. Part by part."""
    return _events(asked, asked.caller.hospital_id, "receiving", own=True)


def _events(asked: Asked, hospital_id: str, side: Side, *, own: bool) -> Happenings:
    from chalicelib.services.read_gains import Figure

    figure = Figure(asked.period(), hospital_id, asked.query("measure"), side)
    wiring.on_record()(asked.caller, "read_statistics", asked.now, of="" if own else hospital_id)
    with asked.own_token():
        found = wiring.read_gains().events(figure, asked.query("token"), _today(asked), own=own)
    return {"events": [_happened(one) for one in found.items], "next_token": found.next_token}


def _judgement(fields: Fields) -> Judgement:
    decision = cast(Decision, fields.choice("decision"))
    reason = fields.choice("reason")
    if reason not in REASONS_OF[decision]:
        raise BadRequest("reason")
    return Judgement(decision, reason, cast(Conclusion, fields.choice("conclusion")), fields.text("text"))


def _kept(kept: Recognition) -> Recognised:
    words = next((one for one in ALL_REASONS if one.code == kept.judgement.reason), None)
    return {
        "hospital_id": kept.study.hospital_id,
        "study_instance_uid": kept.study.study_instance_uid,
        "encounter_id": kept.encounter_id,
        "decision": kept.judgement.decision,
        "reason": {"code": words.code, "zh": words.zh, "en": words.en} if words else None,
        "conclusion": kept.judgement.conclusion,
        "at": instant(kept.at),
        "revision": kept.revision,
    }


def _scope(asked: Asked) -> Scope:
    region = asked.query("region")
    if asked.query("hospital_id"):
        if region:
            raise BadRequest("region")
        return ("hospital", asked.hospital_asked())
    return ("region", region) if region else PROVINCE


def _today(asked: Asked) -> date:
    return (asked.now + PROVINCE_TIME).date()


def _table(table: Table, period: str, side: Side) -> Statistics:
    rows: list[Gains] = [{"name": name, "figures": dict(figures)} for name, figures in table.rows]
    total, as_of = dict(table.total), instant(table.as_of)
    return {"period": period, "side": side, "as_of": as_of, "total": total, "rows": rows}


def _happened(one: Happened) -> Happening:
    told: Happening = {"event": one.event, "visit": one.visit, "measure": one.measure}
    if one.at:
        told |= {"modality": one.group, "at": instant(one.at), "source": one.source}
    return told
