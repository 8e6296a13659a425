"""The door: one middleware on every route. Who calls, may that role, and is the request the caller's own doing.

It *returns* 401 and 403, for Chalice turns what a middleware raises into a 500. A route that is not in `ROUTES` is
closed. What it answers itself is an event of the audit, as every decision behind it is; where that cannot be written,
the answer is 503 and nothing else. Tokens come in the Authorization header, or in the `__Host-session` cookie that
POST /session sets; what a browser sends by itself needs proof that our own page asked (Origin and X-CSRF) before it
writes.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from chalicelib.domain.access import AuditFailed, Caller, Role
from chalicelib.domain.session import Session, TokenRefused, csrf_value
from chalicelib.http.answers import sealed
from chalicelib.http.asked import CALLER
from chalicelib.http.bearer import Bearer, bearer_of
from chalicelib.http.errors import internal, tell
from chalicelib.http.fhir_outcome import as_outcome, is_fhir
from chalicelib.services.ports import Tokens

if TYPE_CHECKING:
    from chalice.app import Request, Response

log = logging.getLogger("imaging_cloud")

ENTRY = "imaging_cloud.entry"  # beside CALLER in the request's context
READS = frozenset({"GET", "HEAD"})
# Answers that were given without a decision of any use case: the door puts them on record.
UNDECIDED: Mapping[int, str] = {400: "bad_request", 406: "bad_request", 415: "unsupported_media_type", 500: "internal"}

Whose = Literal["open", "session", "own_hospital", "self", "ward", "granted", "covered", "province"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which roles may use a route, and whose things it is about.

    `open`: no token. Of /health, the list of CDS services and FHIR's /metadata no event: they tell nothing of anybody,
    and machines ask them every few seconds; what else is open records each try itself. `session`: the
    caller's own session. `own_hospital`, `self`: the token must be bound to a hospital or person, and the service is
    asked about that one only. `ward`: bound to a person, about the wards that a desk proved to be theirs. `granted`:
    one study, by a Grant. `covered`: whatever the caller's grants cover. `province`: no single hospital's or person's.
    """

    roles: frozenset[Role]
    whose: Whose


def _allow(whose: Whose, *roles: Role) -> Allowed:
    return Allowed(frozenset(roles), whose)


_EVERY_ROLE: tuple[Role, ...] = (
    "doctor",
    "patient",
    "guardian",
    "hospital",
    "desk_clerk",
    "privacy_officer",
    "regulator",
    "administrator",
)

_INSTANCE = "/dicomweb/studies/{uid}/series/{series}/instances/{instance}"

