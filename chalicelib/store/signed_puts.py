"""Puts by signed URLs, as whoever they are made for would: what a function stores for a hospital it stores with that
hospital's own keys, and S3's log names them (DESIGN §4.1)."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from chalicelib.store.connections import Connections

if TYPE_CHECKING:
    from chalicelib.domain.upload_offer import SignedPut

AT_ONCE: Final = 16
TRIES: Final = 3
log = logging.getLogger("imaging_cloud")
_STORED: Final = frozenset({200, 412})  # 412: it was there before, and its name is its content's
_NO_ANSWER: Final = 0


class SignedUrlPuts:
    """The `SignedPuts` port."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._pool = ThreadPoolExecutor(AT_ONCE, "signed-puts")  # kept, and with each thread its connection

    def __call__(self, puts: Sequence[tuple[SignedPut, bytes]]) -> list[bool]:
        return list(self._pool.map(self._put, *zip(*puts, strict=True)))

    def _put(self, put: SignedPut, data: bytes) -> bool:
        status = _NO_ANSWER
        for _ in range(TRIES):  # whatever it was: under the same name it is the same object, and lies there once
            status = self._send(put.url, put.offer.headers, data)
            if status in _STORED:
                return True
        log.error(json.dumps({"event": "not_stored", "status": status}))
        return False

    def _send(self, url: str, headers: Mapping[str, str], data: bytes) -> int:
        try:
            return self._connections.ask("PUT", url, headers, data).status
        except (OSError, http.client.HTTPException):
            return _NO_ANSWER
