"""Issuers, keys and tokens for tests: real RS256, no network unless a test serves the JWKS itself."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://id.example.test"
AUDIENCE = "imaging-cloud"
JWKS_URL = "https://id.example.test/jwks.json"
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@cache
def private_key(name="k1", bits=2048):
    """One key per name and run: making one costs 50 ms."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwk(name="k1", **more):
    made = RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
    return {**made, "kid": name, "use": "sig", "alg": "RS256", **more}


def jwks(*names):
    return json.dumps({"keys": [jwk(name) for name in names or ("k1",)]}).encode()


def claims(role="doctor", subject="d1", now=NOW, minutes=10, **more):
    times = {"iat": int(now.timestamp()), "nbf": int(now.timestamp())}
    ends = int((now + timedelta(minutes=minutes)).timestamp())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "role": role, **times, "exp": ends, **more}


def token(key="k1", kid=None, headers=None, **claimed):
    made = claims(**claimed)
    return signed(made, key, kid, headers)


def signed(payload, key="k1", kid=None, headers=None):
    return jwt.encode(payload, private_key(key), algorithm="RS256", headers={"kid": kid or key, **(headers or {})})


def setting(**more):
    """The `ISSUERS` setting with the one issuer of the tests."""
    issuer = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": JWKS_URL, "claims": {"subject": "sub"}, **more}
    return json.dumps([issuer])
