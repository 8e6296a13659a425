"""For every role: is the API there, and turning a bearer into a cookie for pages."""

from __future__ import annotations

from typing import Literal, TypedDict

from chalice.app import Response

from chalicelib import wiring
from chalicelib.domain.access import Role
from chalicelib.domain.session import csrf_value
from chalicelib.http.access import ENTRY, Entry
from chalicelib.http.answers import JSON, answer
from chalicelib.http.asked import Asked, BadRequest
from chalicelib.http.bearer import COOKIE
from chalicelib.http.json_types import Instant
from chalicelib.http.routes import Routes

MAX_COOKIE = 4000  # characters; browsers keep 4,096 bytes of name and value

routes = Routes()


class Health(TypedDict):
    status: Literal["ok"]


class Opened(TypedDict):
    """`csrf` is what a page sends as X-CSRF when it writes."""

    csrf: str
    role: Role
    expires_at: Instant


class Closed(TypedDict):
    pass


@routes.get("/health")
def health(_asked: Asked) -> Health:
    """Whether functions answer: it reads nothing and tells of nobody."""
    return {"status": "ok"}


@routes.get("/openapi.json", answers={200: ("application/json",)})
def openapi(_asked: Asked) -> Response:
    """This document: OpenAPI 3.1."""
    from chalicelib.http.openapi import served

    return Response(served(), {"Content-Type": JSON}, 200)


@routes.post("/session", answers={200: Opened})
def open_session(asked: Asked) -> Response:
    """The bearer itself becomes the cookie: nothing is stored, and the cookie is worth no more than the token."""
    entry: Entry = asked.request.context[ENTRY]
    token = entry.bearer.token
    if len(token) > MAX_COOKIE:
        raise BadRequest("authorization")
    wiring.on_record()(asked.caller, "open_session", asked.now)
    seconds = int((entry.session.expires_at - asked.now).total_seconds())
    told = {"csrf": csrf_value(token), "role": asked.caller.role, "expires_at": entry.session.expires_at.isoformat()}
    return answer(told, headers={"Set-Cookie": _cookie(token, seconds)})


@routes.delete("/session", answers={200: Closed})
def close_session(asked: Asked) -> Response:
    """The cookie goes; the token lives on in whoever copied it, until it ends or the account's sessions are ended."""
    wiring.on_record()(asked.caller, "close_session", asked.now)
    return answer({}, headers={"Set-Cookie": _cookie("", 0)})


def _cookie(value: str, seconds: int) -> str:
    return f"{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict"
