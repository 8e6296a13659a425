from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Part of a list. `next_token` is "" on the last page; lists are never cut silently (DESIGN §8)."""

    items: tuple[Item, ...]
    next_token: str = ""


def opaque(place: str) -> str:
    """Where a list goes on, as a token that stands in an address."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place(token: str, longest: int) -> str:
    """What a token was made of. ValueError: none of ours."""
    try:
        found = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise ValueError("not a continuation token") from None
    if not (found.isprintable() and len(found) <= longest):
        raise ValueError("not a continuation token")
    return found
