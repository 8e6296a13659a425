"""A study's receipt (infra/RECEIPTS.md): verified, held against what was sent, and kept for years."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .spool import durably

Pages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Held:
    """What a receipt says of the images that were sent: how many of them it names, with their digests; of those, what
    became of them; and what is wrong with the receipt itself."""

    sent: int
    there: int
    statuses: Mapping[str, int]
    declared: int | None
    complete: bool | None
    wrong: tuple[str, ...]

    @property
    def is_proof(self) -> bool:
        return self.there == self.sent and not self.wrong


def verify(pages: Pages) -> tuple[str, ...]:
    """What is wrong with a receipt, given as all its pages in order: words, none when it holds."""
    wrong = []
    statement = pages[0]["statement"]
    arrived = [entry["arrived"] for page in pages for entry in page["entries"]]
    order = [(one["sop_instance_uid"], one["version_id"], one["offset"]) for one in arrived]
    if any(page["statement_sha256"] != hashlib.sha256(_canonical(page["statement"])).hexdigest() for page in pages):
        wrong.append("statement")
    if any({**page["statement"], "issued_at": ""} != {**statement, "issued_at": ""} for page in pages):
        wrong.append("pages")
    if order != sorted(set(order)):
        wrong.append("order")
    if len(arrived) != statement["entries"] or len({one[0] for one in order}) != statement["instances"]:
        wrong.append("count")
    if _tree([hashlib.sha256(b"\0" + _canonical(one)).digest() for one in arrived]).hex() != statement["root"]:
        wrong.append("root")
    return tuple(wrong)


def hold(pages: Pages, sent: Mapping[str, str]) -> Held:
    """`sent`: SOP Instance UID by digest (SHA-256, hex) of each image of the study."""
    named: dict[tuple[str, str], str] = {}
    for entry in (entry for page in pages for entry in page["entries"]):
        arrived = entry["arrived"]
        place = arrived["sop_instance_uid"], arrived["declared_sha256"]
        if named.get(place) != "served":  # a copy of what is served does not take it away
            named[place] = entry["status"]
    mine = [named[sop, digest] for digest, sop in sent.items() if (sop, digest) in named]
    statement = pages[0]["statement"]
    return Held(len(sent), len(mine), Counter(mine), statement["declared"], statement["complete"], verify(pages))


def keep(folder: Path, study: str, pages: Pages) -> Path:
    """The JSON as it was told: with it anybody can verify it later. UIDs are digits and dots, so they can name a file;
    an odd one is named by its digest."""
    folder.mkdir(mode=0o700, exist_ok=True)
    plain = study and set(study) <= set("0123456789.") and len(study) <= 64
    name = study if plain else hashlib.sha256(study.encode()).hexdigest()
    return durably(folder, f"{name}.json", json.dumps({"pages": list(pages)}, ensure_ascii=False).encode())


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _tree(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _tree(leaves[:half]) + _tree(leaves[half:])).digest()
