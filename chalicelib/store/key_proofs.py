"""A public key as somebody sends it, and the proof that they hold its private half. Nothing here is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from chalicelib.domain.hospital_key import KeyFault, PublicKey, issuer_of
from chalicelib.services.joining_ports import OfferedKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

BITS: Final = range(2048, 4096 + 1)  # RFC 7518 §3.3; beyond, each check costs more than it gives
EXPONENT: Final = 65537  # what every tool makes; a large one would make each check slow
MOST_TEXT: Final = 8 * 1024  # characters of a key or a proof
TYPE: Final = "key-proof+jwt"  # so that no token passes for a proof, and no proof for a token (RFC 8725 §3.11)
LIFETIME: Final = timedelta(minutes=5)
LEEWAY: Final = timedelta(seconds=60)  # between the hospital's clock and ours: better told now than at the first upload
_REQUIRED: Final = ["iss", "aud", "iat", "exp"]


class _WrongError(Exception):
    def __init__(self, fault: KeyFault) -> None:
        super().__init__(fault)
        self.fault = fault


class RsaProofs:
    """The `ProveKey` port. `audience` is what `aud` must say: our origin."""

    def __init__(self, audience: str) -> None:
        self._audience = audience

    def __call__(self, hospital_id: str, offered: OfferedKey, now: datetime) -> PublicKey | KeyFault:
        try:
            key, known = read_key(offered.public_key)
            self._check(key, issuer_of(hospital_id), offered.proof, now)
        except _WrongError as wrong:
            return wrong.fault
        return known

    def _check(self, key: RSAPublicKey, issuer: str, proof: str, now: datetime) -> None:
        import jwt

        if len(proof) > MOST_TEXT:
            raise _WrongError("proof")
        checks = {"require": _REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            found = jwt.decode_complete(
                proof,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=issuer,
                options=checks,  # type: ignore[arg-type] # the stubs want a literal
            )
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError, jwt.MissingRequiredClaimError):
            raise _WrongError("proof_claims") from None
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise _WrongError("proof") from None
        if str(found["header"].get("typ", "")).lower() != TYPE:
            raise _WrongError("proof_claims")
        _check_age(found["payload"], now)


def read_key(sent: Any) -> tuple[RSAPublicKey, PublicKey]:
    """From a JWK or PEM: to check with, and to keep. Raises for anything but an RSA key that may sign tokens."""
    key = _of_pem(sent) if isinstance(sent, str) else _of_jwk(sent)
    if key.key_size not in BITS:
        raise _WrongError("size")
    numbers = key.public_numbers()
    if numbers.e != EXPONENT:
        raise _WrongError("exponent")
    return key, PublicKey(_number(numbers.n), _number(numbers.e))


def to_check_with(key: PublicKey) -> RSAPublicKey:
    """What `read_key` kept, to check signatures with again."""
    return _of_jwk({"kty": "RSA", "n": key.n, "e": key.e})


def _of_pem(text: str) -> RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PRIVATE" in text:
        raise _WrongError("private_key")
    try:
        key = load_pem_public_key(text[:MOST_TEXT].encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _WrongError("not_a_key") from None
    if not isinstance(key, RSAPublicKey):
        raise _WrongError("not_a_key")
    return key


def _of_jwk(sent: Any) -> RSAPublicKey:
    from jwt import InvalidKeyError
    from jwt.algorithms import RSAAlgorithm

    if not isinstance(sent, Mapping) or sent.get("kty") != "RSA" or sent.get("alg", "RS256") != "RS256":
        raise _WrongError("not_a_key")
    if {"d", "p", "q", "dp", "dq", "qi"} & set(sent):
        raise _WrongError("private_key")
    numbers = {name: sent.get(name) for name in ("n", "e")}
    if not all(isinstance(one, str) and len(one) <= MOST_TEXT for one in numbers.values()):
        raise _WrongError("not_a_key")
    try:
        key: Any = RSAAlgorithm.from_jwk({"kty": "RSA", **numbers})
    except (InvalidKeyError, ValueError, TypeError):
        raise _WrongError("not_a_key") from None
    found: RSAPublicKey = key
    return found


def _number(value: int) -> str:
    from jwt.utils import to_base64url_uint

    return to_base64url_uint(value).decode()


def _check_age(payload: Mapping[str, Any], now: datetime) -> None:
    try:
        issued, ends = (datetime.fromtimestamp(float(payload[name]), UTC) for name in ("iat", "exp"))
    except (OverflowError, ValueError, TypeError, OSError):
        raise _WrongError("proof_claims") from None
    if not (issued - LEEWAY <= now < ends + LEEWAY and ends - issued <= LIFETIME):
        raise _WrongError("proof_age")
