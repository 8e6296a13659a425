"""Every route, behind the one door. Where the zip says which module has which route (`infra.package`), a module is
loaded when the first of its routes is asked for: a cold start pays for one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalice.app import CaseInsensitiveMapping

from chalicelib import wiring
from chalicelib.http.access import Door
from chalicelib.http.errors import tell

if TYPE_CHECKING:
    from chalice.app import Chalice, Response

    from chalicelib.http.routes import Routes

MODULES = (
    "session",
    "hospitals",
    "joining",
    "signed_uploads",
    "quarantine",
    "desks",
    "privacy",
    "disposals",
    "doctors",
    "dicomweb",
    "stow",
    "fhir",
    "cds_hooks",
    "recognition",
    "exceptions",
    "patients",
    "guardians",
    "regulators",
    "ledger",
    "compliance_reports",
    "administrators",
)
INDEX = Path(__file__).with_name("index.json")  # of the zip alone

Listed = Iterable[tuple[str, str, str, list[str]]]  # module, method, path, what its Content-Type may say


def serve(app: Chalice) -> None:
    app.register_middleware(Door(wiring.tokens, wiring.origin, wiring.now, wiring.record_decision), "http")
    for module, method, path, takes in json.loads(INDEX.read_bytes()) if INDEX.exists() else listed():
        types = {"content_types": takes} if takes else {}
        app.route(path, methods=[method], **types)(_view(app, module, method, path))


def listed() -> Listed:
    """All that there are: what the index holds."""
    for module in MODULES:
        for route in routes_of(module).all.values():
            yield module, route.method, route.path, list(route.takes)


def routes_of(module: str) -> Routes:
    found: Routes = import_module(f"chalicelib.http.{module}").routes
    return found


def _view(app: Chalice, module: str, method: str, path: str) -> Callable[..., Response]:
    def view(**parts: Any) -> Response:
        request: Any = app.current_request  # there is one, or nobody would have called
        return _passing(request, routes_of(module).answer(method, path, request, parts))

    return view


def _passing(request: Any, made: Response) -> Response:
    """Bytes for whoever said what is acceptable, which is decided by now: the deployed API decodes them, whatever was
    said (infra/app-merge.yaml). What it does where nothing was said nobody tells, and Chalice would let them pass only
    to who names one of its own binary types."""
    if not isinstance(made.body, bytes):
        return made
    if not request.headers.get("accept"):
        return tell("bad_request", field="accept")
    request.headers = CaseInsensitiveMapping({**request.headers, "accept": "*/*"})
    return made
