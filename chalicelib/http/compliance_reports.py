"""Reports of days, weeks and months, as the schedule wrote them: a hospital its own, the commission all."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalice.app import Response

from chalicelib import wiring
from chalicelib.domain.compliance_report import PROVINCE, region_file
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.errors import tell
from chalicelib.http.kinds import HOSPITAL, Kinds, one_of, optional, text
from chalicelib.http.routes import Routes
from chalicelib.services.show_report import CONTENT_TYPES

if TYPE_CHECKING:
    from chalicelib.domain.period import Period
    from chalicelib.services.show_report import Form

LONGEST_REGION = 32  # as hospitals are registered
FORM: Kinds = {"format": optional(one_of(CONTENT_TYPES))}  # else as Accept says, else JSON
GIVEN = {200: tuple(content_type.split(";")[0] for content_type in CONTENT_TYPES.values())}

routes = Routes(__name__)


@routes.get("/hospital/reports/{period}", query=FORM, answers=GIVEN, tells=("not_found",))
def own_report(asked: Asked) -> Response:
    period, form = asked.period(), _form(asked)
    wiring.on_record()(asked.caller, "read_report", asked.now)
    return _report(period, asked.caller.hospital_id, form)


@routes.get(
    "/compliance/reports/{period}",
    query={**FORM, "hospital_id": optional(HOSPITAL), "region": optional(text(LONGEST_REGION))},
    answers=GIVEN,
    tells=("not_found",),
)
def report(asked: Asked) -> Response:
    """Of a hospital or a region; the province's where neither is asked."""
    period, form = asked.period(), _form(asked)
    hospital_id = asked.hospital_asked() if asked.query("hospital_id") else ""
    region = asked.query("region")
    if hospital_id and region:
        raise BadRequest("region")
    wiring.on_record()(asked.caller, "read_report", asked.now, of=hospital_id)
    return _report(period, hospital_id or (region_file(region) if region else PROVINCE), form)


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
