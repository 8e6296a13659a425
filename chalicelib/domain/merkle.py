"""Merkle trees as RFC 6962 §2.1 hashes them: a leaf can never pass for a node, so no two lists share a root."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

LEAF = b"\x00"  # RFC 6962 §2.1: MTH({d0}) = SHA-256(0x00 || d0)
NODE = b"\x01"  # MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])), k the largest power of two below n


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(LEAF + data).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes (32 bytes each), each looked at once and forgotten; SHA-256 of nothing for none."""
    whole: list[tuple[int, bytes]] = []  # (height, hash) of the full trees so far, from the left, ever smaller
    for one in leaves:
        height, found = 0, one
        while whole and whole[-1][0] == height:
            height, found = height + 1, _node(whole.pop()[1], found)
        whole.append((height, found))
    if not whole:
        return hashlib.sha256().digest()
    found = whole.pop()[1]
    while whole:
        found = _node(whole.pop()[1], found)
    return found


def proof(index: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """The audit path of one leaf (RFC 6962 §2.1.1), from the leaf up. IndexError for an index outside the list."""
    if not 0 <= index < len(leaves):
        raise IndexError("no such leaf")
    level, path = list(leaves), []
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level = [
            _node(level[at], level[at + 1]) if at + 1 < len(level) else level[at] for at in range(0, len(level), 2)
        ]
        index //= 2
    return tuple(path)


def includes(data: bytes, index: int, size: int, path: Sequence[bytes], tree_root: bytes) -> bool:
    """Whether `path` shows that `data` is leaf `index` of `size` leaves under this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found, rest = index, size - 1, leaf(data), list(path)
    while last:
        if at % 2 or at < last:
            if not rest:
                return False
            beside = rest.pop(0)
            found = _node(beside, found) if at % 2 else _node(found, beside)
        at, last = at // 2, last // 2
    return not rest and found == tree_root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()
