"""A span of instants, as a search over what happened asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)  # what a ULID's time can be


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` until just before `before`; all there is where nothing is said. Aware, whole milliseconds."""

    since: datetime = FIRST
    before: datetime = LAST

    def holds(self, at: datetime) -> bool:
        return self.since <= at < self.before

    @property
    def is_empty(self) -> bool:
        return self.since >= self.before

    def within(self, other: Span) -> Span:
        """What both hold."""
        return Span(max(self.since, other.since), min(self.before, other.before))


ALWAYS = Span()
