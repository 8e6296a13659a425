"""FHIR R4, read only: what the caller's grants cover, for any system that speaks the standard (infra/FHIR.md).

Errors become OperationOutcomes at the door (`http.fhir_outcome`). A guardian names the ward in X-Ward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from chalicelib import wiring
from chalicelib.http import fhir_types
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.fhir_outcome import not_heeded
from chalicelib.http.fhir_parameters import ANY_READ, in_address, in_form
from chalicelib.http.fhir_search import FORM, Parameters, consent_query, parameters, studies_of, study_query
from chalicelib.http.fhir_types import FHIR_JSON, Element
from chalicelib.http.kinds import one_of, optional
from chalicelib.http.routes import Routes
from chalicelib.wiring import fhir as cases

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.domain.page import Page

Item = TypeVar("Item")
GIVEN = {200: (FHIR_JSON,)}
REFUSED = ("not_acceptable",)
MODE = optional(one_of(("full", "normative")))  # one statement is both
READS = ("application/json", FHIR_JSON, FORM)  # clients name a type though they send no body

routes = Routes()


@routes.get(
    "/fhir/metadata",
    *READS,
    query={**ANY_READ, "mode": MODE},
    answers=GIVEN,
    tells=REFUSED,
)
def capabilities(asked: Asked) -> Response:
    from chalicelib.http.fhir_capability import capability_statement

    given = parameters(asked)
    if given.one("mode") not in ("", *MODE.schema["enum"]):
        raise BadRequest("mode")
    given.done()
    return fhir_types.resource(capability_statement(fhir_types.base_url(asked)))


@routes.get("/fhir/ImagingStudy", *READS, query=in_address("ImagingStudy"), answers=GIVEN, tells=REFUSED)
def search_imaging_studies(asked: Asked) -> Response:
    from chalicelib.http.fhir_imaging import dicomweb_of, in_list
    from chalicelib.services.find_studies import Search

    given = parameters(asked)
    ids = given.ids("_id")
    query = study_query(given, asked.caller.hospital_id, studies_of(ids) if ids else None)
    with _page(given) as (token, count):
        search = Search(query, token, count, _ward(asked))
        endpoint = dicomweb_of(asked)
        found = cases.find_studies()(asked.caller, search, asked.now, lambda study: [in_list(study, endpoint)])
    return _found(asked, given, "ImagingStudy", found, dict)


@routes.post("/fhir/ImagingStudy/_search", FORM, body=in_form("ImagingStudy"), answers=GIVEN, tells=REFUSED)
def search_imaging_studies_by_form(asked: Asked) -> Response:
    return search_imaging_studies(asked)


@routes.get("/fhir/ImagingStudy/{study_id}", *READS, query=ANY_READ, answers=GIVEN, tells=REFUSED)
def read_imaging_study(asked: Asked) -> Response:
    from chalicelib.http.fhir_imaging import dicomweb_of, imaging_study

    parameters(asked).done()
    found, manifest = cases.show_study()(asked.caller, asked.path["study_id"], asked.now)
    return fhir_types.resource(imaging_study(found, manifest, dicomweb_of(asked)))


@routes.get("/fhir/DiagnosticReport", *READS, query=in_address("DiagnosticReport"), answers=GIVEN, tells=REFUSED)
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
    return _found(asked, given, "DiagnosticReport", found, diagnostic_report)


@routes.post("/fhir/DiagnosticReport/_search", FORM, body=in_form("DiagnosticReport"), answers=GIVEN, tells=REFUSED)
def search_diagnostic_reports_by_form(asked: Asked) -> Response:
    return search_diagnostic_reports(asked)


@routes.get("/fhir/DiagnosticReport/{report_id}", *READS, query=ANY_READ, answers=GIVEN, tells=REFUSED)
def read_diagnostic_report(asked: Asked) -> Response:
    from chalicelib.http.fhir_imaging import diagnostic_report

    parameters(asked).done()
    return fhir_types.resource(
        diagnostic_report(cases.open_diagnostic()(asked.caller, asked.path["report_id"], asked.now))
    )


@routes.get("/fhir/Consent", *READS, query=in_address("Consent"), answers=GIVEN, tells=REFUSED)
def search_consents(asked: Asked) -> Response:
    from chalicelib.http.fhir_records import consent

    given = parameters(asked)
    query = consent_query(given)
    with _page(given) as (token, count):
        page = cases.find_consents()
        found = page(asked.caller, asked.now, query, token=token, limit=count, ward=_ward(asked))
    return _found(asked, given, "Consent", found, lambda one: consent(one, asked.now))


@routes.get("/fhir/Consent/{consent_id}", *READS, query=ANY_READ, answers=GIVEN, tells=REFUSED)
def read_consent(asked: Asked) -> Response:
    from chalicelib.http.fhir_records import consent

    parameters(asked).done()
    found = cases.find_consents().one(asked.caller, asked.path["consent_id"], asked.now, _ward(asked))
    return fhir_types.resource(consent(found, asked.now))


@routes.get("/fhir/AuditEvent", *READS, query=in_address("AuditEvent"), answers=GIVEN, tells=REFUSED)
def search_audit_events(asked: Asked) -> Response:
    """Who looked, newest first; not one's own lists and sign-ins (GET /me/accesses has both)."""
    from chalicelib.http.fhir_records import audit_event

    given, ward = parameters(asked), _ward(asked)
    span = given.span("date")
    with _page(given) as (token, count):
        found = wiring.read_accesses()(asked.caller, asked.now, token, count, ward, span=span)
    return _found(asked, given, "AuditEvent", wiring.explain_accesses()(found), audit_event)


def _ward(asked: Asked) -> str:
    return asked.ward() if asked.caller.role == "guardian" else ""


def _found(asked: Asked, given: Parameters, kind: str, page: Page[Item], told: Callable[[Item], Element]) -> Response:
    """A page of a search's results, each as `told` tells it, and what of the search was not heeded."""
    address = f"{fhir_types.base_url(asked)}/{kind}"
    links, said = given.links(page.next_token), not_heeded(given.unheeded) if given.unheeded else {}
    return fhir_types.bundle([told(one) for one in page.items], address, links, said)


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
