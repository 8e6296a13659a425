"""Merging several identities' studies into one list, page by page, without losing or repeating any."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.page import place
from chalicelib.domain.study import Summary

LONGEST = 512  # characters of a place in a list: a date, a hospital and a study's UID


def order(summary: Summary) -> str:
    """Where a study stands in a timeline: its key in the index, newest last. Some devices write 2026.11.24."""
    day = re.sub(r"[^0-9]", "", summary.study_date)[:8]
    return f"{day}#{summary.ref.hospital_id}#{summary.ref.study_instance_uid}"


def read_token(token: str) -> str:
    """Where a list goes on, by the token made of `order`; raises ValueError for what is no token of ours. It is as long
    for a person with many identities as for one, and names no patient."""
    last = place(token, LONGEST)
    if token and last.count("#") != 2:
        raise ValueError("not a continuation token")
    return last


@dataclass(frozen=True, slots=True)
class Lane:
    """One identity's next studies, newest first, and whether more stand behind them."""

    items: Sequence[Summary]
    has_more: bool


def merge(lanes: Sequence[Lane], limit: int) -> tuple[tuple[Summary, ...], str]:
    """At most `limit` studies, newest first, and where the list goes on ("": nowhere).

    It stops early where a lane is used up and has more behind: what comes next there may be the newest.
    """
    used = [0] * len(lanes)
    merged: list[Summary] = []
    while len(merged) < limit:
        left = [number for number, lane in enumerate(lanes) if used[number] < len(lane.items)]
        if not left or any(lane.has_more and number not in left for number, lane in enumerate(lanes)):
            break
        newest = max(left, key=lambda number: order(lanes[number].items[used[number]]))
        merged.append(lanes[newest].items[used[newest]])
        used[newest] += 1
    ended = all(count == len(lane.items) and not lane.has_more for count, lane in zip(used, lanes, strict=True))
    return tuple(merged), "" if ended or not merged else order(merged[-1])
