from __future__ import annotations

import json

import jwt
import pytest

from infra.local.client import Answer, fetch
from infra.local.issuer import AUDIENCE, IssuerServer


@pytest.fixture
def server():
    made = IssuerServer(0)
    made.functions["sweep"] = lambda body: {"swept": body}
    made.start()
    yield made
    made.stop()


def ask(server: IssuerServer, path: str, body: object = None) -> Answer:
    answer = fetch(server.issuer.url + path, data=None if body is None else json.dumps(body).encode())
    assert answer.headers["X-Development-Only"]
    return answer


def test_a_token_is_verified_by_the_published_key(server: IssuerServer) -> None:
    token = ask(server, "/token", {"login": "doctor-li"}).json["token"]
    (jwk,) = ask(server, "/.well-known/jwks.json").json["keys"]
    claims = jwt.decode(token, jwt.PyJWK(jwk).key, algorithms=["RS256"], audience=AUDIENCE, issuer=server.issuer.url)
    assert (claims["role"], claims["sub"], claims["hospital_id"]) == ("doctor", "doctor-li", "HB002")
    assert claims["exp"] - claims["iat"] <= 15 * 60


def test_claims_may_be_added(server: IssuerServer) -> None:
    token = ask(server, "/token", {"login": "patient-zhang", "claims": {"person_id": "X"}}).json["token"]
    assert jwt.decode(token, options={"verify_signature": False})["person_id"] == "X"


def test_a_shell_gets_the_bare_token(server: IssuerServer) -> None:
    token = ask(server, "/token?login=patient-zhang&person_id=X").body
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["role"], claims["person_id"]) == ("patient", "X")
    assert ask(server, "/token?login=nobody").status == 404


def test_the_public_key_tells_nothing_of_the_private_one(server: IssuerServer) -> None:
    (jwk,) = ask(server, "/.well-known/jwks.json").json["keys"]
    assert not {"d", "p", "q"} & set(jwk)


def test_a_hospital_signs_its_own_for_five_minutes_each_under_a_new_id(server: IssuerServer) -> None:
    asked = {"login": "hospital-jb001", "own": True}
    given = [ask(server, "/token", asked).json["token"] for _ in range(2)]
    first, second = (jwt.decode(token, options={"verify_signature": False}) for token in given)
    assert (first["iss"], first["hospital_id"]) == (f"{server.issuer.url}/hospitals/JB001", "JB001")
    assert first["exp"] - first["iat"] == 5 * 60
    assert first["jti"] != second["jti"]
    own = [one for one in server.issuer.setting() if one.get("hospital_id") == "JB001"]
    assert [one["issuer"] for one in own] == [first["iss"]]
    assert ask(server, "/token", {"login": "doctor-li", "own": True}).status == 404


@pytest.mark.parametrize(("path", "body", "status"), [("/token", {"login": "nobody"}, 404), ("/run/none", {}, 404)])
def test_unknown_names_are_told(server: IssuerServer, path: str, body: object, status: int) -> None:
    answer = ask(server, path, body)
    assert (answer.status, answer.json["error"]) == (status, "unknown_name")


def test_a_schedule_can_be_run_now(server: IssuerServer) -> None:
    assert ask(server, "/run/sweep", {"day": "2026-11-24"}).json == {"answer": {"swept": {"day": "2026-11-24"}}}


def test_it_listens_on_loopback_only(server: IssuerServer) -> None:
    assert server.issuer.url.startswith("http://127.0.0.1:")
