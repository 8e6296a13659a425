"""What a verified bearer token is worth, or the one reason why it is worth nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.domain.access import Caller

MAX_SUBJECT = 128  # bytes; two of them, percent-encoded, fit into a sort key
TokenFault = Literal[
    "absent",
    "oversized",
    "malformed",
    "algorithm",
    "issuer",
    "key",
    "signature",
    "audience",
    "claim_missing",
    "claim_type",
    "expired",
    "not_yet_valid",
    "lifetime",
    "role",
    "spent",
    "issuer_unreachable",
    "two_cookies",
]


def is_subject(text: str) -> bool:
    """Whether a token may name somebody so: it becomes a part of keys, of the audit and of pages."""
    return bool(text) and len(text.encode(errors="replace")) <= MAX_SUBJECT and text.isprintable()


@dataclass(frozen=True, slots=True)
class Session:
    """A verified token's caller, until `expires_at`."""

    caller: Caller
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """Why a token is not believed: for metrics. Outside it is always the same 401."""

    reason: TokenFault


def csrf_value(token: str) -> str:
    """What a page must send as X-CSRF with a cookie-authenticated write: derived from the token in the cookie, which
    no other origin can read, so that nothing has to be stored."""
    digest = hmac.digest(token.encode(), b"imaging-cloud csrf", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
