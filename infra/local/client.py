"""A client of the local cloud, as any outside program would be one: HTTP for the API, S3 with a hospital's own
credentials. Knows nothing but what local.json says."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config

from infra.local.samples import BEIJING

TIMEOUT = 60
FUNCTION_TIMEOUT = 900  # Lambda's longest


@cache
def _opener() -> urllib.request.OpenerDirector:
    """Loopback only: no proxy of the machine may come between. Made when first used: from Python 3.13 on it reads then
    which certificates to trust (SSL_CERT_FILE)."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotHeldError(AssertionError):
    """Something that had to hold did not; the text says what."""


def expect(held: object, what: str) -> None:
    if not held:
        raise NotHeldError(what)


def to_the_minute(instant: str) -> str:
    """An instant of an answer as people in the province read it."""
    return datetime.fromisoformat(instant).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def until(ask: Callable[[], Any], what: str, seconds: float = 90, pause: float = 0.2) -> Any:
    """The first true answer of `ask`. NotHeldError when there is none in time."""
    give_up = time.monotonic() + seconds
    while True:
        if found := ask():
            return found
        if time.monotonic() > give_up:
            raise NotHeldError(f"within {seconds:.0f} s: {what}")
        time.sleep(pause)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def of(self, *statuses: int) -> Any:
        """The JSON, if the status is one of these."""
        shown = self.body[:300].decode("utf-8", "replace")
        expect(self.status in statuses, f"status {self.status} instead of {statuses}: {shown}")
        return self.json if self.body else None


def fetch(
    url: str,
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
    method: str = "",
    timeout: float = TIMEOUT,
) -> Answer:
    """One HTTP request; any status is an answer."""
    request = urllib.request.Request(url, data, dict(headers or {}), method=method or None)  # noqa: S310 - http(s) only
    try:
        with _opener().open(request, timeout=timeout) as answer:
            return Answer(answer.status, dict(answer.headers.items()), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers.items()), error.read())


@dataclass
class Client:
    """`told` is local.json. `claims` are added to a login's token (a patient's person_id, once it is known).
    `vended`: by hospital, credentials that the API gave it, in place of those of local.json."""

    told: Mapping[str, Any]
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    vended: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> Client:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def token(self, login: str) -> str:
        """A token of that login, a fresh one when the last has less than a minute to live. A hospital signs its own,
        a new one for each call: each is good once."""
        if self._is_hospital(login) and not self.claims.get(login):
            return str(self._given({"login": login, "own": True})["token"])
        token, expires_at = self._tokens.get(login, ("", 0.0))
        if time.time() > expires_at - 60:
            given = self._given({"login": login, "claims": self.claims.get(login, {})})
            token, expires_at = given["token"], given["expires_at"]
            self._tokens[login] = token, expires_at
        return token

    def _is_hospital(self, login: str) -> bool:
        return bool(self.told.get("logins", {}).get(login, {}).get("role") == "hospital")

    def _given(self, asked: Mapping[str, Any]) -> Any:
        body = json.dumps(asked).encode()
        return fetch(self.told["token_url"], {"Content-Type": "application/json"}, body).of(200)

    def claim(self, login: str, **claims: Any) -> None:
        self.claims[login] = claims
        self._tokens.pop(login, None)

    def call(
        self, login: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One call of the API as `login` ("" for nobody)."""
        headers = {**(headers or {}), **({"Authorization": f"Bearer {self.token(login)}"} if login else {})}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return fetch(self.told["api_url"] + path, headers, data, method)

    def pages(self, login: str, path: str, items: str) -> list[Any]:
        """All items of a paged list."""
        found, token = [], ""
        while True:
            mark = "&" if "?" in path else "?"
            page = self.call(login, "GET", path + (f"{mark}token={quote(token, safe='')}" if token else "")).of(200)
            found += page[items]
            token = page.get("next_token", "")
            if not token:
                return found

    def run(self, function: str, event: Any = None) -> Any:
        """Run one of app.py's schedules or operator functions now."""
        body = json.dumps(event or {}).encode()
        url, headers = self.told["run_url"] + function, {"Content-Type": "application/json"}
        return fetch(url, headers, body, timeout=FUNCTION_TIMEOUT).of(200)["answer"]

    def hospital(self, hospital_id: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = next(one for one in self.told["hospitals"] if one["hospital_id"] == hospital_id)
        return found

    def s3(self, hospital_id: str) -> Any:
        """S3 with a hospital's credentials."""
        hospital = self.vended.get(hospital_id) or self.hospital(hospital_id)
        return boto3.session.Session(
            aws_access_key_id=hospital["access_key_id"],
            aws_secret_access_key=hospital["secret_access_key"],
            aws_session_token=hospital.get("session_token"),
            region_name=self.told["region"],
        ).client(
            "s3",
            endpoint_url=self.told["s3_endpoint"],
            config=Config(signature_version="s3v4", max_pool_connections=16, s3={"addressing_style": "path"}),
        )

    def messages(self) -> list[dict[str, str]]:
        """The SMS outbox."""
        path = Path(self.told["sms_outbox"])
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def codes(self) -> list[dict[str, Any]]:
        """Those that carry a code; a notice sent before may arrive after one."""
        return [one for one in self.messages() if one["template"] == "consent_code"]
