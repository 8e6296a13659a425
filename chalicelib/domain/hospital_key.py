"""A hospital's own signing keys: with one, it is the issuer of its own tokens (DESIGN §8).

A key that has ended never lives again, so adding and ending may be told in any order and any number of times: whoever
rebuilds from the bucket ends where the table was.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

URN: Final = "urn:imaging-cloud:hospital:"
KID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
LIVE_AT_ONCE: Final = 2  # one in use, one to change to
EVER: Final = 100  # of one hospital: a change a month for eight years; then somebody should look

KeyFault = Literal["not_a_key", "private_key", "size", "exponent", "proof", "proof_claims", "proof_age", "known_key"]


def issuer_of(hospital_id: str) -> str:
    """What `iss` says in a hospital's own tokens."""
    return f"{URN}{hospital_id}"


def hospital_of(issuer: str) -> str:
    """Whose tokens those are; "" for any other issuer."""
    found = re.fullmatch(rf"{URN}([A-Z0-9]{{1,16}})", issuer)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """RSA, as in a JWK (RFC 7518 §6.3.1): base64url without padding, no leading zero byte."""

    n: str
    e: str

    @property
    def kid(self) -> str:
        """Its thumbprint (RFC 7638)."""
        text = json.dumps({"e": self.e, "kty": "RSA", "n": self.n}, separators=(",", ":"))
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class HospitalKey:
    """`added_by`, `ended_by`: who did it, as their token names them; "code" for a hospital that joined."""

    hospital_id: str
    key: PublicKey
    added_at: datetime
    added_by: str
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def is_live(self) -> bool:
        return self.ended_at is None
