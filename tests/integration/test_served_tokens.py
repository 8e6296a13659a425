"""Untrue tokens against the served API, by header and by cookie, with and without what a page must prove; and tokens
that a hospital signed itself, each good once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import get_args

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.domain.session import TokenFault, csrf_value
from chalicelib.http.bearer import COOKIE
from tests.support import tokens
from tests.support.audit_watch import Watch
from tests.support.cloud import forget_cached
from tests.support.served_app import NO_GRANT, ORIGIN, Jwks, jwks_url
from tests.support.served_http import HOSPITALS_OWN, over_http

__all__ = ["jwks_url", "over_http"]

PATIENT = {"role": "patient", "subject": "p1", "person_id": "NOBODYYET"}


def claims(**changes):
    return tokens.claims(**{**PATIENT, "now": datetime.now(UTC), **changes})


def _segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(alg):
    return f"{_segment({'alg': alg, 'kid': 'k1', 'typ': 'JWT'})}.{_segment(claims())}."


def by_the_public_key():
    """HS256 with what is published: a verifier that asks the token for its algorithm takes it."""
    public = tokens.private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = f"{_segment({'alg': 'HS256', 'kid': 'k1', 'typ': 'JWT'})}.{_segment(claims())}"
    mac = hmac.digest(public, head.encode(), hashlib.sha256)
    return f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def promoted():
    """A true token whose payload says another role."""
    head, _, signature = tokens.signed(claims()).split(".")
    return f"{head}.{_segment(claims(role='administrator'))}.{signature}"


def with_own_jwk():
    public = tokens.jwk("mine")
    return tokens.signed(claims(), "mine", "k1", {"jwk": public, "jku": "https://evil.example.test/jwks.json"})


AGO, AHEAD = timedelta(hours=-1), timedelta(hours=1)
UNTRUE = {
    "forged by another key": lambda: tokens.signed(claims(), "mine", "k1"),
    "forged with its own key in the header": with_own_jwk,
    "payload changed": promoted,
    "expired": lambda: tokens.signed(claims(now=datetime.now(UTC) + AGO)),
    "not yet valid": lambda: tokens.signed(claims(now=datetime.now(UTC) + AHEAD)),
    "lives too long": lambda: tokens.signed(claims(minutes=60)),
    "wrong issuer": lambda: tokens.signed(claims(iss="https://evil.example.test")),
    "wrong audience": lambda: tokens.signed(claims(aud="another-app")),
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "HS256 with the public key": by_the_public_key,
    "RS512": lambda: jwt.encode(claims(), tokens.private_key(), "RS512", {"kid": "k1"}),
    "unknown key id": lambda: tokens.signed(claims(), "mine"),
    "no key id": lambda: jwt.encode(claims(), tokens.private_key(), "RS256"),
    "unknown role": lambda: tokens.signed(claims(role="root")),
    "oversized": lambda: tokens.signed(claims(pad="x" * 9000)),
    "nonsense": lambda: "nonsense",
}
PROOFS = {  # what else a request brings
    "nothing": lambda token: {},
    "all that a page proves": lambda token: {"Origin": ORIGIN, "X-CSRF": csrf_value(token)},
}
WAYS = {
    "header": lambda token: {"Authorization": f"Bearer {token}"},
    "cookie": lambda token: {"Cookie": f"{COOKIE}={token}"},
}
READ = ("GET", "/me/consents", None)
WRITE = ("POST", "/me/consents/revoke", {"consent_id": "x"})


def told(answer):
    """All of an answer but the clock's header."""
    return answer.status_code, answer.body, {name: text for name, text in answer.headers.items() if name != "Date"}


@pytest.mark.parametrize("kind", UNTRUE)
def test_an_untrue_token_is_the_same_401_as_none_whichever_way_it_comes(over_http, kind):
    token = UNTRUE[kind]()
    for method, path, body in (READ, WRITE):
        nothing = told(over_http.ask(method, path, body=body))
        assert nothing[0] == 401
        for way in WAYS.values():
            for proof in PROOFS.values():
                answer = over_http.ask(method, path, body=body, headers={**way(token), **proof(token)})
                assert told(answer) == nothing


@pytest.mark.parametrize("kind", UNTRUE)
def test_an_untrue_token_is_one_event_that_believes_nothing_of_it(over_http, kind):
    token, watch = UNTRUE[kind](), Watch()
    words = {piece for piece in token.split(".") if piece} | {PATIENT["subject"], PATIENT["person_id"], "root", "evil"}
    for method, path, body in (READ, WRITE):
        for way in WAYS.values():
            over_http.ask(method, path, body=body, headers=way(token))
            (event,) = (json.loads(one)["Attributes"] for one in watch.added())
            kept = {name: value.get("S", value.get("BOOL")) for name, value in event.items()}
            assert set(kept) == {"PK", "SK", "at", "action", "allowed", "reason", "route"}
            assert (kept["action"], kept["allowed"], kept["route"]) == ("turned_away", False, f"{method} {path}")
            assert kept["reason"] in get_args(TokenFault)
            assert not [word for word in words if word in json.dumps(event)]


