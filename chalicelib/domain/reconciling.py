"""The night's reconcile in pieces, each of which one run of a function can do and do again (DESIGN §4.9).

First the receipts are sorted: a piece reads those of one date whose names begin alike, and leaves the digests of what
they name, apart by hospital. Then each hospital is checked: a piece lists its uploads, and looks for each among them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

DATES: Final = 2  # the last two dates of upload
# A receipt is named by a hash: sixteen equal shares of a date, without reading any.
SHARES: Final = "0123456789abcdef"
DIGEST: Final = 8  # bytes: they tell some tens of millions of versions apart, at a fraction of the memory of their keys


@dataclass(frozen=True, slots=True)
class SortPiece:
    """The receipts of one UTC date whose names begin with `share`, behind the receipt named `after`. `night` is when
    the reconcile began."""

    night: dt.datetime
    date: dt.date
    share: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a hospital's digests lie in a sorted part: bytes from `offset`."""

    part: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class CheckPiece:
    """A hospital's uploads of the last two dates behind the key `after`, and where the digests of its receipts lie."""

    night: dt.datetime
    hospital_id: str
    seen: tuple[Span, ...]
    after: str = ""


Piece = SortPiece | CheckPiece


def upload_dates(night: dt.datetime) -> tuple[dt.date, ...]:
    """The UTC dates of uploads that are looked at, earliest first."""
    today = night.astimezone(dt.UTC).date()
    return tuple(today - dt.timedelta(days=back) for back in reversed(range(DATES)))


def receipt_dates(night: dt.datetime) -> tuple[dt.date, ...]:
    """A receipt is dated by its writing, which is never before the upload; clocks that name keys may differ from ours
    around midnight, so one date more is read."""
    dates = upload_dates(night)
    return (dates[0] - dt.timedelta(days=1), *dates)


def sort_pieces(night: dt.datetime) -> list[SortPiece]:
    """Where a night begins."""
    return [SortPiece(night, date, share) for date in receipt_dates(night) for share in SHARES]


def part_of(piece: SortPiece, *, last: bool) -> str:
    """A sorted part's name: what it begins behind, and whether it reached the end of its share. The same piece done
    twice names the same part, and one that came less far the second time leaves no gap: the next begins there."""
    return f"{piece.date.isoformat()}-{piece.share}-{piece.after}{'-last' if last else ''}"


def all_sorted(night: dt.datetime, parts: Collection[str]) -> bool:
    """Whether every share of every date has been read to its end."""
    ended = {part[: len("2026-11-24-a")] for part in parts if part.endswith("-last")}
    return ended >= {f"{piece.date.isoformat()}-{piece.share}" for piece in sort_pieces(night)}


def hospital_of(key: str, dates: Collection[str]) -> str | None:
    """Whose upload a key names, if it is of one of these dates; a key of another layout is nobody's. Kept cheap: it is
    asked of every key of some days."""
    parts = key.split("/", 3)
    return parts[1] if len(parts) > 3 and parts[2] in dates else None


def digest(key: str, version_id: str) -> bytes:
    """What stands for one object version."""
    return hashlib.blake2b(f"{key}\0{version_id}".encode(), digest_size=DIGEST).digest()


def number(digested: bytes) -> int:
    """A digest as an `array("Q")` of the machine reads it."""
    return int.from_bytes(digested, sys.byteorder)


def to_message(piece: Piece) -> dict[str, Any]:
    """As it goes through the queue."""
    told = {"night": piece.night.isoformat(), "after": piece.after}
    if isinstance(piece, SortPiece):
        return told | {"date": piece.date.isoformat(), "share": piece.share}
    return told | {"hospital_id": piece.hospital_id, "seen": [list(asdict(span).values()) for span in piece.seen]}


def from_message(told: Mapping[str, Any]) -> Piece:
    """Raises KeyError, TypeError or ValueError for what is no piece."""
    night = dt.datetime.fromisoformat(told["night"])
    if "share" in told:
        return SortPiece(night, dt.date.fromisoformat(told["date"]), told["share"], told["after"])
    spans = tuple(Span(part, offset, length) for part, offset, length in told["seen"])
    return CheckPiece(night, told["hospital_id"], spans, told["after"])
