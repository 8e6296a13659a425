"""One command at a time for one directory. The lock is SQLite's: it ends with the process."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .settings import SettingsError
from .tongue import Said

BUSY = Said("another imaging-cloud is at work on {path}", "另一个 imaging-cloud 正在处理 {path}")


@contextmanager
def alone(spool: Path, root: Path) -> Iterator[None]:
    """Raises SettingsError when somebody else is at it."""
    name = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    lock = sqlite3.connect(spool / f"lock-{name}.sqlite3", timeout=0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:  # such as a full disk
                raise
            raise SettingsError(BUSY, path=root) from None
        yield
    finally:
        lock.close()
