"""FHIR R4, read only: what the caller's grants cover, for any system that speaks the standard (infra/FHIR.md).

Errors become OperationOutcomes at the door (`http.fhir_outcome`). A guardian names the ward in X-Ward.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import fhir_types
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.fhir_search import FORM, Parameters, parameters, studies_of, study_query
from chalicelib.http.fhir_types import FHIR_JSON
from chalicelib.http.routes import Routes
from chalicelib.wiring import fhir as cases

if TYPE_CHECKING:
    from chalice.app import Response

READS = ("application/json", FHIR_JSON, FORM)  # clients name a type though they send no body

routes = Routes(__name__)


@routes.get("/fhir/metadata", *READS)
def capabilities(_asked: Asked) -> Response:
    from chalicelib.http.fhir_capability import capability_statement

    return fhir_types.resource(capability_statement())


@routes.get("/fhir/ImagingStudy", *READS)
def search_imaging_studies(asked: Asked) -> Response:
    from chalicelib.http.fhir_imaging import in_list
    from chalicelib.services.find_studies import Search

    given = parameters(asked)
    ids = given.ids("_id")
    query = study_query(given, asked.caller.hospital_id, studies_of(ids) if ids else None)
    with _page(given) as (token, count):
        search = Search(query, token, count, _ward(asked))
        found = cases.find_studies()(asked.caller, search, asked.now, lambda study: [in_list(study)])
    return fhir_types.bundle(found.items, "ImagingStudy", given.links(found.next_token))


@routes.post("/fhir/ImagingStudy/_search", FORM)
def search_imaging_studies_by_form(asked: Asked) -> Response:
    return search_imaging_studies(asked)


@routes.get("/fhir/ImagingStudy/{study_id}", *READS)
def read_imaging_study(asked: Asked) -> Response:
    from chalicelib.http.fhir_imaging import imaging_study

    found, manifest = cases.show_study()(asked.caller, asked.path["study_id"], asked.now)
    return fhir_types.resource(imaging_study(found, manifest))


@routes.get("/fhir/DiagnosticReport", *READS)
def search_diagnostic_reports(asked: Asked) -> Response:
    """`study`, of R5: those of one study."""
    from chalicelib.domain.fhir_id import study_of_report
    from chalicelib.http.fhir_imaging import diagnostic_report
    from chalicelib.services.find_studies import Search

    given = parameters(asked)
    ids, of = given.ids("_id"), given.ids("study", "ImagingStudy")
    refs = frozenset(filter(None, map(study_of_report, ids))) if ids else None
    if of:
        refs = studies_of(of) if refs is None else refs & studies_of(of)
    query = study_query(given, asked.caller.hospital_id, refs)
    with _page(given) as (token, count):
        search = Search(query, token, count, _ward(asked))
        found = cases.find_diagnostics()(asked.caller, search, asked.now, frozenset(ids) if ids else None)
    told = [diagnostic_report(one) for one in found.items]
    return fhir_types.bundle(told, "DiagnosticReport", given.links(found.next_token))


@routes.post("/fhir/DiagnosticReport/_search", FORM)
def search_diagnostic_reports_by_form(asked: Asked) -> Response:
    return search_diagnostic_reports(asked)


@routes.get("/fhir/DiagnosticReport/{report_id}", *READS)
def read_diagnostic_report(asked: Asked) -> Response:
    from chalicelib.http.fhir_imaging import diagnostic_report

    return fhir_types.resource(
        diagnostic_report(cases.open_diagnostic()(asked.caller, asked.path["report_id"], asked.now))
    )


@routes.get("/fhir/Consent", *READS)
def search_consents(asked: Asked) -> Response:
    from chalicelib.http.fhir_records import consent

    given = parameters(asked)
    ids, live = given.ids("_id"), _LIVE.get(given.one("status") or "all", "refused")
    if isinstance(live, str):
        raise BadRequest("status")
    only = frozenset(ids) if ids else None
    with _page(given) as (token, count):
        page = cases.find_consents()
        found = page(asked.caller, asked.now, live=live, only=only, token=token, limit=count, ward=_ward(asked))
    told = [consent(one, asked.now) for one in found.items]
    return fhir_types.bundle(told, "Consent", given.links(found.next_token))


@routes.get("/fhir/Consent/{consent_id}", *READS)
def read_consent(asked: Asked) -> Response:
    from chalicelib.http.fhir_records import consent

    found = cases.find_consents().one(asked.caller, asked.path["consent_id"], asked.now, _ward(asked))
    return fhir_types.resource(consent(found, asked.now))


@routes.get("/fhir/AuditEvent", *READS)
def search_audit_events(asked: Asked) -> Response:
    """Who looked, newest first; not one's own lists and sign-ins (GET /me/accesses has both)."""
    from chalicelib.http.fhir_records import audit_event

    given, ward = parameters(asked), _ward(asked)
    with _page(given) as (token, count):
        found = wiring.read_accesses()(asked.caller, asked.now, token, count, ward)
    told = [audit_event(one) for one in wiring.explain_accesses()(found).items]
    return fhir_types.bundle(told, "AuditEvent", given.links(found.next_token))


_LIVE = {"all": None, "active": True, "inactive": False}


def _ward(asked: Asked) -> str:
    return asked.ward() if asked.caller.role == "guardian" else ""


@contextmanager
def _page(given: Parameters) -> Iterator[tuple[str, int]]:
    """Token and size of a page, around its read: lists raise ValueError for a token that none of them made."""
    token, count = given.one("token"), given.count()
    given.done()
    try:
        yield token, count
    except ValueError:
        if token:
            raise BadRequest("token") from None
        raise
