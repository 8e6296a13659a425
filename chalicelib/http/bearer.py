"""Where a request carries its token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.session import TokenRefused

COOKIE = "__Host-session"


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token and whether the browser sent it by itself."""

    token: str
    by_cookie: bool


def bearer_of(headers: Mapping[str, str]) -> Bearer | TokenRefused:
    """The header when there is one, else the cookie; never one after the other was refused."""
    header = headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return Bearer(token.strip(), by_cookie=False) if scheme.lower() == "bearer" else TokenRefused("malformed")
    found = [value for name, value in _cookies(headers.get("cookie", "")) if name == COOKIE]
    if len(found) > 1:
        return TokenRefused("two_cookies")
    return Bearer(found[0], by_cookie=True) if found else TokenRefused("absent")


def _cookies(header: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in header.split(";"))
    return [(name.strip(), value.strip()) for name, _, value in pairs]