ROUTES: Mapping[tuple[str, str], Allowed] = {
    ("GET", "/health"): _allow("open"),
    ("POST", "/session"): _allow("session", *_EVERY_ROLE),
    ("DELETE", "/session"): _allow("session", *_EVERY_ROLE),
    # hospitals
    ("POST", "/hospital/notices"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/studies/{uid}"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/studies/{uid}/receipt"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/studies/{uid}/retention"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/studies/{uid}/amendments"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/disposals"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/disposals"): _allow("own_hospital", "hospital", "privacy_officer"),
    ("GET", "/hospital/disposals/{disposal_id}/certificate"): _allow("own_hospital", "hospital", "privacy_officer"),
    ("GET", "/hospital/quarantine"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/quarantine/replaced"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/quarantine/release"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/compliance"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/exams"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/reports/{period}"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/worklist"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/statistics/recognition/{period}"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/statistics/recognition/{period}/events"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/flags/exams"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/flags/history"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/flags/acknowledge"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/flags/explain"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/credentials"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/keys"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/keys"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/keys/retire"): _allow("own_hospital", "hospital"),
    ("POST", "/joining"): _allow("open"),
    # ordering systems: each call carries a token made for its own address (http/cds_hooks.py)
    ("GET", "/cds-services"): _allow("open"),
    ("POST", "/cds-services/{service_id}"): _allow("open"),
    ("POST", "/cds-services/{service_id}/feedback"): _allow("open"),
    ("POST", "/desk/registrations"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/persons/unfreeze"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/persons/sessions/end"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/identities/contest"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/identities/unlink"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/guardians"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/guardians/end"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/accesses/object"): _allow("own_hospital", "desk_clerk"),
    ("GET", "/desk/hand-overs"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/hand-overs/print"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/hand-overs/done"): _allow("own_hospital", "desk_clerk"),
    # privacy officers
    ("POST", "/privacy/identities/history"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/identities/contest"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/identities/unlink"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/identities/relink"): _allow("own_hospital", "privacy_officer"),
    ("GET", "/privacy/pairs"): _allow("own_hospital", "privacy_officer"),
    ("GET", "/privacy/reviews"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/reviews/verdict"): _allow("own_hospital", "privacy_officer"),
    ("GET", "/privacy/suspensions"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/suspensions/lift"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/disposals/decide"): _allow("own_hospital", "privacy_officer"),
    ("GET", "/privacy/holds"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/holds"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/holds/lift"): _allow("own_hospital", "privacy_officer"),
    # witnesses
    ("GET", "/assisted-requests"): _allow("own_hospital", "desk_clerk", "privacy_officer"),
    ("POST", "/assisted-requests/confirm"): _allow("own_hospital", "desk_clerk", "privacy_officer"),
    # doctors
    ("POST", "/assisted-requests"): _allow("own_hospital", "doctor"),
    ("POST", "/assisted-requests/outcome"): _allow("own_hospital", "doctor"),
    ("POST", "/break-glass"): _allow("own_hospital", "doctor"),
    ("POST", "/consent-requests"): _allow("own_hospital", "doctor"),
    ("POST", "/consent-requests/verify"): _allow("own_hospital", "doctor"),
    ("POST", "/consent-requests/outcome"): _allow("own_hospital", "doctor"),
    ("POST", "/consent-requests/qr"): _allow("own_hospital", "doctor"),
    ("POST", "/recognitions"): _allow("own_hospital", "doctor"),
    ("GET", "/encounters/{encounter_id}/timeline"): _allow("own_hospital", "doctor"),
    ("GET", "/hospitals/{hospital_id}/studies/{uid}/manifest"): _allow("granted", "doctor", "patient", "guardian"),
    # DICOMweb
    ("GET", "/dicomweb/studies"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/series"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/instances"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/series"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/instances"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/series/{series}/instances"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/metadata"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/series/{series}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/series/{series}/metadata"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", _INSTANCE): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", f"{_INSTANCE}/metadata"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", f"{_INSTANCE}/frames/{{frames}}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/dicomjson"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/wado"): _allow("granted", "doctor", "patient", "guardian"),
    # FHIR
    ("GET", "/fhir/metadata"): _allow("open"),
    ("GET", "/fhir/ImagingStudy"): _allow("covered", "doctor", "patient", "guardian"),
    ("POST", "/fhir/ImagingStudy/_search"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/fhir/ImagingStudy/{study_id}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/fhir/DiagnosticReport"): _allow("covered", "doctor", "patient", "guardian"),
    ("POST", "/fhir/DiagnosticReport/_search"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/fhir/DiagnosticReport/{report_id}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/fhir/Consent"): _allow("covered", "patient", "guardian"),
    ("GET", "/fhir/Consent/{consent_id}"): _allow("granted", "patient", "guardian"),
    ("GET", "/fhir/AuditEvent"): _allow("covered", "patient", "guardian"),
    # patients
    ("GET", "/me/studies"): _allow("self", "patient"),
    ("GET", "/me/consents"): _allow("self", "patient"),
    ("POST", "/me/consents/revoke"): _allow("self", "patient"),
    ("GET", "/me/accesses"): _allow("self", "patient"),
    ("POST", "/me/accesses/object"): _allow("self", "patient"),
    ("GET", "/me/identities"): _allow("self", "patient"),
    ("POST", "/me/identities/contest"): _allow("self", "patient"),
    ("POST", "/me/freeze"): _allow("self", "patient"),
    ("POST", "/me/sessions/end"): _allow("self", "patient"),
    ("POST", "/me/studies/hide"): _allow("self", "patient"),
    ("POST", "/me/studies/show"): _allow("self", "patient"),
    ("GET", "/me/studies/hidden"): _allow("self", "patient"),
    ("GET", "/me/phone"): _allow("self", "patient"),
    ("POST", "/me/phone"): _allow("self", "patient"),
    ("POST", "/me/phone/void"): _allow("self", "patient"),
    ("POST", "/me/export"): _allow("self", "patient"),
    ("GET", "/me/export"): _allow("self", "patient"),
    ("GET", "/me/requests"): _allow("self", "patient"),
    ("POST", "/me/requests/decide"): _allow("self", "patient"),
    ("POST", "/me/qr"): _allow("self", "patient"),
    ("GET", "/me/guardians"): _allow("self", "patient"),
    ("POST", "/me/guardians/object"): _allow("self", "patient"),
    ("GET", "/me/notices"): _allow("self", "patient"),
    # guardians
    ("GET", "/wards"): _allow("ward", "guardian"),
    ("GET", "/wards/studies"): _allow("ward", "guardian"),
    ("GET", "/wards/requests"): _allow("ward", "guardian"),
    ("POST", "/wards/requests/decide"): _allow("ward", "guardian"),
    ("GET", "/wards/consents"): _allow("ward", "guardian"),
    ("POST", "/wards/consents/revoke"): _allow("ward", "guardian"),
    ("GET", "/wards/accesses"): _allow("ward", "guardian"),
    ("POST", "/wards/qr"): _allow("ward", "guardian"),
    ("POST", "/wards/export"): _allow("ward", "guardian"),
    ("GET", "/wards/export"): _allow("ward", "guardian"),
    ("GET", "/wards/guardians"): _allow("ward", "guardian"),
    ("POST", "/wards/guardians/object"): _allow("ward", "guardian"),
    # the commission
    ("POST", "/hospitals"): _allow("province", "regulator"),
    ("GET", "/hospitals"): _allow("province", "regulator"),
    ("GET", "/hospitals/{hospital_id}"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/joining-code"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/keys/revoke"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/excuses"): _allow("province", "regulator"),
    ("GET", "/compliance/hospitals/{hospital_id}"): _allow("province", "regulator"),
    ("GET", "/disposals"): _allow("province", "regulator"),
    ("GET", "/hospitals/{hospital_id}/disposals"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/disposals/decide"): _allow("province", "regulator"),
    ("GET", "/hospitals/{hospital_id}/holds"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/holds"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/holds/lift"): _allow("province", "regulator"),
    ("GET", "/compliance/flags"): _allow("province", "regulator"),
    ("GET", "/compliance/flags/exams"): _allow("province", "regulator"),
    ("GET", "/compliance/flags/history"): _allow("province", "regulator"),
    ("POST", "/compliance/flags/acknowledge"): _allow("province", "regulator"),
    ("POST", "/compliance/flags/close"): _allow("province", "regulator"),
    ("POST", "/compliance/excuses"): _allow("province", "regulator"),
    ("GET", "/compliance/excuses"): _allow("province", "regulator"),
    ("GET", "/compliance/quarantine"): _allow("province", "regulator"),
    ("GET", "/compliance/quarantine/{hospital_id}"): _allow("province", "regulator"),
    ("POST", "/compliance/quarantine/{hospital_id}/decisions"): _allow("province", "regulator"),
    ("GET", "/compliance/reports/{period}"): _allow("province", "regulator"),
    ("GET", "/statistics/recognition/{period}"): _allow("province", "regulator"),
    ("GET", "/statistics/recognition/{period}/events"): _allow("province", "regulator"),
    # administrators
    ("POST", "/doctors"): _allow("province", "administrator"),
    ("POST", "/doctors/status"): _allow("province", "administrator"),
    ("POST", "/doctors/sessions/end"): _allow("province", "administrator"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """How the caller was let in: what POST /session needs to know."""

    session: Session
    bearer: Bearer


class Refusals(Protocol):
    def turn_away(self, caller: Caller | None, reason: str, route: str, now: datetime) -> None:
        """Put on record what the door answered, or raise AuditFailed. None: nobody whose token was believed."""
        ...


@dataclass(frozen=True, slots=True)
class _Shut:
    """The door's own answer, and why, in a fixed word."""

    answer: Response
    reason: str
    caller: Caller | None = None


@dataclass(frozen=True)
class Door:
    """The middleware. Its parts are asked for at each request: nothing is made before it is needed."""

    tokens: Callable[[], Tokens]
    origin: Callable[[], str]
    now: Callable[[], datetime]
    refusals: Callable[[], Refusals]

    def __call__(self, request: Request | None, get_response: Callable[[Any], Response]) -> Response:
        """The route's answer, or the door's own 401, 403 or 503; all with the headers of every answer."""
        if request is None:
            return sealed(tell("not_found"))
        route = f"{request.method} {request.path}"
        try:
            response = self._answered(request, route, get_response)
        except AuditFailed:
            response = tell("try_again")
        except Exception as error:  # noqa: BLE001 - the edge: every request ends in an answer
            response = internal(error, route)
        return sealed(as_outcome(response) if is_fhir(request.path) else response)

    def _answered(self, request: Request, route: str, get_response: Callable[[Any], Response]) -> Response:
        """As above. Raises AuditFailed."""
        try:
            shut = self._closed(request, route)
            response = shut.answer if shut else _ours(get_response(request))
        except Exception as error:  # noqa: BLE001 - as above: on record like all that decided nothing
            shut, response = None, internal(error, route)
        if shut:
            self._on_record(shut.caller, shut.reason, request)
        elif response.status_code in UNDECIDED:
            self._on_record(request.context.get(CALLER), UNDECIDED[response.status_code], request)
        return response

    def _on_record(self, caller: Caller | None, reason: str, request: Request) -> None:
        """The route as our table spells it: what a stranger makes up is not kept."""
        known = (request.method, request.path) in ROUTES
        self.refusals().turn_away(caller, reason, f"{request.method} {request.path}" if known else "", self.now())

    def _closed(self, request: Request, route: str) -> _Shut | None:
        """Why the door stays shut; None when the caller may pass."""
        allowed = ROUTES.get((request.method, request.path))
        if allowed is None:
            return _Shut(tell("not_allowed"), "unknown_route")
        if allowed.whose == "open":
            return None
        bearer = bearer_of(request.headers)
        if isinstance(bearer, TokenRefused):
            return _refused(bearer, route)
        session = self.tokens().verify(bearer.token, self.now())
        if isinstance(session, TokenRefused):
            return _refused(session, route)
        if bearer.by_cookie and request.method not in READS and not self._own_page(request, bearer.token):
            return _Shut(tell("csrf"), "csrf", session.caller)
        return _let_in(request, allowed, session, bearer)

    def _own_page(self, request: Request, token: str) -> bool:
        """Origin is ours and X-CSRF is what POST /session told the page."""
        said = request.headers.get("x-csrf", "").encode()
        origin = self.origin()
        right = bool(origin) and request.headers.get("origin") == origin
        return right and hmac.compare_digest(said, csrf_value(token).encode())


def _let_in(request: Request, allowed: Allowed, session: Session, bearer: Bearer) -> _Shut | None:
    if session.caller.role not in allowed.roles or not _is_bound(session.caller, allowed.whose):
        return _Shut(tell("not_allowed"), "not_allowed", session.caller)
    request.context.update({CALLER: session.caller, ENTRY: Entry(session, bearer)})
    return None


def _is_bound(caller: Caller, whose: Whose) -> bool:
    if whose == "own_hospital":
        return bool(caller.hospital_id)
    if whose in ("self", "ward"):
        return bool(caller.person_id)
    return True


def _refused(refused: TokenRefused, route: str) -> _Shut:
    """401, the same for every reason; the reason itself is in the log and in the audit."""
    log.warning(json.dumps({"event": "token_refused", "reason": refused.reason, "route": route}))
    return _Shut(tell("unauthenticated"), refused.reason)


_CHALICE_SAYS = {415: "unsupported_media_type"}


def _ours(response: Response) -> Response:
    """Chalice answers some requests before any route is reached; those answers speak our language too."""
    if isinstance(response.body, dict) and "Code" in response.body:
        return tell(
            _CHALICE_SAYS.get(response.status_code, "bad_request" if response.status_code < 500 else "internal")
        )
    return response
