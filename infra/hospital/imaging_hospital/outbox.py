"""Notices on their way: kept durably, sent once, and what cannot be sent put aside with the reason, for people."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from .faults import RefusedError
from .notice_files import Kept, Outcome, Refused
from .spool import Spool, durably
from .tongue import Said

REMEMBERED: Final = timedelta(days=60)  # a RIS that writes the whole month again and again
REFUSED_BY_CLOUD = Said("refused by the cloud: {fact}", "云端拒收：{fact}")
_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS sent (subject BLOB PRIMARY KEY, digest BLOB NOT NULL, at TEXT NOT NULL)"


class Sending(Protocol):
    def send_notice(self, notice: bytes) -> Any: ...


@dataclass
class Count:
    """What became of the notices of a run."""

    kept: int = 0
    before: int = 0
    passed: int = 0
    refused: list[Refused] = field(default_factory=list)


@dataclass
class Outbox:
    """For several threads. It remembers the last words sent on each exam or visit, by digests: nobody's name."""

    spool: Spool
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        path = self.spool.notices / "sent.sqlite3"
        self._database = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        self._database.execute(_SCHEMA)
        path.chmod(0o600)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def keep(self, outcome: Outcome, count: Count, whole: bytes = b"") -> None:
        """On the disk when this returns. Raises OSError. What was the last word on its exam is not said again. `whole`:
        what is put aside where not even a part of it could be read."""
        if isinstance(outcome, Kept):
            if self._was_sent(outcome.body):
                count.before += 1
            else:
                self.spool.keep_notice(outcome.body)
                count.kept += 1
        elif isinstance(outcome, Refused):
            piece = outcome.piece.encode("utf-8", "backslashreplace") or whole
            self._put_aside(piece, [outcome.sentence("en"), outcome.sentence("zh")])
            count.refused.append(outcome)
        else:
            count.passed += 1

    def send(self, cloud: Sending) -> tuple[int, int]:
        """All that is kept, oldest first: how many the cloud took and how many it refused. What was sent before the
        line broke stays sent. Raises TryLaterError or NotAllowedError."""
        taken = refused = 0
        for path in sorted(self.spool.notices.glob("*.json"), key=_age):
            try:
                notice = path.read_bytes()
            except FileNotFoundError:  # another command was first
                continue
            try:
                cloud.send_notice(notice)
            except RefusedError as error:
                self._put_aside(notice, [REFUSED_BY_CLOUD.in_(language, fact=error.fact) for language in ("en", "zh")])
                refused += 1
            else:
                self._remember(notice)
                taken += 1
            path.unlink(missing_ok=True)
        return taken, refused

    def _put_aside(self, piece: bytes, reasons: list[str]) -> None:
        """To be mended and sent again. The same piece once."""
        name = hashlib.sha256(piece).hexdigest()[:16]
        durably(self.spool.refused, f"{name}{_suffix(piece)}", piece)
        durably(self.spool.refused, f"{name}.why.txt", "\n".join([*reasons, ""]).encode())

    def _remember(self, notice: bytes) -> None:
        row = (_subject(notice), _digest(notice), self.now().isoformat())
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", row)
            self._database.execute("DELETE FROM sent WHERE at < ?", ((self.now() - REMEMBERED).isoformat(),))

    def _was_sent(self, notice: bytes) -> bool:
        row = (_subject(notice), _digest(notice))
        with self._lock:
            query = "SELECT 1 FROM sent WHERE subject = ? AND digest = ?"
            return self._database.execute(query, row).fetchone() is not None


def _digest(notice: bytes) -> bytes:
    return hashlib.sha256(notice).digest()


def _subject(notice: bytes) -> bytes:
    told = json.loads(notice)
    return _digest(f"{told.get('type')}\0{told.get('notice_id') or told.get('encounter_id')}".encode())


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _suffix(piece: bytes) -> str:
    if piece.startswith(b"MSH"):
        return ".hl7"
    return ".json" if piece.lstrip()[:1] in (b"{", b"[") else ".csv"
