"""The keys to S3 that the cloud vends: an hour, this hospital's own prefixes of today (infra/JOINING.md)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config

from .body import Body
from .faults import TryLaterError
from .settings import Settings, safe

EARLY: Final = timedelta(minutes=10)
LAST: Final = timedelta(seconds=30)
# What files and environment say of this machine's own use of AWS is not about this cloud. As botocore has it: name in
# the file, variables, default, conversion.
_NOTHING_ELSE: Final = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ca_bundle": (None, None, None, None),
}


@dataclass(frozen=True)
class Pass:
    """`s3` uses keys that are kept in memory only. `prefixes`: by UTC date, then by kind of object."""

    s3: Any
    bucket: str
    prefixes: Mapping[str, Mapping[str, str]]
    expires_at: datetime

    def key(self, kind: str, name: str, now: datetime) -> str | None:
        """None when these keys do not reach today."""
        prefix = self.prefixes.get(now.astimezone(UTC).date().isoformat(), {}).get(kind)
        return None if prefix is None else prefix + name

    def reaches(self, key: str) -> bool:
        return any(key.startswith(prefix) for kinds in self.prefixes.values() for prefix in kinds.values())


@dataclass
class Passes:
    """The pass of the moment, renewed by itself before it ends. `ask` is `Api.credentials`."""

    settings: Settings
    ask: Callable[[], Any]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _current: Pass | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> Pass:
        """Raises TryLaterError or NotAllowedError when there is none and none can be had."""
        with self._lock:
            held, now = self._current, self.now()
            if held and now < held.expires_at - EARLY and held.key("instances", "", now) is not None:
                return held
            try:
                self._current = self._asked()
            except TryLaterError:
                if held and now < held.expires_at - LAST and held.key("instances", "", now) is not None:
                    return held
                raise
            return self._current

    def drop(self, which: Pass) -> None:
        """S3 takes its keys no more."""
        with self._lock:
            if self._current is which:
                self._current = None

    def _asked(self) -> Pass:
        try:
            return self._made(self.ask())
        except (KeyError, TypeError, ValueError):
            raise TryLaterError("an answer that is not the cloud's") from None

    def _made(self, told: Any) -> Pass:
        keys, endpoint = told["credentials"], str(told["endpoint"])
        if not safe(endpoint):
            raise TryLaterError("the cloud names no safe address of S3")
        session = boto3.session.Session(
            botocore_session=botocore.session.Session(_NOTHING_ELSE),
            aws_access_key_id=keys["access_key_id"],
            aws_secret_access_key=keys["secret_access_key"],
            aws_session_token=keys["session_token"],
            region_name=told["region"],
        )
        s3 = session.client(
            "s3", endpoint_url=endpoint, config=_config(self.settings), verify=self.settings.ca_file or None
        )
        s3.meta.events.register("before-send.s3", Body.leave)
        return Pass(s3, told["bucket"], told["prefixes"], datetime.fromisoformat(keys["expires_at"]))


def _config(settings: Settings) -> Config:
    """One try a call: what follows a failure is decided in one place, `sender`."""
    return Config(
        signature_version="s3v4",
        retries={"total_max_attempts": 1},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=settings.parallel + 1,
        proxies={"https": settings.proxy, "http": settings.proxy} if settings.proxy else {},
        request_checksum_calculation="when_required",
        tcp_keepalive=True,
    )
