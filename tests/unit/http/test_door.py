"""The door stands before every route: it lets in whom a true token and the role table allow, and nobody else."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from chalice.app import Chalice
from chalice.test import Client

from chalicelib.domain.access import AuditFailed, Caller
from chalicelib.domain.session import Session, TokenRefused, csrf_value
from chalicelib.http.access import Door
from chalicelib.http.answers import HEADERS, answer
from chalicelib.http.asked import CALLER
from chalicelib.http.bearer import COOKIE
from chalicelib.http.role_table import ROUTES

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


class Kept:
    """What the door put on record. `broken`: nothing can be."""

    def __init__(self, *, broken=False):
        self.events, self.broken = [], broken

    def turn_away(self, caller, reason, route, now):
        if self.broken:
            raise AuditFailed
        self.events.append((caller.subject if caller else "", reason, route))


def door(kept, tokens=KnownTokens, origin=ORIGIN):
    return Door(tokens, lambda: origin, lambda: NOW, lambda: kept)


def made(origin=ORIGIN, kept=None, **views):
    app = Chalice("imaging-cloud")
    app.register_middleware(door(kept or Kept(), origin=origin), "http")

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
    app.register_middleware(door(kept := Kept(), Broken), "http")
    app.route("/me/studies", methods=["GET"])(lambda: answer({}))
    said = Client(app).http.get("/me/studies", headers=bearer("s3cr3t"))
    assert (said.status_code, said.json_body["error"]) == (500, "internal")
    assert "s3cr3t" not in caplog.text
    assert "RuntimeError" in caplog.text
    assert kept.events == [("", "internal", "GET /me/studies")]


def test_a_refused_token_is_counted_by_reason_and_route_only(http, caplog):
    http.get("/me/studies", headers=bearer("forged"))
    line = json.loads(caplog.records[-1].getMessage())
    assert line == {"event": "token_refused", "reason": "signature", "route": "GET /me/studies"}


# What the door answers itself, in its own words: (headers of the request, method, path) and the event

ASKED = {
    "no token": (({}, "GET", "/me/studies"), ("", "absent", "GET /me/studies")),
    "no bearer": (({"Authorization": "Basic patient"}, "GET", "/me/studies"), ("", "malformed", "GET /me/studies")),
    "a forged one": ((bearer("13800138000"), "GET", "/me/studies"), ("", "signature", "GET /me/studies")),
    "two cookies": (
        ({"Cookie": f"{COOKIE}=patient; {COOKIE}=patient"}, "GET", "/me/studies"),
        ("", "two_cookies", "GET /me/studies"),
    ),
    "another role": ((bearer("doctor"), "GET", "/me/studies"), ("d1", "not_allowed", "GET /me/studies")),
    "bound to nothing": (
        (bearer("unbound-hospital"), "GET", "/hospital/quarantine"),
        ("H1", "not_allowed", "GET /hospital/quarantine"),
    ),
    "another page": (
        (cookie("patient"), "POST", "/me/consents/revoke"),
        ("p1", "csrf", "POST /me/consents/revoke"),
    ),
    "a route that is in no table": ((bearer("patient"), "GET", "/not/in/the/table"), ("", "unknown_route", "")),
    "a method that is in no table": ((bearer("patient"), "POST", "/health"), ("", "unknown_route", "")),
    "what fails": (
        (bearer("hospital"), "GET", "/hospital/worklist"),
        ("H1", "internal", "GET /hospital/worklist"),
    ),
    "no JSON": (
        ({**bearer("regulator"), "Content-Type": "text/plain"}, "POST", "/hospitals"),
        ("r1", "unsupported_media_type", "POST /hospitals"),
    ),
    "let in": ((bearer("patient"), "GET", "/me/studies"), None),
    "open": (({}, "GET", "/health"), None),
}


@pytest.mark.parametrize("kind", ASKED)
def test_what_the_door_answers_itself_is_one_event_in_our_own_words(kind):
    (headers, method, path), event = ASKED[kind]
    kept = Kept()
    made(kept=kept).request(method, path, headers=headers)
    assert kept.events == ([event] if event else [])


@pytest.mark.parametrize("kind", [kind for kind, (_, event) in ASKED.items() if event])
def test_what_cannot_be_put_on_record_is_a_503_whatever_it_would_have_been(kind):
    (headers, method, path), _ = ASKED[kind]
    said = made(kept=Kept(broken=True)).request(method, path, headers=headers)
    assert (said.status_code, said.json_body["error"]) == (503, "try_again")
    assert HEADERS.items() <= said.headers.items()


def test_a_body_that_is_refused_is_an_event_of_its_caller():
    kept = Kept()

    def refuses():
        return answer({"error": "bad_request"}, 400)

    assert made(kept=kept, studies=refuses).get("/me/studies", headers=bearer("patient")).status_code == 400
    assert kept.events == [("p1", "bad_request", "GET /me/studies")]


def test_an_event_that_is_no_request_is_answered():
    app = Chalice("imaging-cloud")
    app.register_middleware(door(Kept()), "http")
    assert app({"requestContext": {}}, None)["statusCode"] == 404


def test_every_closed_kind_of_route_names_its_roles():
    for route, allowed in ROUTES.items():
        assert bool(allowed.roles) == (allowed.whose != "open"), route
