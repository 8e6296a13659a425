"""For the health commission: hospitals, deadlines, reports; no persons, no pixels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.domain.exam import Excuse
from chalicelib.domain.study import Hospital
from chalicelib.http import shapes
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.errors import tell
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

PAGE = 100
MOST_CHARACTERS = 4_000_000  # a function's answer holds 6 MB

routes = Routes(__name__)


@routes.post("/hospitals")
def register_hospital(asked: Asked) -> Response:
    fields = asked.fields()
    hospital = Hospital(
        hospital_id=fields.hospital("hospital_id"),
        name=fields.text("name", 128),
        name_en=fields.optional_text("name_en", 128),
        level=fields.optional_text("level", 32),
        region=fields.optional_text("region", 32),
        utc_offset_minutes=fields.optional_number("utc_offset_minutes", 480, -720, 840),
        active=fields.flag("active", default=True),
    )
    return answer(shapes.hospital(wiring.register_hospital()(asked.caller, hospital, asked.now)), 201)


@routes.post("/hospitals/{hospital_id}/excuses")
def excuse_hospital(asked: Asked) -> Response:
    """{"from", "to", "reason"}: an outage that is not held against the hospital."""
    fields = asked.fields()
    from_at, to_at, reason = fields.instant("from"), fields.instant("to"), fields.text("reason", 500)
    excuse = Excuse(asked.hospital(), from_at, to_at, reason, asked.caller.subject, asked.now)
    wiring.on_record()(asked.caller, "excuse_hospital", asked.now, of=excuse.hospital_id)
    if wiring.hospitals().get(excuse.hospital_id) is None:
        return tell("not_found")
    return answer({"exams": wiring.excuse_hospital()(excuse)}, 201)


@routes.get("/compliance/hospitals/{hospital_id}")
def hospital_compliance(asked: Asked) -> Response:
    hospital_id, (first, last) = asked.hospital(), asked.days()
    wiring.on_record()(asked.caller, "read_compliance", asked.now, of=hospital_id)
    if wiring.hospitals().get(hospital_id) is None:
        return tell("not_found")
    days = wiring.read_compliance()(hospital_id, first, last)
    return answer({"days": [day.answer() for day in days]})


@routes.get("/compliance/flags")
def open_flags(asked: Asked) -> Response:
    """With the exams behind each, of which there may be thousands: so many flags a page as an answer holds."""
    wiring.on_record()(asked.caller, "read_flags", asked.now)
    limit = PAGE
    while True:
        with asked.own_token():
            found = wiring.flags().open(asked.query("token"), limit)
        told = answer(shapes.page("flags", found, shapes.flag))
        if limit == 1 or len(told.body) <= MOST_CHARACTERS:
            return told
        limit = max(limit // 4, 1)


@routes.get("/compliance/reports/{day}")
def province_report(asked: Asked) -> Response:
    """The day's report as the schedule wrote it."""
    day = asked.day("day")
    wiring.on_record()(asked.caller, "read_report", asked.now)
    body = wiring.compliance_reports().get(f"compliance/{day.isoformat()}/province.json")
    return tell("not_found") if body is None else answer(json.loads(body))
