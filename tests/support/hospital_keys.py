"""Hospitals' own keys: what they send to register one, and the tokens they sign with it. Keys go by the names of
`tests.support.tokens.private_key`."""

from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.domain.hospital_key import HospitalKey, PublicKey, issuer_of
from tests.support import tokens


def public_key(name):
    sent = tokens.jwk(name)
    return PublicKey(sent["n"], sent["e"])


def registered(hospital_id, name, at=tokens.NOW):
    return HospitalKey(hospital_id, public_key(name), at, "code")


def pem(name):
    made = tokens.private_key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made.decode()


def key_proof(hospital_id, name, audience, now=None, typ="key-proof+jwt", **claims):
    at = now or datetime.now(UTC)
    payload = {"iss": issuer_of(hospital_id), "aud": audience, **times(at), **claims}
    return jwt.encode(payload, tokens.private_key(name), algorithm="RS256", headers={"typ": typ})


def own_token(hospital_id, name, audience, now=None, /, *, jti="j1", **claims):
    """As the hospital signs one for a request."""
    at = now or datetime.now(UTC)
    payload = {
        "iss": issuer_of(hospital_id),
        "aud": audience,
        "sub": "pacs-1",
        "role": "hospital",
        "hospital_id": hospital_id,
        "jti": jti,
        "nbf": int(at.timestamp()),
        **times(at),
        **claims,
    }
    return tokens.signed(payload, key=name, kid=public_key(name).kid)


def times(at):
    return {"iat": int(at.timestamp()), "exp": int((at + timedelta(minutes=5)).timestamp())}
