"""A chain of sealed hours in memory: what archive and table hold, to be tampered with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from chalicelib.domain.seal import HOUR, START, Kept, Record, hour_name, joined, lines_of, seal, verify
from chalicelib.domain.ulid import ulid

FIRST = datetime(2026, 11, 23, 22, tzinfo=UTC)  # the chain crosses a day


def record(hour, number, **values):
    event_id = ulid(hour + timedelta(seconds=number), bytes([number]) * 10)
    given = {"at": (hour + timedelta(seconds=number)).isoformat(), "allowed": number % 2 == 0, "subject": "李医生"}
    return Record(event_id, f"{hour_name(hour)}#{number % 16:02d}", {**given, **values})


@dataclass
class Chain:
    """`seals` and `files` are the archive's bytes by hour, `table` the live records."""

    seals: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    table: dict = field(default_factory=dict)

    @property
    def hours(self):
        return list(self.table)

    def verify(self, *, ask_table=True):
        told = [
            (hour, Kept(self.seals.get(hour), self.files.get(hour)), self.table[hour] if ask_table else None)
            for hour in self.hours
        ]
        return [finding for verified in verify(told) for finding in verified.findings]

    def named(self, **asked):
        """Kind, hour's number, where and event of every finding."""
        names = [hour_name(hour) for hour in self.hours]
        return [(one.kind, names.index(one.hour), one.where, one.event_id) for one in self.verify(**asked)]


def sealed(counts):
    """A chain of hours with so many events each."""
    chain, previous = Chain(), START
    for number, count in enumerate(counts):
        hour = FIRST + number * HOUR
        chain.table[hour] = [record(hour, at) for at in range(count)]
        lines = lines_of(chain.table[hour])
        made = seal(hour, lines, previous)
        chain.seals[hour], chain.files[hour], previous = made.to_json(), joined(lines), made.digest
    return chain


def counts(least=1):
    return st.lists(st.integers(0, 9), min_size=least, max_size=5)
