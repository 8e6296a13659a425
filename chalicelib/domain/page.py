from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Part of a list. `next_token` is "" on the last page; lists are never cut silently (DESIGN §8)."""

    items: tuple[Item, ...]
    next_token: str = ""
