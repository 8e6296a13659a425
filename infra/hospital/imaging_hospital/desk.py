"""Where a command speaks: one console, one language, and what its exit code means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.markup import escape

from .tongue import Language, Said


class Exit(IntEnum):
    """DONE: everything is in the cloud. BROKEN: this machine, such as its disk. SETTINGS: nothing was tried. SKIPPED:
    some files are no DICOM or cannot be read. REFUSED: the cloud did not take something. NOT_ALLOWED: key or
    registration are not valid. STOPPED: by the user; what is left is sent next time."""

    DONE = 0
    BROKEN = 1
    SETTINGS = 2
    SKIPPED = 3
    REFUSED = 4
    NOT_ALLOWED = 5
    STOPPED = 130


@dataclass(frozen=True)
class Desk:
    """Results go to `out`, troubles and progress to `err`."""

    language: Language
    out: Console
    err: Console

    @classmethod
    def of(cls, language: Language) -> Desk:
        return cls(language, Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False))

    def speaking(self, language: Language) -> Desk:
        return replace(self, language=language)

    def say(self, said: Said, **values: Any) -> None:
        self.out.print(escape(_printable(said.in_(self.language, **values))))

    def complain(self, said: Said, **values: Any) -> None:
        self.err.print(escape(_printable(said.in_(self.language, **values))))


def _printable(text: str) -> str:
    """A file's name need not be text, and must not steer the terminal."""
    shown = text.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in shown)
