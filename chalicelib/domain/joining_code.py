"""The code with which a hospital joins: told once to the regulator, good for one use.

24 characters. The first eight only find it, so that whoever does not know them cannot use up its tries; the other
sixteen (80 bits) prove it, and are kept as their digest. Being random they need no key and no salt.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from chalicelib.domain.ulid import ALPHABET, base32

LIFE: Final = timedelta(hours=72)
TRIES: Final = 5
RANDOM_BYTES: Final = 15
_LENGTH: Final = 24
_NAME: Final = 8
_GROUP: Final = 4
_TYPED: Final = re.compile(f"[{ALPHABET}]{{{_LENGTH}}}")
_READ_AS: Final = str.maketrans("OIL", "011")  # Crockford: letters that are left out, for what they are taken for


@dataclass(frozen=True, slots=True)
class TypedCode:
    """What somebody says the code is."""

    name: str
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class JoiningCode:
    """What is kept of a hospital's code. `tries` counts every try with its name, the right one too."""

    hospital_id: str
    name: str
    digest: bytes = field(repr=False)
    made_at: datetime
    expires_at: datetime
    tries: int = 0

    def may_be_tried(self, typed: TypedCode, now: datetime) -> bool:
        return typed.name == self.name and now < self.expires_at and self.tries < TRIES

    def proves(self, typed: TypedCode) -> bool:
        return hmac.compare_digest(self.digest, typed.digest)


def make_code(hospital_id: str, random: bytes, now: datetime) -> tuple[str, JoiningCode]:
    """The text to tell, once, and what is kept. `random`: RANDOM_BYTES that nobody can guess."""
    if len(random) != RANDOM_BYTES:
        raise ValueError("a joining code needs 15 random bytes")
    text = base32(int.from_bytes(random), _LENGTH)
    kept = JoiningCode(hospital_id, text[:_NAME], _digest(text), now, now + LIFE)
    return "-".join(text[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP)), kept


def read_code(typed: str) -> TypedCode | None:
    """However it is spaced and cased; None for what is no code."""
    text = re.sub(r"[\s-]", "", typed).upper().translate(_READ_AS)
    return TypedCode(text[:_NAME], _digest(text)) if _TYPED.fullmatch(text) else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
