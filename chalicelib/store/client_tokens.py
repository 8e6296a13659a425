"""CDS Hooks 2.0, "Trusting CDS Clients": the JWT with which a hospital's ordering system calls, signed with a key that
the hospital registered (infra/JOINING.md).

Not a token of `store.tokens`, nor the other way round: this one is made for the address of one service, and speaks for
nobody but the system. `jku` is never followed: the key is ours to know.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from chalicelib.domain.hospital_key import hospital_of
from chalicelib.domain.session import TokenRefused
from chalicelib.services.ports import SpentTokens
from chalicelib.store import jwts

if TYPE_CHECKING:
    from chalicelib.store.registered_keys import RegisteredKeys

ALGORITHMS: Final = ("RS384", "RS256")  # the keys are RSA
TYPE: Final = "JWT"  # required of clients; what leaves it out is no other kind of token
LIFETIME: Final = timedelta(minutes=5)
REQUIRED: Final = ("iss", "aud", "exp", "iat", "jti")


class RegisteredClientTokens:
    """The `ClientTokens` port."""

    def __init__(self, keys: Callable[[], RegisteredKeys], spent: Callable[[], SpentTokens]) -> None:
        self._keys = keys
        self._spent = spent

    def verify(self, token: str, url: str, now: datetime) -> str | TokenRefused:
        try:
            return self._verified(token, url, now)
        except jwts.Untrusted as fault:
            return TokenRefused(fault.reason)

    def _verified(self, token: str, url: str, now: datetime) -> str:
        """The hospital that speaks; its token is spent last, so that nothing but a true one ever is."""
        header, claimed = jwts.unverified(token, ALGORITHMS)
        if header.get("typ", TYPE) != TYPE:
            raise jwts.Untrusted("malformed")
        issuer, kid = str(claimed.get("iss")), header.get("kid")
        hospital_id = hospital_of(issuer)
        key = self._keys().get(hospital_id, kid, now) if hospital_id and isinstance(kid, str) else None
        if key is None:
            raise jwts.Untrusted("key" if hospital_id else "issuer")
        payload = jwts.decode(token, key, jwts.Expected(url, issuer, ALGORITHMS, REQUIRED))
        jwts.spend(self._spent(), issuer, payload["jti"], jwts.check_times(payload, LIFETIME, now))
        return hospital_id