def test_a_true_token_is_let_in_both_ways(over_http):
    token = tokens.signed(claims())
    for way in WAYS.values():
        assert over_http.ask(*READ[:2], headers=way(token)).status_code == 200
    assert over_http.ask(*WRITE[:2], body=WRITE[2], headers=WAYS["header"](token)).body == NO_GRANT


@pytest.mark.parametrize(
    ("proof", "let_in"),
    [
        ({"Origin": ORIGIN, "X-CSRF": "right"}, True),
        ({"X-CSRF": "right"}, False),
        ({"Origin": ORIGIN}, False),
        ({}, False),
        ({"Origin": "https://evil.example.test", "X-CSRF": "right"}, False),
        ({"Origin": "null", "X-CSRF": "right"}, False),
        ({"Origin": f"{ORIGIN}.evil.test", "X-CSRF": "right"}, False),
        ({"Origin": ORIGIN.replace("https", "http"), "X-CSRF": "right"}, False),
        ({"Origin": ORIGIN, "X-CSRF": "another's"}, False),
        ({"Origin": ORIGIN, "X-CSRF": ""}, False),
    ],
)
def test_a_write_by_cookie_needs_right_origin_and_right_csrf_value(over_http, proof, let_in):
    token, other = tokens.signed(claims()), tokens.signed(claims(subject="p2"))
    values = {"right": csrf_value(token), "another's": csrf_value(other)}
    given = {name: values.get(value, value) for name, value in proof.items()}
    answer = over_http.ask(*WRITE[:2], body=WRITE[2], headers={**WAYS["cookie"](token), **given})
    assert answer.body == NO_GRANT if let_in else (answer.status_code, answer.json_body["error"]) == (403, "csrf")


@pytest.mark.parametrize("way", WAYS)
def test_a_rotated_key_opens_and_the_withdrawn_one_does_not(over_http, monkeypatch, way):
    old, new = tokens.signed(claims()), tokens.signed(claims(), "k2")

    def statuses(*published):
        monkeypatch.setattr(Jwks, "names", published)
        forget_cached()  # as a function that starts now; tests/unit/store/test_tokens.py has the one that runs on
        return [over_http.ask(*READ[:2], headers=WAYS[way](token)).status_code for token in (old, new)]

    assert [statuses("k1"), statuses("k1", "k2"), statuses("k2")] == [[200, 401], [200, 200], [401, 200]]


def test_two_cookies_or_a_bad_header_beside_a_good_cookie_are_no_session(over_http):
    token = tokens.signed(claims())
    for headers in (
        {"Cookie": f"{COOKIE}={token}; {COOKIE}={token}"},
        {"Authorization": "Bearer nonsense", "Cookie": f"{COOKIE}={token}"},
        {"Authorization": f"Basic {token}"},
        {"Cookie": f"session={token}"},
    ):
        assert over_http.ask(*READ[:2], headers=headers).status_code == 401


# A hospital as its own issuer


def own(jti="n1", minutes=5, **changes):
    more = {"iss": HOSPITALS_OWN, "jti": jti, "role": "hospital", "subject": "ris", "hospital_id": "H1"}
    return tokens.token(now=datetime.now(UTC), minutes=minutes, **{**more, **changes})


def worklist(over_http, token, way="header"):
    return over_http.ask("GET", "/hospital/worklist", headers=WAYS[way](token)).status_code


@pytest.mark.parametrize("way", WAYS)
def test_a_hospitals_own_token_is_good_once_and_a_replay_is_a_401(over_http, way):
    token = own()
    assert [worklist(over_http, token, way) for _ in range(3)] == [200, 401, 401]
    assert worklist(over_http, own("n2"), way) == 200


def test_of_a_token_replayed_sixteen_times_at_once_one_request_wins(over_http):
    for round_ in range(3):
        token, start = own(f"race{round_}"), threading.Barrier(16)

        def use(_, token=token, start=start):
            start.wait()
            return worklist(over_http, token)

        with ThreadPoolExecutor(16) as pool:
            assert Counter(pool.map(use, range(16))) == {200: 1, 401: 15}


def test_a_hospitals_own_token_says_nothing_of_others(over_http):
    for token in (
        own("a", hospital_id="H2"),
        own("b", role="regulator"),
        own("c", role="patient", person_id="P"),
        own("d", role="doctor"),
        own("e", minutes=6),
        own(""),
    ):
        assert worklist(over_http, token) == 401


def test_no_session_is_made_of_a_token_that_is_good_once(over_http):
    token = own()
    assert over_http.ask("POST", "/session", headers=WAYS["header"](token), body={}).status_code == 200
    assert worklist(over_http, token, "cookie") == 401


def test_another_hospitals_issuer_still_lets_the_province_vouch_for_the_same_hospital(over_http):
    token = over_http.token("hospital")
    assert [worklist(over_http, token) for _ in range(2)] == [200, 200]
