"""What a client or a proxy claims about host and address changes nothing; odd methods and headers end at the door."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

import app
from chalicelib.domain.session import csrf_value
from chalicelib.http.answers import HEADERS
from chalicelib.http.bearer import COOKIE
from chalicelib.http.role_table import ROUTES
from tests.support import tokens
from tests.support.served_app import ORIGIN, jwks_url
from tests.support.served_http import over_http

__all__ = ["jwks_url", "over_http"]

EVIL = "evil.example.test"
CLAIMED = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "127.0.0.1",
    "Forwarded": f"host={EVIL};proto=https",
    "X-Original-URL": "/health",
    "X-Rewrite-URL": "/health",
    "X-HTTP-Method-Override": "GET",
}


def patient():
    return tokens.signed(tokens.claims(role="patient", subject="p1", person_id="NOBODYYET", now=datetime.now(UTC)))


def by_cookie(token, **more):
    return {"Cookie": f"{COOKIE}={token}", "X-CSRF": csrf_value(token), **more}


@pytest.mark.parametrize("name", CLAIMED)
def test_an_origin_that_only_the_request_itself_vouches_for_writes_nothing(over_http, name):
    said = over_http.http.request(
        "POST", "/me/sessions/end", by_cookie(patient(), Origin=f"https://{EVIL}", **{name: CLAIMED[name]})
    )
    assert (said.status_code, said.json_body["error"]) == (403, "csrf")


@pytest.mark.parametrize("name", CLAIMED)
def test_what_a_proxy_claims_keeps_nobody_out_of_their_own_page(over_http, name):
    said = over_http.http.request("DELETE", "/session", by_cookie(patient(), Origin=ORIGIN, **{name: CLAIMED[name]}))
    assert said.status_code in (200, 204), said.body


@pytest.mark.parametrize("name", CLAIMED)
def test_a_claimed_path_or_method_opens_no_other_route(over_http, name):
    said = over_http.http.request("GET", "/me/studies", {name: CLAIMED[name]})
    assert said.status_code == 401
    assert EVIL.encode() not in said.body
    assert EVIL not in str(said.headers)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_methods_that_no_route_has_are_refused_on_every_route(over_http, method):
    bearer = {"Authorization": f"Bearer {patient()}"}
    for path in sorted({path for _, path in ROUTES}):
        asked = re.sub(r"\{[a-z_]+\}", "1", path)
        said = over_http.http.request(method, asked, bearer)
        assert said.status_code == 403, path
        assert HEADERS.items() <= said.headers.items()


def test_no_page_of_another_origin_may_read_any_route():
    """OPTIONS stands nowhere and no route says CORS, so a browser asks first and gets nothing."""
    assert [path for path, methods in app.app.routes.items() if "OPTIONS" in methods] == []
    assert [path for path, methods in app.app.routes.items() for one in methods.values() if one.cors] == []


@pytest.mark.parametrize("size", [10_000, 60_000])
def test_an_enormous_token_or_header_is_refused_like_any_other(over_http, size):
    said = over_http.http.request("GET", "/me/studies", {"Authorization": "Bearer " + "a" * size})
    assert said.status_code == 401
    said = over_http.http.request("POST", "/me/sessions/end", by_cookie(patient(), Origin="https://" + "a" * size))
    assert (said.status_code, said.json_body["error"]) == (403, "csrf")


def test_the_policy_of_an_answer_lets_no_script_of_any_kind_run():
    policy = {part.split()[0]: part.split()[1:] for part in HEADERS["Content-Security-Policy"].split(";")}
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert not {"script-src", "script-src-elem", "script-src-attr"} & set(policy), (
        "one of these would replace default-src"
    )
