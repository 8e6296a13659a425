"""The cloud's API over HTTPS, as this hospital. One request a call: whoever calls decides on trying again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import urllib3

from .faults import NotAllowedError, RefusedError, TryLaterError
from .key import Key, KeyFile
from .settings import Settings
from .tongue import Said

CLOCK: Final = 60  # seconds this machine's clock may be off without being spoken of
LARGEST_ANSWER: Final = 32 * 1024**2

CLOCK_IS_OFF = Said(
    "this machine's clock is {seconds} s off the cloud's: set it (NTP)",
    "本机时钟与云端相差 {seconds} 秒：请校时（NTP）",
)
PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
NOT_USED: Final = " (`proxy` is not set; {name} is not heeded)"
NOT_KNOWN = Said("the cloud does not accept this key ({fact})", "云端不接受本机密钥（{fact}）")


@dataclass(frozen=True)
class Line:
    """`now` is the machine's clock. `hint` is added to why nothing gets through."""

    http: urllib3.PoolManager
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    hint: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Line:
        """Through the settings' proxy or none: a service has another environment than whoever tried it in a shell."""
        details: dict[str, Any] = {
            "retries": False,
            "timeout": urllib3.Timeout(connect=10, read=60),
            "ca_certs": settings.ca_file or None,
        }
        proxied = bool(settings.proxy)
        http = urllib3.ProxyManager(settings.proxy, **details) if proxied else urllib3.PoolManager(**details)
        passed_over = next((name for name in PROXIES if os.environ.get(name) and not proxied), "")
        return cls(http, hint=NOT_USED.format(name=passed_over) if passed_over else "")

    def send(self, method: str, url: str, body: bytes | None = None, bearer: str = "") -> Any:
        """The answer's JSON. Raises TryLaterError, NotAllowedError or RefusedError (with the cloud's fact)."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        try:  # no redirect: a bearer goes to nobody else
            answer = self.http.request(method, url, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise TryLaterError(type(error).__name__ + self.hint) from None
        told = _json(answer.data)
        if not isinstance(told, dict):  # a proxy's or a captive portal's page
            told = {}
            if 200 <= answer.status < 300:
                raise TryLaterError("an answer that is not the cloud's")
        if 200 <= answer.status < 300:
            return told
        fact = str(told.get("error", ""))
        if answer.status == 429 or answer.status >= 500:
            raise TryLaterError(f"HTTP {answer.status} {fact}")
        if answer.status in (401, 403):
            raise NotAllowedError(*_why(answer, fact or f"HTTP {answer.status}", self.now()))
        raise RefusedError(fact or f"HTTP {answer.status}", answer.status, told)


@dataclass(frozen=True)
class Api:
    """`audience` is the cloud's origin, as `join` was told it."""

    settings: Settings
    key: Key | KeyFile
    audience: str
    line: Line

    def ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        bearer = self.key.bearer(self.settings.hospital_id, self.audience, self.line.now())
        return self.line.send(method, self.settings.endpoint + path, body, bearer)

    def pages(self, path: str) -> Iterator[Any]:
        """All pages of a list."""
        token = ""
        while True:
            page = self.ask("GET", f"{path}?{urlencode({'token': token})}" if token else path)
            yield page
            token = page.get("next_token") or ""
            if not token:
                return

    def credentials(self) -> Any:
        try:
            return self.ask("POST", "/hospital/credentials", b"{}")
        except RefusedError as refused:  # of the address or the registration, not of one image
            raise NotAllowedError(NOT_KNOWN, {"fact": refused.fact}) from None

    def send_notice(self, notice: bytes) -> Any:
        return self.ask("POST", "/hospital/notices", notice)

    def receipt(self, uid: str) -> list[Any]:
        """All pages of a study's receipt (infra/RECEIPTS.md). RefusedError with status 404 when the cloud has not, or
        not yet, heard of it; TryLaterError when it changes while it is read."""
        try:
            return list(self.pages(f"/hospital/studies/{quote(uid)}/receipt"))
        except RefusedError as refused:
            if refused.fact == "manifest_changed":
                raise TryLaterError(refused.fact) from None
            raise

    def quarantine(self) -> Iterator[Any]:
        for page in self.pages("/hospital/quarantine"):
            yield from page["records"]


def _why(answer: urllib3.BaseHTTPResponse, fact: str, now: datetime) -> tuple[Said, dict[str, Any]]:
    """A wrong clock looks like a wrong key: the answer's own date tells them apart."""
    try:
        off = (now - parsedate_to_datetime(answer.headers["Date"])).total_seconds()
    except (KeyError, ValueError, TypeError):
        off = 0.0
    return (CLOCK_IS_OFF, {"seconds": round(off)}) if abs(off) > CLOCK else (NOT_KNOWN, {"fact": fact})


def _json(data: bytes) -> Any:
    try:
        return json.loads(data[:LARGEST_ANSWER])
    except ValueError:
        return None
