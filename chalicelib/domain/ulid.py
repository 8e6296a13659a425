from __future__ import annotations

from datetime import UTC, datetime, timedelta

RANDOM_BYTES = 10
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: in ASCII order, so that text sorts as numbers
LENGTH = 26

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def base32(number: int, length: int) -> str:
    """`length` characters of Crockford's base 32, most significant first."""
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))


def ulid(at: datetime, random: bytes) -> str:
    """26 characters: 48 bits of milliseconds since 1970 (UTC), then 80 random bits. Sorts by time, to the ms."""
    if len(random) != RANDOM_BYTES:
        raise ValueError("a ULID needs 10 random bytes")
    return base32(((at - _EPOCH) // _MILLISECOND << 80) | int.from_bytes(random), LENGTH)


def ulid_floor(at: datetime) -> str:
    """The lowest ULID of an instant's millisecond: where a query for "since then" begins."""
    return ulid(at, bytes(RANDOM_BYTES))


def instant_of(text: str) -> datetime | None:
    """The millisecond in which a ULID was made; None for what is none, or of a year beyond 9999."""
    if len(text) != LENGTH or not set(text) <= set(ALPHABET):
        return None
    number = 0
    for character in text[:10]:  # the time; the rest is random
        number = number << 5 | ALPHABET.index(character)
    try:
        return _EPOCH + number * _MILLISECOND
    except OverflowError:
        return None
