"""What is no true, current RS256 token of a known issuer is refused, each kind for its own one reason."""

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import Caller
from chalicelib.domain.session import Session, TokenRefused, csrf_value
from chalicelib.store.jwks import MAX_JWKS, IssuerUnreachable, Keys, fetch_https
from chalicelib.store.jwts import MAX_TOKEN
from chalicelib.store.tokens import Tokens, parse_issuers
from tests.support.fakes_door import FakeSpentTokens
from tests.support.tokens import ISSUER, JWKS_URL, NOW, claims, jwk, jwks, private_key, setting, signed, token


class Published:
    """A JWKS URL whose content a test changes; counts how often it is asked."""

    def __init__(self, body=None):
        self.body = jwks("k1") if body is None else body
        self.asked = 0

    def __call__(self, url):
        assert url == JWKS_URL
        self.asked += 1
        if isinstance(self.body, Exception):
            raise self.body
        return self.body


def tokens(published=None, **more):
    return Tokens(parse_issuers(setting(**more)), cache(FakeSpentTokens), published or Published())


def refusal(made, now=NOW, verifier=None):
    answer = (verifier or tokens()).verify(made, now)
    assert isinstance(answer, TokenRefused)
    return answer.reason


def test_a_true_token_says_who_calls_and_until_when():
    made = token(role="doctor", subject="d1", hospital_id="H1", person_id="P", session_epoch=3)
    answer = tokens().verify(made, NOW)
    assert answer == Session(Caller("doctor", "d1", "H1", "P", 3), NOW + timedelta(minutes=10))


def test_the_claim_map_names_an_issuers_own_claims():
    mapped = tokens(claims={"role": "urn:role", "subject": "uid", "hospital_id": "org"})
    made = signed({**claims(), "urn:role": "desk_clerk", "uid": "c9", "org": "H7"})
    assert mapped.verify(made, NOW).caller == Caller("desk_clerk", "c9", "H7")


@pytest.mark.parametrize(
    ("said", "ago"), [({}, 0), ({"auth_time": -90}, 90), ({"auth_time": -5000}, 5000), ({"auth_time": 60}, 0)]
)
def test_a_token_says_when_the_human_signed_in_and_renewing_it_is_no_login(said, ago):
    times = {name: int(NOW.timestamp()) + seconds for name, seconds in said.items()}
    caller = tokens().verify(signed(claims(**times)), NOW).caller
    assert caller.signed_in_at == NOW - timedelta(seconds=ago)


@pytest.mark.parametrize("bad", ["now", True, None, 10**30])
def test_a_login_time_that_is_none_is_refused(bad):
    assert refusal(signed(claims(auth_time=bad))) == "claim_type"


def forged(header, payload, signature=b""):
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def hs256_with_the_public_key():
    public = private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = forged({"alg": "HS256", "kid": "k1", "typ": "JWT"}, claims()).rstrip(".")
    mac = hmac.digest(public, head.encode(), hashlib.sha256)
    return f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def without(name):
    return signed({key: value for key, value in claims().items() if key != name})


def with_payload_changed():
    head, _, signature = token().split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims(role="administrator")).encode()).rstrip(b"=").decode()
    return f"{head}.{other}.{signature}"


