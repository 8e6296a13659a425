"""The patient's dynamic QR: shown on their phone, scanned by the doctor in front of them, good for a minute and once.

It holds 256 random bits and nothing about anybody. Kept is its hash, so that reading the table gives none; a plain
hash will do, for there is nothing to guess.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

QR_LIFE = timedelta(seconds=60)
QR_BYTES = 32
PREFIX = "IC1."  # what a scanner tells ours from others' by, and a version
_SHAPE = re.compile(r"IC1\.[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class ShownQr:
    """A QR as it is kept: whose it is, under its hash. `given_by` is the guardian who shows it for a ward."""

    key: str
    person_id: str
    expires_at: datetime
    given_by: str = ""


def qr_text(random: bytes) -> str:
    """What the phone shows."""
    return PREFIX + base64.urlsafe_b64encode(random).rstrip(b"=").decode()


def qr_key(text: str) -> str:
    """Where a scanned QR is kept; "" for what is none of ours."""
    text = text.strip()
    return hashlib.sha256(text.encode()).hexdigest() if _SHAPE.fullmatch(text) else ""
