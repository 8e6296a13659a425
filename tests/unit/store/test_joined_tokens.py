"""Tokens that a hospital signs with a key registered with us."""

from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from chalicelib.domain.access import Caller
from chalicelib.domain.hospital_key import hospital_of, issuer_of
from chalicelib.domain.session import Session, TokenRefused
from chalicelib.store.registered_keys import KEEP, MOST_KEPT, RegisteredKeys
from chalicelib.store.tokens import Joined, Tokens, parse_issuers
from tests.support import tokens
from tests.support.fakes_door import FakeSpentTokens
from tests.support.fakes_joining import FakeHospitalKeys
from tests.support.hospital_keys import key_proof, own_token, public_key, registered
from tests.support.tokens import NOW

OURS = "https://yun.example.test"


class Counting(FakeHospitalKeys):
    """Reads are counted; nothing may be fetched."""

    def __init__(self, *keys):
        super().__init__()
        self.reads = 0
        self.known = {(key.hospital_id, key.key.kid): key for key in keys}

    def get(self, hospital_id, kid):
        self.reads += 1
        return super().get(hospital_id, kid)


def fetched(url):
    raise AssertionError(f"{url} was asked for")


def door(keys, audience=OURS, setting="[]"):
    registered_keys, spent = RegisteredKeys(keys), FakeSpentTokens()
    return Tokens(parse_issuers(setting), lambda: spent, fetched, Joined(audience, lambda: registered_keys))


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def refused(keys, token, now=NOW, **how):
    told = door(keys, **how).verify(token, now)
    return told.reason if isinstance(told, TokenRefused) else ""


def test_a_registered_key_speaks_for_its_hospitals_systems():
    told = door(Counting(registered("H1", "k1"))).verify(own_token("H1", "k1", OURS, NOW), NOW)
    caller = Caller("hospital", "pacs-1", "H1", signed_in_at=NOW)
    assert told == Session(caller, NOW + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (own_token("H2", "k1", OURS, NOW), "key"),  # H2 has none
        (own_token("H1", "k2", OURS, NOW), "key"),  # a key that nobody registered
        (own_token("H1", "k1", OURS, NOW, iss=issuer_of("H1") + "X"), "key"),
        (own_token("H1", "k1", OURS, NOW, hospital_id="H2"), "role"),
        (own_token("H1", "k1", OURS, NOW, role="doctor"), "role"),
        (own_token("H1", "k1", OURS, NOW, role="regulator"), "role"),
        (own_token("H1", "k1", "https://other.example", NOW), "audience"),
        (own_token("H1", "k1", OURS, NOW, exp=int(at(301).timestamp())), "lifetime"),
        (own_token("H1", "k1", OURS, NOW, exp=int(at(-1).timestamp())), "expired"),
        (own_token("H1", "k1", OURS, NOW, jti=""), "claim_missing"),
        (key_proof("H1", "k1", OURS, NOW), "key"),  # a proof names no key, and so is no token
        (tokens.signed({**tokens.claims(), "iss": issuer_of("H1")}, "k2", public_key("k1").kid), "signature"),
        (tokens.token(iss="https://evil.example/jwks"), "issuer"),
        (tokens.token(iss="urn:imaging-cloud:hospital:"), "issuer"),
        (tokens.token(iss="urn:imaging-cloud:hospital:../H1"), "issuer"),
        (jwt.encode({"iss": issuer_of("H1")}, "s" * 32, algorithm="HS256", headers={"kid": "k1"}), "algorithm"),
    ],
)
def test_what_a_registered_key_cannot_do(token, reason):
    assert refused(Counting(registered("H1", "k1")), token) == reason


def test_a_proof_with_the_keys_id_lacks_what_makes_a_token():
    keys = Counting(registered("H1", "k1"))
    proof = jwt.decode(key_proof("H1", "k1", OURS, NOW), options={"verify_signature": False})
    assert refused(keys, tokens.signed(proof, "k1", public_key("k1").kid)) == "claim_missing"


def test_it_opens_once():
    doorkeeper, token = door(Counting(registered("H1", "k1"))), own_token("H1", "k1", OURS, NOW)
    assert isinstance(doorkeeper.verify(token, NOW), Session)
    assert doorkeeper.verify(token, NOW) == TokenRefused("spent")


def test_an_unset_origin_lets_no_hospital_in():
    assert refused(Counting(registered("H1", "k1")), own_token("H1", "k1", "", NOW), audience="") == "issuer"


def test_the_setting_comes_before_what_is_registered():
    """A hospital's name in ISSUERS is the province's word for it."""
    setting = tokens.setting(issuer=issuer_of("H1"), hospital_id="H1")
    keys = Counting(registered("H1", "k1"))
    with pytest.raises(AssertionError, match="was asked for"):
        refused(keys, own_token("H1", "k1", OURS, NOW), setting=setting)
    assert keys.reads == 0


def test_a_strangers_token_costs_at_most_one_read_of_one_item():
    """Whatever it names; and none where its issuer or key cannot be one of ours."""
    keys = Counting()
    unread = [
        tokens.token(iss="https://evil.example"),
        tokens.token(iss=issuer_of("H" * 17)),
        tokens.token(iss=issuer_of("H1"), kid="../../etc"),
        tokens.token(iss=issuer_of("H1"), kid="x" * 5000),
    ]
    doorkeeper = door(keys)
    for token in unread:
        assert isinstance(doorkeeper.verify(token, NOW), TokenRefused)
    assert keys.reads == 0
    doorkeeper.verify(own_token("H1", "k1", OURS, NOW), NOW)
    assert keys.reads == 1


def test_a_key_is_read_once_a_minute_and_an_ended_one_opens_no_longer_than_that():
    keys = Counting(registered("H1", "k1"))
    known = RegisteredKeys(keys)
    kid = public_key("k1").kid
    assert known.get("H1", kid, NOW)
    keys.end(replace(registered("H1", "k1"), ended_at=NOW))
    assert known.get("H1", kid, NOW + KEEP - timedelta(seconds=1))
    assert keys.reads == 1
    assert known.get("H1", kid, NOW + KEEP) is None
    assert known.get("H1", kid, NOW + KEEP) is None
    assert keys.reads == 3


def test_a_new_key_opens_at_once():
    keys = Counting()
    known, kid = RegisteredKeys(keys), public_key("k1").kid
    assert known.get("H1", kid, NOW) is None
    keys.add(registered("H1", "k1"))
    assert known.get("H1", kid, NOW)


def test_what_is_kept_is_bounded():
    reads = []

    class Any:
        def get(self, hospital_id, _kid):
            reads.append(hospital_id)
            return registered(hospital_id, "k1")

    known, kid = RegisteredKeys(Any()), public_key("k1").kid
    for number in range(MOST_KEPT + 1):
        assert known.get(f"H{number}", kid, NOW)
    reads.clear()
    for latest in (MOST_KEPT, 1, 0):  # the first made room for the last
        assert known.get(f"H{latest}", kid, NOW)
    assert reads == ["H0"]


@pytest.mark.parametrize("issuer", ["", "H1", "urn:imaging-cloud:hospital:h1", "urn:imaging-cloud:hospital:H1\n"])
def test_what_is_no_hospitals_issuer(issuer):
    assert hospital_of(issuer) == ""