REFUSED = {
    "alg none": (lambda: jwt.encode(claims(), None, algorithm="none"), "algorithm"),
    "alg none with a key id": (lambda: forged({"alg": "none", "kid": "k1"}, claims()), "algorithm"),
    "alg NonE": (lambda: forged({"alg": "NonE", "kid": "k1"}, claims()), "algorithm"),
    "HS256 with the public key": (hs256_with_the_public_key, "algorithm"),
    "RS512": (lambda: jwt.encode(claims(), private_key(), "RS512", {"kid": "k1"}), "algorithm"),
    "forged by another key": (lambda: token(key="mine", kid="k1"), "signature"),
    "payload changed": (with_payload_changed, "signature"),
    "unknown key": (lambda: token(key="mine"), "key"),
    "no key id": (lambda: jwt.encode(claims(), private_key(), "RS256"), "key"),
    "other issuer": (lambda: signed(claims(iss="https://evil.example.test")), "issuer"),
    "no issuer": (lambda: without("iss"), "issuer"),
    "issuer is a list": (lambda: forged({"alg": "RS256", "kid": "k1"}, claims(iss=[ISSUER])), "issuer"),
    "other audience": (lambda: signed(claims(aud="another-app")), "audience"),
    "no audience": (lambda: without("aud"), "claim_missing"),
    "no exp": (lambda: without("exp"), "claim_missing"),
    "no iat": (lambda: without("iat"), "claim_missing"),
    "no nbf": (lambda: without("nbf"), "claim_missing"),
    "exp is text": (lambda: signed(claims(exp="soon")), "claim_type"),
    "exp is true": (lambda: signed(claims(exp=True)), "claim_type"),
    "exp is beyond time": (lambda: signed(claims(exp=10**30)), "claim_type"),
    "expired": (lambda: token(now=NOW - timedelta(minutes=10)), "expired"),
    "from the future": (lambda: token(now=NOW + timedelta(minutes=1)), "not_yet_valid"),
    "starts later": (lambda: token(nbf=int(NOW.timestamp()) + 60), "not_yet_valid"),
    "lives 16 minutes": (lambda: token(minutes=16), "lifetime"),
    "no subject": (lambda: signed(claims(subject="")), "claim_missing"),
    "role is unknown": (lambda: token(role="root"), "role"),
    "role is a list": (lambda: token(role=["doctor"]), "claim_type"),
    "epoch is text": (lambda: token(session_epoch="1"), "claim_type"),
    "hospital id with a slash": (lambda: token(hospital_id="H1/../H2"), "claim_type"),
    "person id with a separator": (lambda: token(person_id="P#1"), "claim_type"),
    "oversized": (lambda: token(pad="x" * MAX_TOKEN), "oversized"),
    "empty": (lambda: "", "malformed"),
    "not a token": (lambda: "Bearer", "malformed"),
    "two parts": (lambda: token().rsplit(".", 1)[0], "malformed"),
    "not JSON": (lambda: "e30.!!.x", "malformed"),
    "payload is a list": (lambda: forged({"alg": "RS256", "kid": "k1"}, [1]), "malformed"),
    "deep": (lambda: forged({"alg": "RS256"}, 1) + "." + "x", "malformed"),
    "more behind the signature than it holds": (lambda: token() + "; Domain=evil.test", "malformed"),
    "blanks within": (lambda: token().replace(".", ".\r\n", 1), "malformed"),
    "exp is beyond numbers": (lambda: signed(claims(exp=10**400)), "claim_type"),
    "subject with a control character": (lambda: token(subject="d1\n"), "claim_type"),
    "subject that cannot be stored": (lambda: token(subject="\ud800"), "claim_type"),
    "subject that fits into no key": (lambda: token(subject="李" * 129), "claim_type"),
    "not ASCII": (lambda: token() + "影", "malformed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_untrue_token_is_refused_for_its_one_reason(case):
    make, reason = REFUSED[case]
    assert refusal(make()) == reason


@given(st.text(max_size=200))
def test_no_text_makes_the_verifier_raise(text):
    assert isinstance(VERIFIER.verify(text, NOW), TokenRefused)


@given(header=st.text(max_size=30), payload=st.text(max_size=60))
def test_no_pair_of_parts_makes_the_verifier_raise(header, payload):
    parts = (base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in (header, payload, "s"))
    assert isinstance(VERIFIER.verify(".".join(parts), NOW), TokenRefused)


VERIFIER = tokens()


def test_an_issuer_may_vouch_only_for_its_roles_and_its_hospital():
    bound = tokens(roles=["doctor"], hospital_id="H1")
    assert isinstance(bound.verify(once(role="doctor"), NOW), Session)
    assert refusal(once(role="doctor", hospital_id="H2"), verifier=bound) == "role"
    assert refusal(once(role="hospital"), verifier=bound) == "role"


def once(**claimed):
    """A token as a hospital signs it for itself."""
    return token(**{"role": "hospital", "hospital_id": "H1", "minutes": 5, "jti": "n1", **claimed})


def test_a_hospitals_own_token_opens_the_door_once():
    bound = tokens(hospital_id="H1")
    made = once()
    assert isinstance(bound.verify(made, NOW), Session)
    assert refusal(made, verifier=bound) == "spent"
    assert refusal(once(subject="another"), verifier=bound) == "spent", "by its id, whatever else it says"
    assert isinstance(bound.verify(once(jti="n2"), NOW), Session)


def test_only_a_true_token_is_ever_spent():
    bound = tokens(hospital_id="H1")
    for untrue in (once(key="mine", kid="k1"), once(now=NOW - timedelta(minutes=5)), once(hospital_id="H2")):
        assert refusal(untrue, verifier=bound) != "spent"
    assert isinstance(bound.verify(once(), NOW), Session), "what was forged with its id has not used it up"


def test_one_id_of_two_issuers_is_two_tokens():
    both = json.loads(setting(single_use=True)) + json.loads(setting(issuer="https://other.test", single_use=True))
    verifier = Tokens(parse_issuers(json.dumps(both)), cache(FakeSpentTokens), Published())
    assert isinstance(verifier.verify(once(), NOW), Session)
    assert isinstance(verifier.verify(once(iss="https://other.test"), NOW), Session)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"jti": ""}, "claim_missing"),
        ({"jti": None}, "malformed"),
        ({"jti": 7}, "malformed"),
        ({"jti": "x" * 257}, "claim_type"),
        ({"minutes": 6}, "lifetime"),
    ],
)
def test_a_hospitals_own_token_names_itself_and_lives_five_minutes_at_most(more, reason):
    assert refusal(once(**more), verifier=tokens(hospital_id="H1")) == reason


def test_a_hospitals_own_token_without_an_id_is_none():
    made = claims(role="hospital", hospital_id="H1", minutes=5)
    assert refusal(signed(made), verifier=tokens(hospital_id="H1")) == "claim_missing"


