"""An HTTP proxy in front of one server that loses, cuts, delays and refuses requests as it is told."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Mood = Literal["pass", "slow_down", "expired", "cut", "lost"]
"""cut: the line ends while the request is read; lost: it is carried out, and the line ends before the answer."""

_ERRORS = {"slow_down": (503, "SlowDown"), "expired": (400, "ExpiredToken")}
_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "date", "server", "expect"}


class FlakyProxy:
    """`mood` decides on each request; `moods` counts what it decided. `rewritten` changes an answer's body."""

    def __init__(self, upstream: str, mood: Callable[[str, str], Mood], rewritten=lambda body: body):
        self.mood, self.moods, self.rewritten = mood, Counter(), rewritten
        self._upstream = urlsplit(upstream).netloc
        proxy = self

        class Handler(_Handler):
            here = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def forward(self, method, path, headers, body):
        line = http.client.HTTPConnection(self._upstream, timeout=60)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            line.close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that was killed does not wait for its answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    here: FlakyProxy

    def _serve(self):
        mood = self.here.mood(self.command, self.path)
        self.here.moods[mood] += 1
        length = int(self.headers.get("content-length") or 0)
        if mood == "cut":
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        if mood in _ERRORS:
            status, code = _ERRORS[mood]
            self._answer(status, [("Content-Type", "application/xml")], f"<Error><Code>{code}</Code></Error>".encode())
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        status, told, content = self.here.forward(self.command, self.path, headers, body)
        if mood == "lost":
            self.close_connection = True
            return
        self._answer(status, told, self.here.rewritten(content))

    do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the base class's names

    def _answer(self, status, headers, content):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Nothing: tokens pass here."""
