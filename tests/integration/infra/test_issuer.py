from __future__ import annotations

import json
import urllib.error
import urllib.request

import jwt
import pytest

from infra.local.issuer import AUDIENCE, IssuerServer


@pytest.fixture
def server():
    made = IssuerServer(0)
    made.functions["sweep"] = lambda body: {"swept": body}
    made.start()
    yield made
    made.stop()


def ask(server: IssuerServer, path: str, body: object = None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.issuer.url + path, data=data)
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["X-Development-Only"]
        return json.load(answer)


def test_a_token_is_verified_by_the_published_key(server: IssuerServer) -> None:
    token = ask(server, "/token", {"login": "doctor-li"})["token"]
    (jwk,) = ask(server, "/.well-known/jwks.json")["keys"]
    claims = jwt.decode(token, jwt.PyJWK(jwk).key, algorithms=["RS256"], audience=AUDIENCE, issuer=server.issuer.url)
    assert (claims["role"], claims["sub"], claims["hospital_id"]) == ("doctor", "doctor-li", "HB002")
    assert claims["exp"] - claims["iat"] <= 15 * 60


def test_claims_may_be_added(server: IssuerServer) -> None:
    token = ask(server, "/token", {"login": "patient-zhang", "claims": {"person_id": "X"}})["token"]
    assert jwt.decode(token, options={"verify_signature": False})["person_id"] == "X"


def test_the_public_key_tells_nothing_of_the_private_one(server: IssuerServer) -> None:
    (jwk,) = ask(server, "/.well-known/jwks.json")["keys"]
    assert not {"d", "p", "q"} & set(jwk)


@pytest.mark.parametrize(("path", "body", "status"), [("/token", {"login": "nobody"}, 404), ("/run/none", {}, 404)])
def test_unknown_names_are_told(server: IssuerServer, path: str, body: object, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, path, body)
    with refused.value as answer:
        assert answer.code == status
        assert json.load(answer)["error"] == "unknown_name"


def test_a_schedule_can_be_run_now(server: IssuerServer) -> None:
    assert ask(server, "/run/sweep", {"day": "2026-11-24"}) == {"answer": {"swept": {"day": "2026-11-24"}}}


def test_it_listens_on_loopback_only(server: IssuerServer) -> None:
    assert server.issuer.url.startswith("http://127.0.0.1:")