def test_other_issuers_tokens_are_not_counted():
    verifier = tokens()
    made = token()
    assert [isinstance(verifier.verify(made, NOW), Session) for _ in range(3)] == [True] * 3


def test_a_rotated_key_is_fetched_when_first_seen_and_at_most_once_a_minute():
    published = Published()
    verifier = tokens(published)
    assert isinstance(verifier.verify(token(), NOW), Session)
    assert refusal(token(key="k2"), verifier=verifier) == "key"
    assert published.asked == 1, "the first fetch was less than a minute ago"
    published.body = jwks("k2")
    later = NOW + timedelta(minutes=1)
    assert isinstance(verifier.verify(token(key="k2"), later), Session)
    assert refusal(token(), later, verifier) == "key", "the old key is withdrawn"
    assert published.asked == 2


def test_a_withdrawn_key_dies_within_ten_minutes():
    published = Published(jwks("k1", "k2"))
    verifier = tokens(published)
    assert isinstance(verifier.verify(token(key="k2"), NOW), Session)
    published.body = jwks("k1")
    assert refusal(token(key="k2", now=NOW + timedelta(minutes=11)), NOW + timedelta(minutes=11), verifier) == "key"


def test_an_issuers_outage_is_survived_for_an_hour():
    published = Published()
    verifier = tokens(published)
    assert isinstance(verifier.verify(token(), NOW), Session)
    published.body = IssuerUnreachable("down")
    later = NOW + timedelta(minutes=59)
    assert isinstance(verifier.verify(token(now=later), later), Session)
    too_late = NOW + timedelta(minutes=61)
    assert refusal(token(now=too_late), too_late, verifier) == "issuer_unreachable"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [1]}', b"\xff", b'{"keys":[{"kty":"RSA"']
)
def test_what_is_no_jwks_is_an_unreachable_issuer(body):
    assert refusal(token(), verifier=tokens(Published(body))) == "issuer_unreachable"


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC", "kid": "k1"},
        jwk(use="enc"),
        jwk(alg="RS512"),
        jwk(kid=7),
        {**jwk(), "d": "AQAB"},
        jwk(n="!"),
        jwk(n=7),
        jwk(e=""),
    ],
)
def test_only_rs256_verification_keys_are_taken_from_a_jwks(key):
    published = Published(json.dumps({"keys": [key]}).encode())
    assert refusal(token(), verifier=tokens(published)) == "key"


def test_a_short_key_is_not_taken():
    body = json.dumps({"keys": [{**jwk(), "n": base64.urlsafe_b64encode(b"\xff" * 128).decode()}]}).encode()
    assert refusal(token(), verifier=tokens(Published(body))) == "key"


@pytest.mark.parametrize(
    "url", ["http://id.example.test/k", "ftp://127.0.0.1/", "file:///etc/passwd", "", "https:///k"]
)
def test_keys_come_by_https_only_except_from_loopback(url):
    with pytest.raises(ValueError, match="https"):
        Keys(url, fetch_https)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/k", "http://localhost/k", "http://[::1]:1/k", "https://a.test/k"])
def test_loopback_may_speak_plain_http(url):
    Keys(url, fetch_https)


@pytest.mark.parametrize(
    "more",
    [
        {"roles": ["root"]},
        {"max_lifetime_seconds": 901},
        {"max_lifetime_seconds": 0},
        {"audience": ""},
        {"single_use": True, "max_lifetime_seconds": 301},
        {"hospital_id": "H1", "max_lifetime_seconds": 301},
        {"hospital_id": "H1", "single_use": False},
        {"hospital_id": "H1", "roles": ["hospital", "patient"]},
        {"hospital_id": "H1", "roles": ["regulator"]},
    ],
)
def test_a_bad_setting_stops_the_process(more):
    with pytest.raises(ValueError, match="ISSUERS"):
        parse_issuers(setting(**more))


def test_an_issuer_named_twice_stops_the_process():
    twice = json.dumps(json.loads(setting()) * 2)
    with pytest.raises(ValueError, match="twice"):
        parse_issuers(twice)


class Jwks(BaseHTTPRequestHandler):
    def do_GET(self):
        answers = {"/keys": (200, jwks()), "/big": (200, b"x" * (MAX_JWKS + 1)), "/none": (404, b"")}
        status, body = answers.get(self.path, (302, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/keys")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    served = ThreadingHTTPServer(("127.0.0.1", 0), Jwks)
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    thread.join()
    served.server_close()


def test_keys_are_fetched_over_http(server):
    assert fetch_https(f"{server}/keys") == jwks()


@pytest.mark.parametrize("path", ["/big", "/none", "/redirect"])
def test_a_large_missing_or_moved_jwks_is_an_unreachable_issuer(server, path):
    with pytest.raises(IssuerUnreachable):
        fetch_https(f"{server}{path}")


def test_a_closed_port_is_an_unreachable_issuer():
    with pytest.raises(IssuerUnreachable):
        fetch_https("http://127.0.0.1:1/keys")


def test_a_csrf_value_belongs_to_one_token():
    assert csrf_value("a") == csrf_value("a") != csrf_value("b")
    assert "a.b.c" not in csrf_value("a.b.c")
