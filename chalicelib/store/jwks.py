"""An issuer's public keys, fetched from its JWKS URL and kept.

An unknown key id asks again at most once a minute (rotation); keys older than ten minutes are asked for again, and
when the issuer does not answer they still hold for an hour, so that its outage is not ours but a withdrawn key dies.
"""

from __future__ import annotations

import ipaddress
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

FETCH_TIMEOUT = 3.0  # seconds
MAX_JWKS = 64 * 1024  # bytes
FRESH = timedelta(minutes=10)
STALE = timedelta(hours=1)
ASK_AGAIN = timedelta(minutes=1)
MIN_BITS = 2048  # RFC 7518 §3.3

Fetch = Callable[[str], bytes]


class IssuerUnreachable(Exception):  # noqa: N818 - named by the fact
    """The issuer's keys could not be had: no answer, too large, or not a JWKS."""


class Keys:
    """The keys of one issuer."""

    def __init__(self, url: str, fetch: Fetch) -> None:
        _refuse_plain_http(url)
        self._url = url
        self._fetch = fetch
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._fetched_at: datetime | None = None
        self._asked_at: datetime | None = None

    def get(self, kid: str, now: datetime) -> RSAPublicKey | None:
        """The key with this id; None when the issuer has none such. IssuerUnreachable when no keys are known."""
        if self._age(now) > FRESH or kid not in self._keys:
            self._refresh(now)
        if self._age(now) > STALE:
            raise IssuerUnreachable("no current keys of this issuer")
        return self._keys.get(kid)

    def _age(self, now: datetime) -> timedelta:
        return timedelta.max if self._fetched_at is None else now - self._fetched_at

    def _refresh(self, now: datetime) -> None:
        if self._asked_at is not None and now - self._asked_at < ASK_AGAIN:
            return
        self._asked_at = now
        try:
            self._keys = _parse(self._fetch(self._url))
        except IssuerUnreachable:
            return  # what is known holds until it is stale
        self._fetched_at = now


def fetch_https(url: str) -> bytes:
    """GET without redirects and proxies, within 3 s and 64 KiB. Raises IssuerUnreachable."""
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=FETCH_TIMEOUT) as answer:
            body: bytes = answer.read(MAX_JWKS + 1)
    except (OSError, urllib.error.URLError, ValueError):
        raise IssuerUnreachable("the JWKS URL did not answer") from None
    if len(body) > MAX_JWKS:
        raise IssuerUnreachable("the JWKS is larger than 64 KiB")
    return body


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The URL is a setting; whoever answers there must not send us elsewhere."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def _refuse_plain_http(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return
    raise ValueError("a JWKS URL is https, or http on loopback")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parse(body: bytes) -> Mapping[str, RSAPublicKey]:
    try:
        listed = json.loads(body)["keys"]
        return dict(pair for jwk in listed if (pair := _key(jwk)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise IssuerUnreachable("the answer is not a JWKS") from None


def _key(jwk: Mapping[str, Any]) -> tuple[str, RSAPublicKey] | None:
    """An RS256 verification key with an id; None for any other kind, which an issuer may well publish beside it."""
    from jwt import InvalidKeyError
    from jwt.algorithms import RSAAlgorithm

    wanted = jwk.get("kty") == "RSA" and jwk.get("use", "sig") == "sig" and jwk.get("alg", "RS256") == "RS256"
    kid = jwk.get("kid")
    if not wanted or not isinstance(kid, str) or "d" in jwk:
        return None
    try:
        key: Any = RSAAlgorithm.from_jwk(dict(jwk))
    except (InvalidKeyError, ValueError, TypeError):
        return None  # one broken key must not take the others with it
    return (kid, key) if key.key_size >= MIN_BITS else None
