"""What can go wrong on the way, by what is to be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .tongue import Said


class TryLaterError(Exception):
    """The line, or the other end for now: the same again after a while. The text holds no address and no key."""


class NotAllowedError(Exception):
    """This hospital's key or credentials are not accepted: trying again would change nothing."""

    def __init__(self, said: Said, values: Mapping[str, Any]) -> None:
        super().__init__(said.in_("en", **values))
        self.said, self.values = said, values


class RefusedError(Exception):
    """The cloud does not want this one thing. `fact` is its word for it."""

    def __init__(self, fact: str, status: int = 0, told: Mapping[str, Any] | None = None) -> None:
        super().__init__(fact)
        self.fact, self.status, self.told = fact, status, told or {}


class StoppedError(Exception):
    """The user, or the machine, wants this to end now."""


class ChangedError(Exception):
    """A file is not what it was when it was read first. `path` is kept out of the text: it may name a patient."""

    def __init__(self, path: str) -> None:
        super().__init__("a file has changed")
        self.path = path
