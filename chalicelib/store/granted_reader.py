"""Reads image bytes for an answer of ours by the very URL that the caller would get: the function itself may read no
image, so whatever it passes on was opened by a Grant, and S3's own log names the event that allowed it (DESIGN §6)."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from chalicelib.domain.access import Grant
    from chalicelib.domain.study import Place
    from chalicelib.services.ports import Signer

AT_ONCE = 16
TIMEOUT = 10  # seconds
_PARTIAL, _WHOLE, _FORBIDDEN, _MISSING = 206, 200, 403, 404


class ReadFailed(Exception):  # noqa: N818 - named by the fact
    """S3 did not give the bytes. Names the status, never the URL."""


class GrantedReader:
    """The `GrantedReads` port."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._mine = threading.local()
        self._pool = ThreadPoolExecutor(AT_ONCE, "granted-reader")  # kept, and with each thread its connection

    def read(self, grant: Grant, spans: Sequence[Place], now: datetime) -> list[bytes]:
        """The bytes of each place, in order. Raises AccessDenied where the grant has ended, or ReadFailed."""
        urls = self._signer.sign(grant, spans, now)
        if len(spans) == 1:
            return [self._get(urls[0], spans[0])]
        return list(self._pool.map(self._get, urls, spans))

    def is_there(self, url: str) -> bool:
        """The `Looks` port: asks for one byte. S3 says 403 of what is not there to who may not list."""
        status, _ = self._fetch(url, "bytes=0-0")
        if status not in (_PARTIAL, _WHOLE, _FORBIDDEN, _MISSING):
            raise ReadFailed(f"status {status}")
        return status in (_PARTIAL, _WHOLE)

    def _get(self, url: str, place: Place) -> bytes:
        status, data = self._fetch(url, f"bytes={place.offset}-{place.offset + place.length - 1}")
        if status == _PARTIAL:
            return data
        if status == _WHOLE:
            return data[place.offset : place.offset + place.length]
        raise ReadFailed(f"status {status}")

    def _fetch(self, url: str, span: str) -> tuple[int, bytes]:
        parts = urlsplit(url)
        wanted = {"Range": span}
        for last in (False, True):  # a connection that was kept may have been closed meanwhile
            try:
                connection = self._connection(parts.scheme, parts.netloc)
                connection.request("GET", f"{parts.path}?{parts.query}", headers=wanted)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                self._kept().pop(parts.netloc, None)
                if last:
                    break
        raise ReadFailed("no answer")

    def _connection(self, scheme: str, host: str) -> http.client.HTTPConnection:
        kept = self._kept()
        if host not in kept:
            kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
            kept[host] = kind(host, timeout=TIMEOUT)
        return kept[host]

    def _kept(self) -> dict[str, http.client.HTTPConnection]:
        """This thread's own, by host: at AWS each bucket is one."""
        found: dict[str, http.client.HTTPConnection] = self._mine.__dict__.setdefault("connections", {})
        return found
