"""The app behind a real HTTP server on loopback, as the local cloud serves it, over a moto cloud in this process."""

from __future__ import annotations

import http.client
import json
import threading
from dataclasses import dataclass, field

import pytest
from chalice.config import Config
from chalice.local import ChaliceRequestHandler, create_local_server

from infra.local.whole_writes import make_writes_whole
from tests.support import tokens
from tests.support.cloud import forget_cached
from tests.support.served_app import ORIGIN, Served

HOST = "127.0.0.1"
HOSPITALS_OWN = "https://h1.example.test"  # hospital H1 as an issuer of its own: each of its tokens is good once


@dataclass(frozen=True)
class Answer:
    """An answer with the names that chalice's test client gives it."""

    status_code: int
    headers: dict
    body: bytes

    @property
    def json_body(self):
        return json.loads(self.body)


@dataclass
class OverHttp:
    """One connection a thread, kept open."""

    port: int
    _mine: threading.local = field(default_factory=threading.local)
    _all: list = field(default_factory=list)

    def request(self, method, path, headers=None, body=b""):
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
            self._all.append(connection)
        connection.request(method, path, body=body or None, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def close(self):
        for connection in self._all:
            connection.close()


def issuers(jwks_url):
    """The tests' own issuer, and hospital H1 itself."""
    (everyone,) = json.loads(tokens.setting(jwks_url=jwks_url))
    return json.dumps([everyone, {**everyone, "issuer": HOSPITALS_OWN, "hospital_id": "H1"}])


@pytest.fixture
def over_http(cloud_settings, monkeypatch, jwks_url):
    monkeypatch.setenv("ISSUERS", issuers(jwks_url))
    monkeypatch.setenv("ORIGIN", ORIGIN)
    make_writes_whole()
    forget_cached()
    import app

    monkeypatch.setattr(ChaliceRequestHandler, "disable_nagle_algorithm", True, raising=False)
    monkeypatch.setattr(ChaliceRequestHandler, "log_message", lambda *_arguments: None)
    plain = type(app.app)
    server = create_local_server(app.app, Config.create(chalice_app=app.app, project_dir="."), HOST, 0)
    server.server.socket.listen(64)  # five would turn a crowd away before it reached us
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,))
    thread.start()
    client = OverHttp(server.server.server_port)
    yield Served(client, cloud_settings.outbox)
    client.close()
    server.shutdown()
    thread.join()
    server.server.server_close()
    app.app.__class__ = plain  # which Chalice had changed for its server, and cannot twice
