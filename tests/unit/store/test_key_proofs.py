"""Which public keys may sign tokens, and what proves that the private half is held."""

from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt.algorithms import RSAAlgorithm

from chalicelib.domain.hospital_key import issuer_of
from chalicelib.services.joining_ports import OfferedKey
from chalicelib.store.key_proofs import RsaProofs
from tests.support import tokens
from tests.support.hospital_keys import key_proof, own_token, pem, public_key, times
from tests.support.tokens import NOW

OURS = "https://yun.example.test"


def proven(sent, proof, now=NOW):
    return RsaProofs(OURS)("H1", OfferedKey(sent, proof), now)


def proof(name="k1", **changes):
    return key_proof("H1", name, OURS, NOW, **changes)


def small(bits=1024, exponent=65537):
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


def spki(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("sent", [tokens.jwk("k1"), {"kty": "RSA", "n": tokens.jwk()["n"], "e": "AQAB"}, pem("k1")])
def test_a_jwk_and_a_pem_are_the_same_key(sent):
    assert proven(sent, proof()) == public_key("k1")


def test_a_keys_id_is_its_thumbprint():
    """The example of RFC 7638, section 3.1."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )
    assert type(public_key("k1"))(n, "AQAB").kid == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_leading_zeros_make_no_second_key_of_the_same():
    padded = "AAAA" + tokens.jwk("k1")["n"]
    assert proven({"kty": "RSA", "n": padded, "e": "AAEAAQ"}, proof()) == public_key("k1")


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ("", "not_a_key"),
        ("-----BEGIN PUBLIC KEY-----\nxx\n-----END PUBLIC KEY-----", "not_a_key"),
        ("ssh-rsa AAAA", "not_a_key"),
        ({}, "not_a_key"),
        ({"kty": "oct", "k": "AAAA"}, "not_a_key"),
        ({"kty": "RSA", "n": 5, "e": "AQAB"}, "not_a_key"),
        ({"kty": "RSA", "n": "!!", "e": "AQAB"}, "not_a_key"),
        ({"kty": "RSA", "n": "A" * 9000, "e": "AQAB"}, "not_a_key"),
        ({**tokens.jwk(), "alg": "HS256"}, "not_a_key"),
        ({**tokens.jwk(), "d": "AA"}, "private_key"),
        (spki(ec.generate_private_key(ec.SECP256R1())), "not_a_key"),
        (spki(small()), "size"),
        ({"kty": "RSA", "n": tokens.jwk()["n"], "e": "Aw"}, "exponent"),
        (
            tokens.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "private_key",
        ),
    ],
)
def test_what_is_no_key_for_tokens(sent, fault):
    assert proven(sent, proof()) == fault


def test_a_key_too_large_to_check_often_is_refused():
    huge = RSAAlgorithm.to_jwk(small(4608).public_key(), as_dict=True)
    assert proven(huge, proof()) == "size"


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ("", "proof"),
        ("x.y.z", "proof"),
        ("x" * 9000, "proof"),
        (proof("k2"), "proof"),
        (jwt.encode({"iss": issuer_of("H1"), "aud": OURS, **times(NOW)}, "s" * 32, algorithm="HS256"), "proof"),
        (jwt.encode({"iss": issuer_of("H1"), "aud": OURS, **times(NOW)}, None, algorithm="none"), "proof"),
        (key_proof("H2", "k1", OURS, NOW), "proof_claims"),
        (key_proof("H1", "k1", "https://other.example", NOW), "proof_claims"),
        (proof(typ="JWT"), "proof_claims"),
        (own_token("H1", "k1", OURS, NOW), "proof_claims"),
        (proof(exp=None), "proof_claims"),
        (proof(iat="x"), "proof_claims"),
        (proof(exp=int((NOW + timedelta(minutes=6)).timestamp())), "proof_age"),
        (proof(exp=10**400), "proof_claims"),
        (key_proof("H1", "k1", OURS, NOW - timedelta(minutes=7)), "proof_age"),
        (key_proof("H1", "k1", OURS, NOW + timedelta(minutes=2)), "proof_age"),
    ],
)
def test_what_proves_nothing(sent, fault):
    assert proven(tokens.jwk("k1"), sent) == fault


def test_a_clock_half_a_minute_off_is_no_fault():
    for seconds in (-30, 30):
        assert proven(tokens.jwk("k1"), key_proof("H1", "k1", OURS, NOW + timedelta(seconds=seconds))) == public_key(
            "k1"
        )
