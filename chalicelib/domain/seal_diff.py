"""Two lists of sealed lines held against each other, event by event."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "changed",
    "removed",
    "added",
    "reordered",
    "disputed",
    "file_missing",
    "file_unreadable",
    "file_changed",
    "seal_missing",
    "seal_unreadable",
    "seal_changed",
    "chain_broken",
    "overwritten",
    "stray",
    "head_differs",
]
Where = Literal["seal", "file", "table", "archive"]
Key = tuple[str, str]  # event id and partition


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed. `event_id` is "" where it is about the hour as a whole."""

    kind: Kind
    hour: str
    where: Where
    event_id: str = ""
    detail: str = ""


def key_of(line: bytes) -> Key | None:
    """Which event a line is about; None for what is no line of ours."""
    try:
        told = json.loads(line)
        event_id, partition = told["id"], told["in"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return (event_id, partition) if isinstance(event_id, str) and isinstance(partition, str) else None


def differences(
    truth: Sequence[bytes], found: Sequence[bytes], hour: str, where: Where, *, disputed: bool = False
) -> Iterator[Finding]:
    """What `found` changed, removed, added or reordered. `disputed`: neither is known to be right.

    A line that cannot be read counts as changed where the truth's line at its place is not found elsewhere.
    """
    if truth == found:
        return
    right = {key: line for line in truth if (key := key_of(line)) is not None}
    standing = _standing(truth, found, right)
    stands = {key for key, _ in standing if key is not None}
    for finding in (
        *_per_line(standing, right, hour, where),
        *(Finding("removed", hour, where, key[0], key[1]) for key in right if key not in stands),
        *_reordered([key for key, _ in standing if key in right], list(right), hour, where),
    ):
        yield Finding("disputed", hour, where, finding.event_id, finding.kind) if disputed else finding


def _standing(
    truth: Sequence[bytes], found: Sequence[bytes], right: dict[Key, bytes]
) -> list[tuple[Key | None, bytes]]:
    keys = [key_of(line) for line in found]
    known = set(keys)
    for at, key in enumerate(keys):
        here = key_of(truth[at]) if at < len(truth) else None
        if key is None and here in right and here not in known:
            keys[at] = here
    return list(zip(keys, found, strict=True))


def _per_line(
    standing: Sequence[tuple[Key | None, bytes]], right: dict[Key, bytes], hour: str, where: Where
) -> Iterator[Finding]:
    seen: set[Key] = set()
    for number, (key, line) in enumerate(standing, 1):
        if key is None:
            yield Finding("added", hour, where, "", f"unreadable line {number}")
        elif key not in right:
            yield Finding("added", hour, where, key[0], key[1])
        elif key in seen:
            yield Finding("added", hour, where, key[0], "repeated")
        elif line != right[key]:
            yield Finding("changed", hour, where, key[0], key[1])
        if key is not None:
            seen.add(key)


def _reordered(standing: Sequence[Key], right: Sequence[Key], hour: str, where: Where) -> Iterator[Finding]:
    """As few events as can be taken out to leave the rest in order."""
    first = list(dict.fromkeys(standing))
    rank = {key: number for number, key in enumerate(right)}
    kept = _longest_rise([rank[key] for key in first])
    for key in first:
        if rank[key] not in kept:
            yield Finding("reordered", hour, where, key[0], key[1])


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """A longest increasing subsequence (patience sorting, n log n)."""
    tops: list[int] = []
    below: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(tops, number)
        below[number] = tops[at - 1] if at else None
        tops[at : at + 1] = [number]
    kept: set[int] = set()
    top: int | None = tops[-1] if tops else None
    while top is not None:
        kept.add(top)
        top = below[top]
    return kept
