"""Merging several identities' studies into one list, page by page, without losing or repeating any."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.domain.study import Summary


def order(summary: Summary) -> str:
    """Where a study stands in a timeline: its key in the index, newest last. Some devices write 2026.11.24."""
    day = re.sub(r"[^0-9]", "", summary.study_date)[:8]
    return f"{day}#{summary.ref.hospital_id}#{summary.ref.study_instance_uid}"


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader has come: the order of the last study shown, and where each lane's next read begins."""

    last: str = ""
    starts: Mapping[str, str] = field(default_factory=dict)
    done: frozenset[str] = frozenset()

    def start(self, lane: str) -> str:
        return self.starts.get(lane, "")

    def is_done(self, lane: str) -> bool:
        return lane in self.done

    def after(self, items: Iterable[Summary]) -> tuple[Summary, ...]:
        """What has not been shown; a study that arrived since, newer than the last one shown, waits for a new list."""
        return tuple(item for item in items if not self.last or order(item) < self.last)

    def token(self) -> str:
        """What a reader sends back to go on; empty at the end of the list."""
        if not self.last:
            return ""
        body = json.dumps([self.last, dict(self.starts), sorted(self.done)], separators=(",", ":"))
        return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def read_token(token: str) -> Position:
    """The position of a token of ours; raises ValueError for anything else."""
    if not token:
        return Position()
    try:
        last, starts, done = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (TypeError, ValueError, RecursionError):
        raise ValueError("not a token of this list") from None
    if not isinstance(last, str) or not isinstance(starts, dict) or not isinstance(done, list):
        raise ValueError("not a token of this list")  # noqa: TRY004 - a caller's bad value, not a programmer's
    texts = [*starts, *starts.values(), *done]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("not a token of this list")
    return Position(last, starts, frozenset(done))


@dataclass(frozen=True, slots=True)
class Lane:
    """One identity's next studies, newest first: read from `start`, more behind `next_start` ("": none)."""

    name: str
    start: str
    items: Sequence[Summary]
    next_start: str


def merge(lanes: Sequence[Lane], position: Position, limit: int) -> tuple[tuple[Summary, ...], Position]:
    """At most `limit` studies, newest first, and the position after them.

    It stops early where a lane's read is used up and more lies behind: what comes next there may be the newest.
    """
    used = dict.fromkeys((lane.name for lane in lanes), 0)
    merged: list[Summary] = []
    while len(merged) < limit and not any(_is_used_up(lane, used) and lane.next_start for lane in lanes):
        open_lanes = [lane for lane in lanes if not _is_used_up(lane, used)]
        if not open_lanes:
            break
        newest = max(open_lanes, key=lambda lane: order(lane.items[used[lane.name]]))
        merged.append(newest.items[used[newest.name]])
        used[newest.name] += 1
    return tuple(merged), _after(lanes, used, merged, position)


def _after(lanes: Sequence[Lane], used: Mapping[str, int], merged: Sequence[Summary], position: Position) -> Position:
    ended = {lane.name for lane in lanes if _is_used_up(lane, used) and not lane.next_start}
    if len(ended) == len(lanes):
        return Position()
    starts = {
        lane.name: lane.next_start if _is_used_up(lane, used) else lane.start
        for lane in lanes
        if lane.name not in ended
    }
    return Position(order(merged[-1]) if merged else position.last, starts, position.done | ended)


def _is_used_up(lane: Lane, used: Mapping[str, int]) -> bool:
    return used[lane.name] >= len(lane.items)
