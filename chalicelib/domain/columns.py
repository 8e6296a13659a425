"""Rows of alike objects ↔ columns: names stand once and like stands by like, which compresses a fifth better [m]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def to_columns(groups: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """Groups of rows → {"columns": {name: [for each group its values, or null]}, "rest": [[group, row, name, value]]}.

    A name is a column of a group in which all rows have it; what only some have is in `rest`.
    """
    columns: dict[str, list[list[Any] | None]] = {}
    rest: list[list[Any]] = []
    for number, rows in enumerate(groups):
        for name in {name: None for row in rows for name in row}:
            if all(name in row for row in rows):
                columns.setdefault(name, [None] * len(groups))[number] = [row[name] for row in rows]
            else:
                rest += [[number, place, name, row[name]] for place, row in enumerate(rows) if name in row]
    return {"columns": columns, "rest": sorted(rest, key=lambda one: one[:3])}


def from_columns(body: Row, counts: Sequence[int]) -> list[list[Row]]:
    """The groups that `to_columns` got, of `counts` rows each."""
    groups = [_rows(body["columns"], number, count) for number, count in enumerate(counts)]
    for number, place, name, value in body["rest"]:
        groups[number][place][name] = value
    return groups


def _rows(columns: Row, number: int, count: int) -> list[Row]:
    held = {name: of_groups[number] for name, of_groups in columns.items() if of_groups[number] is not None}
    if not held:
        return [{} for _ in range(count)]
    return [dict(zip(held, values, strict=True)) for values in zip(*held.values(), strict=True)]
