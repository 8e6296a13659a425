"""Mutual recognition: what a doctor makes of an earlier exam, and what that gains (infra/RECOGNITION.md)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast, get_args

from chalicelib import wiring
from chalicelib.domain.disclosure import PROVINCE, Side
from chalicelib.domain.gains import MEASURES
from chalicelib.domain.recognition import ALL_REASONS, LONGEST_TEXT, REASONS_OF, Conclusion, Judgement
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked, BadRequest, Fields
from chalicelib.http.routes import Routes
from chalicelib.http.shapes import instant, page

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.domain.disclosure import Scope
    from chalicelib.domain.recognition import Recognition
    from chalicelib.services.read_gains import Happened, Table

LONGEST_REGION = 32  # as hospitals are registered
PROVINCE_TIME = timedelta(hours=8)

routes = Routes(__name__)


@routes.post("/recognitions")
def recognise(asked: Asked) -> Response:
    fields = asked.fields()
    encounter_id, study = fields.text("encounter_id", 128), fields.study()
    kept = wiring.recognise_study()(asked.caller, encounter_id, study, _judgement(fields), asked.now)
    return answer(_kept(kept), 201)


@routes.get("/statistics/recognition/{period}")
def statistics(asked: Asked) -> Response:
    """?region= or ?hospital_id= (else the province), ?side=receiving|source, ?by=part|day. Closed figures are null."""
    period, scope, side = asked.period(), _scope(asked), _chosen(asked, "side", get_args(Side))
    by_day = _chosen(asked, "by", ("part", "day")) == "day"
    wiring.on_record()(asked.caller, "read_statistics", asked.now, of=scope[1] if scope[0] == "hospital" else "")
    table = wiring.read_gains().province(period, scope, cast(Any, side), by_day=by_day, until=_today(asked))
    return answer({"period": period.name, "side": side, **_table(table)})


@routes.get("/statistics/recognition/{period}/events")
def statistics_events(asked: Asked) -> Response:
    """?hospital_id=&measure=, ?side=receiving|source: of the hospital that received, or where the exams were made."""
    side = cast(Any, _chosen(asked, "side", get_args(Side)))
    return _events(asked, asked.hospital_asked(), side, own=False)


@routes.get("/hospital/statistics/recognition/{period}")
def own_statistics(asked: Asked) -> Response:
    period = asked.period()
    wiring.on_record()(asked.caller, "read_statistics", asked.now)
    table = wiring.read_gains().own(asked.caller.hospital_id, period, _today(asked))
    return answer({"period": period.name, "side": "receiving", **_table(table)})


@routes.get("/hospital/statistics/recognition/{period}/events")
def own_events(asked: Asked) -> Response:
    """?measure="""
    return _events(asked, asked.caller.hospital_id, "receiving", own=True)


def _events(asked: Asked, hospital_id: str, side: Side, *, own: bool) -> Response:
    from chalicelib.services.read_gains import Figure

    figure = Figure(asked.period(), hospital_id, _chosen(asked, "measure", MEASURES), side)
    wiring.on_record()(asked.caller, "read_statistics", asked.now, of="" if own else hospital_id)
    with asked.own_token():
        found = wiring.read_gains().events(figure, asked.query("token"), _today(asked), own=own)
    return answer(page("events", found, _happened))


def _judgement(fields: Fields) -> Judgement:
    decision = fields.choice("decision", tuple(REASONS_OF))
    reason = fields.optional_text("reason", 2)
    if reason not in REASONS_OF[cast(Any, decision)]:
        raise BadRequest("reason")
    conclusion = fields.choice("conclusion", get_args(Conclusion), "not_stated")
    return Judgement(cast(Any, decision), reason, cast(Any, conclusion), fields.optional_text("text", LONGEST_TEXT))


def _kept(kept: Recognition) -> dict[str, Any]:
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
    region = asked.query("region", LONGEST_REGION)
    if asked.query("hospital_id"):
        if region:
            raise BadRequest("region")
        return ("hospital", asked.hospital_asked())
    return ("region", region) if region else PROVINCE


def _chosen(asked: Asked, name: str, of: tuple[str, ...]) -> str:
    """?name=, the first of them where it is left out."""
    value = asked.query(name, 32) or of[0]
    if value not in of:
        raise BadRequest(name)
    return value


def _today(asked: Asked) -> date:
    return (asked.now + PROVINCE_TIME).date()


def _table(table: Table) -> dict[str, Any]:
    rows = [{"name": name, "figures": dict(figures)} for name, figures in table.rows]
    return {"as_of": instant(table.as_of) if table.as_of else None, "total": dict(table.total), "rows": rows}


def _happened(one: Happened) -> dict[str, Any]:
    told = {"event": one.event, "visit": one.visit, "measure": one.measure}
    return told | ({"modality": one.group, "at": instant(one.at), "source": one.source} if one.at else {})
