"""HTTP connections to S3 that are kept, for what is asked by signed URLs."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

TIMEOUT: Final = 10  # seconds


class Told(NamedTuple):
    """What was answered. `content_range`: which span the body is, where the answer says so."""

    status: int
    body: bytes
    content_range: str = ""


class Connections:
    """Each thread's own, by host: at AWS each bucket is one."""

    def __init__(self) -> None:
        self._mine = threading.local()

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Told:
        """Asks again where a connection that was kept may have been closed meanwhile: what is asked
        must bear that. Raises OSError or HTTPException, and keeps no connection that failed."""
        parts = urlsplit(url)
        try:
            return self._once(method, url, headers, body)
        except (OSError, http.client.HTTPException):
            self._kept().pop(parts.netloc, None)
        try:
            return self._once(method, url, headers, body)
        except (OSError, http.client.HTTPException):
            self._kept().pop(parts.netloc, None)
            raise

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Told:
        parts = urlsplit(url)
        connection = self._connection(parts.scheme, parts.netloc)
        connection.request(method, f"{parts.path}?{parts.query}", body, dict(headers))
        answer = connection.getresponse()
        return Told(answer.status, answer.read(), answer.headers.get("content-range", ""))

    def _connection(self, scheme: str, host: str) -> http.client.HTTPConnection:
        kept = self._kept()
        if host not in kept:
            kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
            kept[host] = kind(host, timeout=TIMEOUT)
        return kept[host]

    def _kept(self) -> dict[str, http.client.HTTPConnection]:
        found: dict[str, http.client.HTTPConnection] = self._mine.__dict__.setdefault("connections", {})
        return found
