"""The development issuer: RS256 tokens for whoever asks. It listens on loopback only, its key is made anew at every
start, and every answer says what it is. Nothing like it exists outside `infra/local`.

    GET  /.well-known/jwks.json            the public key
    GET  /logins                           who can log in
    POST /token {"login": …, "claims"?: …} a token; `claims` adds e.g. a patient's person_id
    POST /token {"login": …, "own": true}  a hospital's, signed as by the hospital itself: five minutes, good once
    GET  /token?login=…&person_id=…        the bare token, for use in a shell
    GET  /functions, POST /run/{function}  run a schedule of app.py now instead of waiting for it
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from infra.local.personas import HOSPITALS, LOGINS

AUDIENCE = "imaging-cloud"
LIFETIME_SECONDS = 15 * 60
OWN_LIFETIME_SECONDS = 5 * 60
WARNING = "development issuer: anyone who can reach it can be anyone"


class Issuer:
    """Signs tokens. `url` is its issuer claim and where its keys are."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = secrets.token_hex(8)
        self._logins = {login.name: login for login in LOGINS}

    def jwks(self) -> dict[str, Any]:
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": "RS256"}]}

    def token(self, login: str, claims: Mapping[str, Any]) -> dict[str, Any]:
        """A token and its expiry (epoch seconds). KeyError when nobody is called that."""
        now = int(time.time())
        expires_at = now + LIFETIME_SECONDS
        times = {"iat": now, "nbf": now, "exp": expires_at}
        payload = {**self._logins[login].claims(), **claims, **times, "iss": self.url, "aud": AUDIENCE}
        return self._signed(payload)

    def own_token(self, login: str) -> dict[str, Any]:
        """A hospital's token as the hospital itself signs it. KeyError when no hospital is called that."""
        named = self._logins[login]
        if named.role != "hospital":
            raise KeyError(login)
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + OWN_LIFETIME_SECONDS}
        return self._signed({**named.claims(), **times, "iss": self._own_url(named.hospital_id), "aud": AUDIENCE})

    def setting(self) -> list[dict[str, Any]]:
        """The ISSUERS setting: this issuer, as the province's is, and each hospital as an issuer of its own."""
        keys = {"audience": AUDIENCE, "jwks_url": f"{self.url}/.well-known/jwks.json"}
        claims = {"subject": "sub"}
        own = [
            {"issuer": self._own_url(one.hospital_id), "hospital_id": one.hospital_id, "claims": claims, **keys}
            for one in HOSPITALS
        ]
        return [{"issuer": self.url, "claims": {**claims, "phone": "phone_number"}, **keys}, *own]

    def _own_url(self, hospital_id: str) -> str:
        return f"{self.url}/hospitals/{hospital_id}"

    def _signed(self, payload: dict[str, Any]) -> dict[str, Any]:
        named = {**payload, "jti": secrets.token_hex(8)}
        token = jwt.encode(named, self._key, algorithm="RS256", headers={"kid": self._kid})
        return {"token": token, "expires_at": payload["exp"], "warning": WARNING}


class IssuerServer:
    """The issuer over HTTP. `functions` are what POST /run/{function} may call: name → call with the event."""

    def __init__(self, port: int) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._server.daemon_threads = True
        self.issuer = Issuer(f"http://127.0.0.1:{self._server.server_address[1]}")
        self.functions: dict[str, Callable[[Any], Any]] = {}
        self._server.issuer_server = self  # type: ignore[attr-defined] # how its handler finds it
        self._thread = Thread(target=self._server.serve_forever, name="issuer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():  # or it would wait for ever for a loop that never ran
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        here: IssuerServer = self.server.issuer_server  # type: ignore[attr-defined] # set by IssuerServer
        answers: dict[str, Callable[[], Any]] = {
            "/.well-known/jwks.json": here.issuer.jwks,
            "/logins": lambda: [vars(login) for login in LOGINS],
            "/functions": lambda: sorted(here.functions),
        }
        path, _, query = self.path.partition("?")
        if path == "/token":
            self._send_token(here.issuer, dict(parse_qsl(query)))
        elif answer := answers.get(path):
            self._send(200, answer())
        else:
            self._send(404, {"error": "unknown_path"})

    def _send_token(self, issuer: Issuer, claims: dict[str, str]) -> None:
        try:
            self._send_bytes(200, issuer.token(claims.pop("login", ""), claims)["token"].encode(), "text/plain")
        except KeyError:
            self._send(404, {"error": "unknown_name"})

    def do_POST(self) -> None:
        here: IssuerServer = self.server.issuer_server  # type: ignore[attr-defined] # set by IssuerServer
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            if self.path == "/token":
                login, issuer = body["login"], here.issuer
                own = body.get("own") is True
                self._send(200, issuer.own_token(login) if own else issuer.token(login, body.get("claims", {})))
            elif self.path.startswith("/run/"):
                self._send(200, {"answer": here.functions[self.path.removeprefix("/run/")](body)})
            else:
                self._send(404, {"error": "unknown_path"})
        except KeyError as error:
            self._send(404, {"error": "unknown_name", "name": str(error.args[0])})
        except ValueError:
            self._send(400, {"error": "body_is_not_json"})
        except Exception as error:  # noqa: BLE001 - a function's failure is told to whoever ran it
            self._send(500, {"error": "function_failed", "kind": type(error).__name__, "message": str(error)})

    def _send(self, status: int, answer: Any) -> None:
        body = json.dumps(answer, ensure_ascii=False, default=str).encode()
        self._send_bytes(status, body, "application/json; charset=utf-8")

    def _send_bytes(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Development-Only", WARNING)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name for it
        """Nothing: tokens pass here."""
