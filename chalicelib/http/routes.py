"""Routes take `Asked` and answer whatever happens: none can be declared without both. What a route says of itself here
is read from its requests and told by `http.openapi`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

from chalice.app import Response

from chalicelib import wiring
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.errors import answered
from chalicelib.http.kinds import Kinds

if TYPE_CHECKING:
    from chalice.app import Request

View = Callable[[Asked], Any]
OneView = TypeVar("OneView", bound=View)


@dataclass(frozen=True, slots=True)
class Route:
    """What a route says of itself.

    `body`, `query`: the fields that it reads. `tells`: what it may answer (`errors.FACTS`) beside what any route may.
    A view returns what its annotation says, which is told as JSON with `status`; or a Response, of which `answers` says
    for each status what type its JSON is, or which media types its body may have: none where there is no body.
    """

    method: str
    path: str
    view: View
    takes: tuple[str, ...] = ()
    body: Kinds | None = None
    query: Kinds = field(default_factory=dict)
    tells: tuple[str, ...] = ()
    status: int = 200
    answers: Mapping[int, Any] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Response:
        made = self.view(asked)
        return made if isinstance(made, Response) else answer(made, self.status)


class Said(TypedDict, total=False):
    """What a declaration may add: see Route."""

    body: Kinds
    query: Kinds
    tells: tuple[str, ...]
    status: int
    answers: Mapping[int, Any]


class Routes:
    """The routes of one audience."""

    def __init__(self) -> None:
        self.all: dict[tuple[str, str], Route] = {}

    def get(self, path: str, *takes: str, **said: Unpack[Said]) -> Callable[[OneView], OneView]:
        """`takes`: what Content-Type may say, JSON where none is named; any other is 415, even without a body."""
        return self._route("GET", path, takes, said)

    def post(self, path: str, *takes: str, **said: Unpack[Said]) -> Callable[[OneView], OneView]:
        return self._route("POST", path, takes, said)

    def delete(self, path: str, **said: Unpack[Said]) -> Callable[[OneView], OneView]:
        return self._route("DELETE", path, (), said)

    def _route(self, method: str, path: str, takes: tuple[str, ...], said: Said) -> Callable[[OneView], OneView]:
        def declare(view: OneView) -> OneView:
            self.all[method, path] = Route(method, path, view, takes, **said)
            return view

        return declare

    def answer(self, method: str, path: str, request: Request, parts: Mapping[str, str]) -> Response:
        """What a route answers to a request past the door, whatever happens."""
        route = self.all[method, path]
        asked = Asked(request, parts, wiring.now(), route.body or {}, route.query)
        return answered(route, f"{method} {path}")(asked)
