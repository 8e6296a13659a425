"""A blueprint whose routes take `Asked` and answer whatever happens: none can be declared without both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.http.asked import Asked
from chalicelib.http.errors import answered

View = Callable[[Asked], Response]


class Routes:
    """The routes of one audience. `blueprint` is what app.py registers."""

    def __init__(self, module: str) -> None:
        self.blueprint = Blueprint(module)

    def get(self, path: str, *takes: str) -> Callable[[View], View]:
        """`takes`: what Content-Type may say, JSON where none is named; any other is 415, even without a body."""
        return self._route("GET", path, takes)

    def post(self, path: str, *takes: str) -> Callable[[View], View]:
        return self._route("POST", path, takes)

    def delete(self, path: str) -> Callable[[View], View]:
        return self._route("DELETE", path, ())

    def _route(self, method: str, path: str, takes: tuple[str, ...]) -> Callable[[View], View]:
        def declare(view: View) -> View:
            safe = answered(view, f"{method} {path}")

            def chalice_view(**parts: Any) -> Response:
                return safe(Asked(self.blueprint.current_request, parts, wiring.now()))

            body = {"content_types": list(takes)} if takes else {}
            self.blueprint.route(path, methods=[method], name=view.__name__, **body)(chalice_view)
            return view

        return declare
