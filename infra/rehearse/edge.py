"""What stands between CloudFront and the API at AWS and not in MiniStack: the firewall's first rule, and a way to the
API for a CloudFront that will not go to AWS's names."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from infra.local.client import fetch
from infra.rehearse.ministack import HOST, Emulator

_OF_THE_WAY = {"host", "connection", "content-length", "transfer-encoding", "server", "date"}


@dataclass
class Edge:
    """A running one. `seen`: the headers of each request that came, names in lower case."""

    port: int
    seen: list[Mapping[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def running(emulator: Emulator, api_name: str, header: str, secret: str) -> Iterator[Edge]:
    """With TLS on a free port of loopback. Whoever does not send the secret is refused, all else goes to the API under
    its own name."""
    edge = Edge(0)

    class Handler(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            asked = {name.lower(): value for name, value in self.headers.items()}
            edge.seen.append(asked)
            if asked.get(header.lower()) != secret:
                return self._answer(403, {}, b"")
            body = self.rfile.read(int(asked.get("content-length", 0))) or None
            sent = {name: value for name, value in asked.items() if name not in _OF_THE_WAY} | {"Host": api_name}
            answer = fetch(emulator.endpoint + self.path, sent, body, self.command)
            return self._answer(answer.status, answer.headers, answer.body)

        do_GET = do_POST = do_DELETE = _pass  # noqa: N815 - the base class's names

        def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _OF_THE_WAY:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name for it
            """Nothing: tokens pass here."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(emulator.certificate, emulator.key)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    edge.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, name="edge", daemon=True)
    thread.start()
    try:
        yield edge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
