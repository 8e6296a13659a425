from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS on its way. Without a `phone` it is for nobody: a request that reaches no one asks for one all the same,
    so that it costs what every other costs (DESIGN §6). From `useless_at` on it says nothing true any more."""

    message_id: str
    phone: str = field(repr=False)
    template: str
    values: Mapping[str, str] = field(repr=False)
    useless_at: datetime | None = None

    def is_useless(self, now: datetime) -> bool:
        return self.useless_at is not None and now >= self.useless_at
