"""What holds of every JWT that is verified here (RFC 7519, RFC 8725); `tokens` and `client_tokens` say whose it may be.

Nothing in a token is believed before its signature holds; until then issuer and key id only say which key to try.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.session import TokenFault
from chalicelib.services.ports import SpentTokens

MAX_TOKEN = 8 * 1024  # characters; API Gateway takes 10,240 bytes of headers
MAX_JTI = 256  # characters
LEEWAY = timedelta(seconds=5)  # between an issuer's clock and ours


class Untrusted(Exception):  # noqa: N818 - named by the fact
    def __init__(self, reason: TokenFault) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Expected:
    """What a true token says of itself: for whom, by whom, and which claims it has at least."""

    audience: str
    issuer: str
    algorithms: Sequence[str]
    required: Sequence[str]


def unverified(token: str, algorithms: Sequence[str]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and payload as somebody wrote them. Raises Untrusted (oversized, malformed, algorithm)."""
    import jwt

    if len(token) > MAX_TOKEN:
        raise Untrusted("oversized")
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise Untrusted("malformed") from None
    if parts["header"].get("alg") not in algorithms:
        raise Untrusted("algorithm")
    return parts["header"], parts["payload"]


def decode(token: str, key: Any, expected: Expected) -> Mapping[str, Any]:
    """The payload, once the signature holds. Times are judged by `check_times` against our `now`. Raises Untrusted."""
    import jwt

    refusals: tuple[tuple[type[Exception], TokenFault], ...] = (
        (jwt.InvalidSignatureError, "signature"),
        (jwt.InvalidAlgorithmError, "algorithm"),
        (jwt.InvalidAudienceError, "audience"),
        (jwt.InvalidIssuerError, "issuer"),
        (jwt.MissingRequiredClaimError, "claim_missing"),
    )
    try:
        payload: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(expected.algorithms),
            audience=expected.audience,
            issuer=expected.issuer,
            options={"require": list(expected.required), "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError as error:
        fault: TokenFault = next((reason for kind, reason in refusals if isinstance(error, kind)), "malformed")
        raise Untrusted(fault) from None
    return payload


def check_times(payload: Mapping[str, Any], longest: timedelta, now: datetime) -> datetime:
    """When it ends. One without `nbf` counts from `iat`. Raises Untrusted."""
    issued, ends = instant(payload, "iat"), instant(payload, "exp")
    starts = instant(payload, "nbf") if "nbf" in payload else issued
    if ends <= now:
        raise Untrusted("expired")
    if max(issued, starts) > now + LEEWAY:
        raise Untrusted("not_yet_valid")
    if ends - issued > longest:
        raise Untrusted("lifetime")
    return ends


def instant(payload: Mapping[str, Any], name: str) -> datetime:
    """A NumericDate (RFC 7519 §2). Raises Untrusted."""
    value = payload[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Untrusted("claim_type")
    try:
        return datetime.fromtimestamp(value, UTC)  # ValueError for what is not finite
    except (OverflowError, ValueError, OSError):
        raise Untrusted("claim_type") from None


def spend(spent: SpentTokens, issuer: str, jti: Any, ends: datetime) -> None:
    """Of a token that opens the door once. Raises Untrusted, the second time too."""
    if not jti:
        raise Untrusted("claim_missing")
    if not isinstance(jti, str) or len(jti) > MAX_JTI:
        raise Untrusted("claim_type")
    if not spent.spend(issuer, jti, ends):
        raise Untrusted("spent")
