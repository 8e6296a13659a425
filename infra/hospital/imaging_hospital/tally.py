"""What became of every file of a run: nothing is passed over without a word."""

from __future__ import annotations

import csv
import os
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .desk import Exit
from .tongue import Said

SKIPPED: Final[dict[str, Said]] = {
    "not_dicom": Said("no DICOM file (no DICM prefix)", "不是 DICOM 文件（没有 DICM 标记）"),
    "empty": Said("empty file", "空文件"),
    "dicomdir": Said("directory of a medium (DICOMDIR), no image", "介质目录（DICOMDIR），不是影像"),
    "unreadable": Said("cannot be read from the disk", "无法从磁盘读取"),
    "changed": Said("changed while it was being read: run again", "读取过程中文件被改动：请再次运行"),
    "too_large": Said("larger than the cloud takes (4 GiB)", "超过云端允许的大小（4 GiB）"),
    "link": Said("a link to elsewhere, or no plain file", "指向别处的链接，或非普通文件"),
}
HARMLESS: Final = frozenset({"dicomdir", "link"})
"""Nothing is missing in the cloud because of them."""


@dataclass
class Tally:
    """Paths by what became of them. `before`: in the cloud already; `copies`: the same bytes as another file."""

    sent: int = 0
    sent_bytes: int = 0
    packs: int = 0
    singles: int = 0
    before: int = 0
    copies: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def skip(self, path: str, reason: str) -> None:
        with self._lock:
            self.skipped.append((path, reason))

    def refuse(self, paths: Iterable[str], fact: str) -> None:
        with self._lock:
            self.refused += [(path, fact) for path in paths]

    def seen_before(self) -> None:
        with self._lock:
            self.before += 1

    def copy(self) -> None:
        with self._lock:
            self.copies += 1

    def arrive(self, files: int, size: int, *, pack: bool) -> None:
        with self._lock:
            self.sent += files
            self.sent_bytes += size
            self.packs += pack
            self.singles += not pack

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _, reason in self.skipped)

    @property
    def exit(self) -> Exit:
        if self.refused:
            return Exit.REFUSED
        return Exit.SKIPPED if any(reason not in HARMLESS for _, reason in self.skipped) else Exit.DONE


def write(tally: Tally, path: Path) -> None:
    """Every file that is not in the cloud, and why. File names may tell of patients: for this user alone."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:  # spreadsheets know UTF-8 by the mark
        rows = csv.writer(file)
        rows.writerow(["outcome", "reason", "file"])
        rows.writerows(("skipped", reason, _harmless(name)) for name, reason in tally.skipped)
        rows.writerows(("refused", reason, _harmless(name)) for name, reason in tally.refused)


def _harmless(name: str) -> str:
    """A spreadsheet would run a name that begins like a formula; bytes that are no text are shown as such."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
