"""Reads image bytes for an answer of ours by the very URL that the caller would get: the function itself may read no
image, so whatever it passes on was opened by a Grant, and S3's own log names the event that allowed it (DESIGN §6)."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.store.connections import Connections, Told

if TYPE_CHECKING:
    from chalicelib.domain.access import Grant
    from chalicelib.domain.study import Place
    from chalicelib.services.ports import Signer

AT_ONCE = 16
_PARTIAL, _WHOLE, _FORBIDDEN, _MISSING = 206, 200, 403, 404


class ReadFailed(Exception):  # noqa: N818 - named by the fact
    """S3 did not give the bytes, or gave others. Names the status, never the URL."""


class GrantedReader:
    """The `GrantedReads` port."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._connections = Connections()
        self._pool = ThreadPoolExecutor(AT_ONCE, "granted-reader")  # kept, and with each thread its connection

    def read(self, grant: Grant, spans: Sequence[Place], now: datetime) -> list[bytes]:
        """The bytes of each place, in order. Raises AccessDenied where the grant has ended, or ReadFailed."""
        urls = self._signer.sign(grant, spans, now)
        if len(spans) == 1:
            return [self._get(urls[0], spans[0])]
        return list(self._pool.map(self._get, urls, spans))

    def is_there(self, url: str) -> bool:
        """The `Looks` port: asks for one byte. S3 says 403 of what is not there to who may not list."""
        status = self._fetch(url, "bytes=0-0").status
        if status not in (_PARTIAL, _WHOLE, _FORBIDDEN, _MISSING):
            raise ReadFailed(f"status {status}")
        return status in (_PARTIAL, _WHOLE)

    def _get(self, url: str, place: Place) -> bytes:
        """A server may take no notice of a Range and give the whole object (RFC 9110 §14.2): it is cut here. Whatever
        else is not the span that was asked for is given to nobody."""
        span = f"{place.offset}-{place.offset + place.length - 1}"
        told = self._fetch(url, f"bytes={span}")
        if told.status not in (_PARTIAL, _WHOLE):
            raise ReadFailed(f"status {told.status}")
        if told.status == _PARTIAL and not told.content_range.startswith(f"bytes {span}/"):
            raise ReadFailed(f"status {told.status} with another range")
        data = told.body if told.status == _PARTIAL else told.body[place.offset : place.offset + place.length]
        if len(data) != place.length:
            raise ReadFailed(f"status {told.status} with {len(data)} of {place.length} bytes")
        return data

    def _fetch(self, url: str, span: str) -> Told:
        try:
            return self._connections.ask("GET", url, {"Range": span})
        except (OSError, http.client.HTTPException):
            raise ReadFailed("no answer") from None
