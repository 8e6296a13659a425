"""A hospital that joins: it makes a key, registers it with the code from the commission's letter, and signs its own
tokens from then on (infra/JOINING.md). The client for hospitals is `infra/hospital`; this is the same in few lines."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from infra.local.client import Answer, Client

LIFETIME = 5 * 60  # seconds


@dataclass(frozen=True)
class Newcomer:
    """`joined` is the answer to POST /joining."""

    client: Client
    private: rsa.RSAPrivateKey
    joined: Mapping[str, Any]

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """With a fresh token, for each is good once; or with one that was made before."""
        bearer = {"Authorization": f"Bearer {token or self.token()}"}
        return self.client.call("", method, path, body, bearer)

    def token(self) -> str:
        claims = {
            "sub": "story",
            "role": "hospital",
            "hospital_id": self.joined["hospital_id"],
            "jti": secrets.token_hex(16),
            "nbf": int(time.time()),
        }
        return _signed(self.private, claims, self.joined, {"kid": self.joined["kid"]})


def join(client: Client, hospital_id: str, letter: Mapping[str, Any]) -> Newcomer:
    """`letter`: the answer to POST /hospitals/{hospital_id}/joining-code. NotHeldError."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    body = body_of(private, hospital_id, letter)
    return Newcomer(client, private, client.call("", "POST", "/joining", body).of(201))


def body_of(private: rsa.RSAPrivateKey, hospital_id: str, letter: Mapping[str, Any]) -> dict[str, Any]:
    """What POST /joining wants."""
    proof = _signed(private, {}, letter, {"typ": "key-proof+jwt"})
    public = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {"hospital_id": hospital_id, "code": letter["code"], "public_key": public, "proof": proof}


def _signed(
    private: rsa.RSAPrivateKey, claims: Mapping[str, Any], told: Mapping[str, Any], headers: Mapping[str, str]
) -> str:
    now = int(time.time())
    times = {"iat": now, "exp": now + LIFETIME}
    named = {"iss": told["issuer"], "aud": told["audience"], **times, **claims}
    return jwt.encode(named, private, algorithm="RS256", headers=dict(headers))
