"""CDS Hooks 2.0, "Trusting CDS Clients": the JWT with which a hospital's ordering system calls, signed with a key that
the hospital registered (infra/JOINING.md).

Not a token of `store.tokens`, nor the other way round: this one is made for the address of one service, and speaks for
nobody but the system. `jku` is never followed: the key is ours to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from chalicelib.domain.hospital_key import hospital_of
from chalicelib.domain.session import TokenFault, TokenRefused
from chalicelib.services.ports import SpentTokens

if TYPE_CHECKING:
    from chalicelib.store.registered_keys import RegisteredKeys

ALGORITHMS: Final = ("RS384", "RS256")  # the keys are RSA
MAX_TOKEN: Final = 8 * 1024  # characters
MAX_JTI: Final = 256
LIFETIME: Final = timedelta(minutes=5)
LEEWAY: Final = timedelta(seconds=5)
REQUIRED: Final = ["iss", "aud", "exp", "iat", "jti"]


class _RefusedError(Exception):
    def __init__(self, reason: TokenFault) -> None:
        super().__init__(reason)
        self.reason = reason


class RegisteredClientTokens:
    """The `ClientTokens` port."""

    def __init__(self, keys: Callable[[], RegisteredKeys], spent: Callable[[], SpentTokens]) -> None:
        self._keys = keys
        self._spent = spent

    def verify(self, token: str, url: str, now: datetime) -> str | TokenRefused:
        try:
            hospital_id, payload = self._verified(token, url, now)
            ends = _check_times(payload, now)
            self._spend(payload, ends)
        except _RefusedError as fault:
            return TokenRefused(fault.reason)
        return hospital_id

    def _verified(self, token: str, url: str, now: datetime) -> tuple[str, Mapping[str, Any]]:
        if len(token) > MAX_TOKEN:
            raise _RefusedError("oversized")
        header, claimed = _unverified(token)
        if header.get("alg") not in ALGORITHMS:
            raise _RefusedError("algorithm")
        hospital_id = hospital_of(str(claimed.get("iss")))
        kid = header.get("kid")
        key = self._keys().get(hospital_id, kid, now) if hospital_id and isinstance(kid, str) else None
        if key is None:
            raise _RefusedError("key" if hospital_id else "issuer")
        return hospital_id, _decode(token, key, url)

    def _spend(self, payload: Mapping[str, Any], ends: datetime) -> None:
        jti = payload["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
            raise _RefusedError("claim_type")
        if not self._spent().spend(str(payload["iss"]), jti, ends):
            raise _RefusedError("spent")


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    import jwt

    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise _RefusedError("malformed") from None
    return parts["header"], parts["payload"]


def _decode(token: str, key: Any, url: str) -> Mapping[str, Any]:
    """The payload, once the signature holds and it is made for this address."""
    import jwt

    refusals: tuple[tuple[type[Exception], TokenFault], ...] = (
        (jwt.InvalidSignatureError, "signature"),
        (jwt.InvalidAudienceError, "audience"),
        (jwt.MissingRequiredClaimError, "claim_missing"),
    )
    unchecked: Any = {"require": REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
    try:
        payload: Mapping[str, Any] = jwt.decode(
            token, key, algorithms=list(ALGORITHMS), audience=url, options=unchecked
        )
    except jwt.InvalidTokenError as error:
        fault: TokenFault = next((reason for kind, reason in refusals if isinstance(error, kind)), "malformed")
        raise _RefusedError(fault) from None
    return payload


def _check_times(payload: Mapping[str, Any], now: datetime) -> datetime:
    issued, ends = _instant(payload, "iat"), _instant(payload, "exp")
    starts = _instant(payload, "nbf") if "nbf" in payload else issued
    if ends <= now:
        raise _RefusedError("expired")
    if max(issued, starts) > now + LEEWAY:
        raise _RefusedError("not_yet_valid")
    if ends - issued > LIFETIME:
        raise _RefusedError("lifetime")
    return ends


def _instant(payload: Mapping[str, Any], name: str) -> datetime:
    value = payload[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _RefusedError("claim_type")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        raise _RefusedError("claim_type") from None
