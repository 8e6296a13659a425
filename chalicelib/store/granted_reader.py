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
_PARTIAL, _WHOLE = 206, 200


class ReadFailed(Exception):  # noqa: N818 - named by the fact
    """S3 did not give the bytes. Names the status, never the URL."""


class GrantedReader:
    """The `GrantedReads` port."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._mine = threading.local()

    def read(self, grant: Grant, spans: Sequence[Place], now: datetime) -> list[bytes]:
        """The bytes of each place, in order. Raises AccessDenied where the grant has ended, or ReadFailed."""
        urls = self._signer.sign(grant, spans, now)
        if len(spans) == 1:
            return [self._get(urls[0], spans[0])]
        with ThreadPoolExecutor(min(AT_ONCE, len(spans) or 1)) as pool:
            return list(pool.map(self._get, urls, spans))

    def _get(self, url: str, place: Place) -> bytes:
        parts = urlsplit(url)
        wanted = {"Range": f"bytes={place.offset}-{place.offset + place.length - 1}"}
        for last in (False, True):  # a connection that was kept may have been closed meanwhile
            try:
                connection = self._connection(parts.scheme, parts.netloc)
                connection.request("GET", f"{parts.path}?{parts.query}", headers=wanted)
                answer = connection.getresponse()
                data = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self._mine.connection = None
                if last:
                    raise ReadFailed("no answer") from None
        if answer.status == _PARTIAL:
            return data
        if answer.status == _WHOLE:
            return data[place.offset : place.offset + place.length]
        raise ReadFailed(f"status {answer.status}")

    def _connection(self, scheme: str, host: str) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if kept is None:
            kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
            kept = self._mine.connection = kind(host, timeout=TIMEOUT)
        return kept
