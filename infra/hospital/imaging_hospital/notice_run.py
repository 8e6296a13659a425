"""Files of notices into the outbox, and the outbox into the cloud: once, or for as long as it is asked to."""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .faults import NotAllowedError, TryLaterError
from .notice_draft import Reading
from .notice_files import MOST_FILE, read
from .outbox import Count, Outbox, Sending

log = logging.getLogger(__name__)

SETTLED: Final = 2.0  # seconds a file must be unchanged before it is taken for whole
POLL: Final = 1.0
LONGEST_WAIT: Final = 60.0


@dataclass
class NoticeRun:
    """`remove`: a file is deleted once all its notices are on our disk, in the outbox or among the refused."""

    paths: Sequence[Path]
    reading: Reading
    outbox: Outbox
    cloud: Sending
    remove: bool = False
    clock: Callable[[], float] = time.time
    _seen: set[tuple[str, int, int]] = field(default_factory=set)

    def read(self, *, settled: bool = False) -> tuple[Count, int]:
        """What the files held, and how many could not be read. `settled`: only files that nobody writes to now, each
        once. Raises OSError when our own disk is full."""
        count, unread = Count(), 0
        for path in self._files():
            try:
                told = path.stat()
                mark = (str(path), told.st_size, told.st_mtime_ns)
                if settled and (mark in self._seen or self.clock() - told.st_mtime < SETTLED):
                    continue
                raw = path.read_bytes() if told.st_size <= MOST_FILE else b" " * (MOST_FILE + 1)
            except OSError:
                unread += 1
                continue
            for outcome in read(raw, self.reading):
                self.outbox.keep(outcome, count, raw)
            self._seen.add(mark)
            if self.remove and told.st_size <= MOST_FILE:
                path.unlink(missing_ok=True)
        return count, unread

    def _files(self) -> Iterator[Path]:
        """In the order in which they were written: later notices correct earlier ones."""
        found: list[tuple[int, str]] = []
        for root in self.paths:
            if not root.is_dir():
                found.append((0, str(root)))
            for folder, _, names in os.walk(root):
                for name in names:
                    path = os.path.join(folder, name)  # noqa: PTH118 - as in scan.py: many files
                    found.append((_written(path), path))
        yield from (Path(path) for written, path in sorted(found) if written >= 0)

    def send(self) -> tuple[int, int]:
        """As Outbox.send."""
        return self.outbox.send(self.cloud)

    def keep_on(self, stop: threading.Event, tell: Callable[[Count], None]) -> None:
        """Reads and sends until `stop`. Neither a cut line nor a full disk ends it."""
        wait = 0.0
        while not stop.wait(max(POLL, wait)):
            try:
                count, _ = self.read(settled=True)
                if count.kept or count.before or count.passed or count.refused:
                    tell(count)
                self.send()
                wait = 0.0
            except (TryLaterError, NotAllowedError, OSError) as error:
                if not wait:
                    log.warning("notices wait: %s", error if isinstance(error, TryLaterError) else type(error).__name__)
                wait = min(LONGEST_WAIT, 2 * wait or 2.0)


def _written(path: str) -> int:
    """When a plain file was last written to; -1 of anything else, and of hidden ones: they are not finished."""
    if os.path.basename(path).startswith("."):  # noqa: PTH119 - as above
        return -1
    try:
        told = os.lstat(path)
    except OSError:
        return -1
    return told.st_mtime_ns if stat.S_ISREG(told.st_mode) else -1
