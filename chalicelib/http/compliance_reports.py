"""Reports of days, weeks and months, as the schedule wrote them: a hospital its own, the commission all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, cast
from urllib.parse import urlencode

from chalice.app import Response

from chalicelib import wiring
from chalicelib.domain.compliance_report import PROVINCE, region_file
from chalicelib.http import json_types
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.errors import tell
from chalicelib.http.kinds import HOSPITAL, TOKEN, Kinds, one_of, optional, text
from chalicelib.http.routes import Routes
from chalicelib.services.list_reports import KINDS
from chalicelib.services.show_report import CONTENT_TYPES

if TYPE_CHECKING:
    from chalicelib.domain.period import Period
    from chalicelib.services.show_report import Form

PAGE = 25  # periods looked at for one part of a list
LONGEST_REGION = 32  # as hospitals are registered
FORM: Kinds = {"format": optional(one_of(CONTENT_TYPES))}  # else as Accept says, else JSON
GIVEN = {200: tuple(content_type.split(";")[0] for content_type in CONTENT_TYPES.values())}
WHOSE: Kinds = {"hospital_id": optional(HOSPITAL), "region": optional(text(LONGEST_REGION))}
LISTED: Kinds = {"kind": optional(one_of(KINDS)), "token": TOKEN}


class ReportListed(TypedDict):
    """A period's report. `etag` is another whenever it was written again, and `written_at` later; `links` are paths of
    the API, by form."""

    period: str
    kind: str
    first_day: json_types.Day
    last_day: json_types.Day
    written_at: json_types.Instant
    etag: str
    links: Mapping[str, str]


class ReportsListed(TypedDict):
    reports: Sequence[ReportListed]
    next_token: str


routes = Routes()


@routes.get("/hospital/reports", query=LISTED)
def own_reports(asked: Asked) -> ReportsListed:
    """The periods that there are reports of, the latest first. Part by part; a part may be empty."""
    wiring.on_record()(asked.caller, "list_reports", asked.now)
    return _listed(asked, asked.caller.hospital_id, "/hospital/reports", {})


@routes.get("/compliance/reports", query={**LISTED, **WHOSE}, tells=("not_found",))
def listed_reports(asked: Asked) -> ReportsListed | Response:
    """The periods that there are reports of, of a hospital or a region; the province's where neither is asked."""
    hospital_id, region = _whose(asked)
    wiring.on_record()(asked.caller, "list_reports", asked.now, of=hospital_id)
    if hospital_id and wiring.hospitals().get(hospital_id) is None:
        return tell("not_found")
    whose = {"hospital_id": hospital_id} if hospital_id else {"region": region} if region else {}
    return _listed(asked, _file(hospital_id, region), "/compliance/reports", whose)


def _listed(asked: Asked, file: str, path: str, whose: Mapping[str, str]) -> ReportsListed:
    kind = next((one for one in KINDS if one == asked.query("kind")), None)
    with asked.own_token():
        found = wiring.list_reports()(file, kind, asked.query("token"), PAGE, asked.now)
    told: list[ReportListed] = [
        {
            "period": one.period.name,
            "kind": one.period.kind,
            "first_day": one.period.first.isoformat(),
            "last_day": one.period.last.isoformat(),
            "written_at": one.written.at.isoformat(),
            "etag": one.written.etag,
            "links": {
                form: f"{path}/{one.period.name}?{urlencode({**whose, 'format': form})}" for form in CONTENT_TYPES
            },
        }
        for one in found.items
    ]
    return {"reports": told, "next_token": found.next_token}


@routes.get("/hospital/reports/{period}", query=FORM, answers=GIVEN, tells=("not_found",))
def own_report(asked: Asked) -> Response:
    """Of the caller's own hospital: as `format` says, else as Accept does, else JSON."""
    period, form = asked.period(), _form(asked)
    wiring.on_record()(asked.caller, "read_report", asked.now)
    return _report(period, asked.caller.hospital_id, form)


@routes.get(
    "/compliance/reports/{period}",
    query={**FORM, **WHOSE},
    answers=GIVEN,
    tells=("not_found",),
)
def report(asked: Asked) -> Response:
    """Of a hospital or a region; the province's where neither is asked."""
    period, form = asked.period(), _form(asked)
    hospital_id, region = _whose(asked)
    wiring.on_record()(asked.caller, "read_report", asked.now, of=hospital_id)
    return _report(period, _file(hospital_id, region), form)


def _whose(asked: Asked) -> tuple[str, str]:
    """(hospital's id, region), of which at most one is asked."""
    hospital_id = asked.hospital_asked() if asked.query("hospital_id") else ""
    region = asked.query("region")
    if hospital_id and region:
        raise BadRequest("region")
    return hospital_id, region


def _file(hospital_id: str, region: str) -> str:
    return hospital_id or (region_file(region) if region else PROVINCE)


def _form(asked: Asked) -> Form:
    """As ?format= says, else as Accept does: the first of ours in it."""
    if wanted := asked.query("format"):
        return cast("Form", wanted)
    kinds = [kind.split(";")[0].strip() for kind in asked.request.headers.get("accept", "").lower().split(",")]
    forms = {content_type.split(";")[0]: form for form, content_type in CONTENT_TYPES.items()}
    return next((forms[kind] for kind in kinds if kind in forms), "json")


def _report(period: Period, file: str, form: Form) -> Response:
    """CSV and page are files to keep: the page's own policy lets it run where it is opened, ours does not here."""
    body = wiring.show_report()(period, file, form)
    if body is None:
        return tell("not_found")
    name = f"imaging-cloud-{period.name}-{file.rsplit('/', 1)[-1]}.{form}"
    kept = {} if form == "json" else {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, {"Content-Type": CONTENT_TYPES[form], **kept}, 200)
