"""The door stands before every route: it lets in whom a true token and the role table allow, and nobody else."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from chalice.app import Chalice
from chalice.test import Client

from chalicelib.domain.access import Caller
from chalicelib.domain.session import Session, TokenRefused, csrf_value
from chalicelib.http.access import COOKIE, ROUTES, Door
from chalicelib.http.answers import HEADERS, answer
from chalicelib.http.asked import CALLER

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
ORIGIN = "https://yun.example.test"
CALLERS = {
    "doctor": Caller("doctor", "d1", hospital_id="H1"),
    "hospital": Caller("hospital", "H1", hospital_id="H1"),
    "patient": Caller("patient", "p1", person_id="P1"),
    "unbound-hospital": Caller("hospital", "H1"),
    "unbound-patient": Caller("patient", "p1"),
    "regulator": Caller("regulator", "r1"),
}


class KnownTokens:
    """A token is the name of a caller."""

    def verify(self, token, now):
        if token in CALLERS:
            return Session(CALLERS[token], now + timedelta(minutes=10))
        return TokenRefused("signature")


def made(origin=ORIGIN, **views):
    app = Chalice("imaging-cloud")
    app.register_middleware(Door(KnownTokens, lambda: origin, lambda: NOW), "http")

    def whoami():
        return answer({"subject": app.current_request.context[CALLER].subject})

    def broken():
        raise RuntimeError("13800138000")

    app.route("/me/studies", methods=["GET"], name="a")(views.get("studies", whoami))
    app.route("/me/consents/revoke", methods=["POST"], name="b")(whoami)
    app.route("/hospital/quarantine", methods=["GET"], name="c")(whoami)
    app.route("/hospitals", methods=["POST"], name="d")(whoami)
    app.route("/health", methods=["GET"], name="e")(views.get("health", lambda: answer({"status": "ok"})))
    app.route("/not/in/the/table", methods=["GET"], name="f")(whoami)
    app.route("/hospital/worklist", methods=["GET"], name="g")(broken)
    return Client(app).http


@pytest.fixture
def http():
    return made()


def bearer(name):
    return {"Authorization": f"Bearer {name}"}


def cookie(name, **more):
    return {"Cookie": f"a=b; {COOKIE}={name}; c=d", **more}


def test_an_open_route_needs_no_token(http):
    assert http.get("/health").status_code == 200


@pytest.mark.parametrize("headers", [bearer("patient"), {"authorization": "bearer patient"}, cookie("patient")])
def test_a_true_token_is_let_in_by_header_and_by_cookie(http, headers):
    said = http.get("/me/studies", headers=headers)
    assert (said.status_code, said.json_body) == (200, {"subject": "p1"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("forged"),
        cookie("forged"),
        {"Authorization": "patient"},
        {"Authorization": "Basic patient"},
        {"Authorization": ""},
        {"Cookie": f"{COOKIE}=patient; {COOKIE}=patient"},
        {"Cookie": "session=patient"},
        {"Authorization": "Bearer forged", "Cookie": f"{COOKIE}=patient"},
    ],
)
def test_without_a_true_token_the_answer_is_always_the_same_401(http, headers):
    said = http.get("/me/studies", headers=headers)
    assert said.status_code == 401
    assert said.body == http.get("/me/studies").body
    assert said.json_body["error"] == "unauthenticated"


@pytest.mark.parametrize(
    ("caller", "path"),
    [
        ("doctor", "/me/studies"),
        ("regulator", "/me/studies"),
        ("unbound-patient", "/me/studies"),
        ("patient", "/hospital/quarantine"),
        ("unbound-hospital", "/hospital/quarantine"),
        ("patient", "/not/in/the/table"),
    ],
)
def test_a_role_or_a_route_that_is_not_in_the_table_is_closed(http, caller, path):
    said = http.get(path, headers=bearer(caller))
    assert (said.status_code, said.json_body["error"]) == (403, "not_allowed")


def test_a_write_by_cookie_needs_our_origin_and_the_csrf_value(http):
    mine = {"Origin": ORIGIN, "X-CSRF": csrf_value("patient")}
    assert http.post("/me/consents/revoke", headers=cookie("patient", **mine)).status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Origin": ORIGIN},
        {"X-CSRF": csrf_value("patient")},
        {"Origin": "https://evil.example.test", "X-CSRF": csrf_value("patient")},
        {"Origin": "null", "X-CSRF": csrf_value("patient")},
        {"Origin": f"{ORIGIN}.evil.test", "X-CSRF": csrf_value("patient")},
        {"Origin": ORIGIN, "X-CSRF": csrf_value("doctor")},
        {"Origin": ORIGIN, "X-CSRF": ""},
        {"Origin": ORIGIN, "X-CSRF": "影"},
    ],
)
def test_a_write_that_another_page_caused_is_refused(http, more):
    said = http.post("/me/consents/revoke", headers=cookie("patient", **more))
    assert (said.status_code, said.json_body["error"]) == (403, "csrf")


def test_where_no_origin_is_set_no_cookie_may_write():
    empty = cookie("patient", **{"Origin": "", "X-CSRF": csrf_value("patient")})
    assert made(origin="").post("/me/consents/revoke", headers=empty).json_body["error"] == "csrf"


def test_a_write_by_header_needs_no_csrf_value(http):
    assert http.post("/me/consents/revoke", headers=bearer("patient")).status_code == 200


def test_a_read_by_cookie_needs_no_csrf_value(http):
    assert http.get("/me/studies", headers=cookie("patient")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/health", {}, 200),
        ("GET", "/me/studies", {}, 401),
        ("GET", "/me/studies", bearer("doctor"), 403),
        ("POST", "/me/consents/revoke", cookie("patient"), 403),
        ("POST", "/health", {}, 403),
        ("POST", "/hospitals", {**bearer("regulator"), "Content-Type": "text/plain"}, 415),
        ("GET", "/hospital/worklist", bearer("hospital"), 500),
    ],
)
def test_every_answer_carries_the_same_protecting_headers(http, method, path, headers, status):
    said = http.request(method, path, headers=headers)
    assert said.status_code == status
    assert HEADERS.items() <= said.headers.items()
    assert said.json_body is not None


def test_a_view_cannot_take_a_protecting_header_away():
    http = made(health=lambda: answer({}, headers={"Cache-Control": "public"}))
    assert http.get("/health").headers["Cache-Control"] == "no-store"


def test_a_method_that_a_route_lacks_is_closed_before_it_is_looked_for(http):
    assert http.post("/health", headers=bearer("regulator")).json_body["error"] == "not_allowed"


def test_what_fails_behind_the_door_is_told_without_a_word_of_it(http):
    said = http.get("/hospital/worklist", headers=bearer("hospital"))
    assert said.json_body["error"] == "internal"
    assert b"13800138000" not in said.body


def test_what_fails_in_the_door_itself_is_a_500_without_a_word_of_it(caplog):
    class Broken:
        def verify(self, token, now):
            raise RuntimeError(token)

    app = Chalice("imaging-cloud")
    app.register_middleware(Door(Broken, lambda: ORIGIN, lambda: NOW), "http")
    app.route("/me/studies", methods=["GET"])(lambda: answer({}))
    said = Client(app).http.get("/me/studies", headers=bearer("s3cr3t"))
    assert (said.status_code, said.json_body["error"]) == (500, "internal")
    assert "s3cr3t" not in caplog.text
    assert "RuntimeError" in caplog.text


def test_a_refused_token_is_counted_by_reason_and_route_only(http, caplog):
    http.get("/me/studies", headers=bearer("forged"))
    line = json.loads(caplog.records[-1].getMessage())
    assert line == {"event": "token_refused", "reason": "signature", "route": "GET /me/studies"}


def test_an_event_that_is_no_request_is_answered():
    app = Chalice("imaging-cloud")
    app.register_middleware(Door(KnownTokens, lambda: ORIGIN, lambda: NOW), "http")
    assert app({"requestContext": {}}, None)["statusCode"] == 404


def test_every_closed_kind_of_route_names_its_roles():
    for route, allowed in ROUTES.items():
        assert bool(allowed.roles) == (allowed.whose != "open"), route
