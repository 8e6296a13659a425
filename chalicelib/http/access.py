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
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.domain.access import AuditFailed, Caller
from chalicelib.domain.session import Session, TokenRefused, csrf_value
from chalicelib.http.answers import sealed
from chalicelib.http.asked import CALLER
from chalicelib.http.bearer import Bearer, bearer_of
from chalicelib.http.errors import internal, tell
from chalicelib.http.fhir_outcome import as_outcome, is_fhir
from chalicelib.http.role_table import ROUTES, Allowed, Whose
from chalicelib.services.ports import Tokens

if TYPE_CHECKING:
    from chalice.app import Request, Response

log = logging.getLogger("imaging_cloud")

ENTRY = "imaging_cloud.entry"  # beside CALLER in the request's context
READS = frozenset({"GET", "HEAD"})
# Answers that were given without a decision of any use case: the door puts them on record.
UNDECIDED: Mapping[int, str] = {400: "bad_request", 406: "bad_request", 415: "unsupported_media_type", 500: "internal"}


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
