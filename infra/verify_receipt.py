"""`python verify_receipt.py RECEIPT.json [--proof PROOF.json]`: hold a receipt against itself and a sealed audit.

Needs nothing but Python and the files: this one may be copied anywhere and kept with them. RECEIPT.json is a receipt's
pages in order, as a list, or the only one. PROOF.json is what an auditor's `python -m infra.verify_audit --prove`
prints for the `event_id` of a page. Exit code 0: it holds. 1: it does not, and what is wrong is named. 2: no receipt.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf(line: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + line).digest()


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node(tree(leaves[:half]), tree(leaves[half:]))


def verify(pages: list[Json]) -> list[str]:
    """What is wrong with a receipt, given as all its pages in order; nothing when it holds."""
    wrong, statement = [], pages[0]["statement"]
    arrived = [entry["arrived"] for page in pages for entry in page["entries"]]
    order = [(one["sop_instance_uid"], one["version_id"], one["offset"]) for one in arrived]
    for page in pages:
        if page["statement_sha256"] != hashlib.sha256(canonical(page["statement"])).hexdigest():
            wrong.append("a statement is not the one that went on record")
        if {**page["statement"], "issued_at": ""} != {**statement, "issued_at": ""}:
            wrong.append("the pages are not of one receipt")
    if order != sorted(set(order)):
        wrong.append("the entries are not in their order, or one is there twice")
    if len(arrived) != statement["entries"] or len({one[0] for one in order}) != statement["instances"]:
        wrong.append("the count is another")
    if tree([leaf(canonical(one)) for one in arrived]).hex() != statement["root"]:
        wrong.append("the root is another")
    return wrong


def verify_proof(pages: list[Json], proof: Json) -> list[str]:
    """What is wrong with the proof that the cloud stated one of the pages: its event's line, and the path to the root
    of that hour's seal (RFC 9162 section 2.1.3.2). The seal's digest is SHA-256 of its canonical JSON."""
    wrong, line = [], json.loads(proof["line"])
    stated = {page["event_id"]: page["statement_sha256"] for page in pages}
    if line["id"] not in stated or line["event"].get("statement") != stated[line["id"]]:
        wrong.append("the event does not hold the statement of a page")
    at, last, found, rest = proof["index"], proof["seal"]["count"] - 1, leaf(proof["line"].encode()), proof["path"][:]
    inside = 0 <= at <= last
    while inside and last:
        if at % 2 or at < last:
            inside = bool(rest)
            beside = bytes.fromhex(rest.pop(0)) if rest else b""
            found = node(beside, found) if at % 2 else node(found, beside)
        at, last = at // 2, last // 2
    if not inside or rest or found.hex() != proof["seal"]["root"]:
        wrong.append("the path does not lead to the root of the seal")
    return wrong


# The command


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("receipt", type=Path)
    parser.add_argument("--proof", type=Path)
    asked = parser.parse_args(arguments)
    try:
        told = json.loads(asked.receipt.read_text(encoding="utf-8"))
        pages = told if isinstance(told, list) else [told]
        proof = json.loads(asked.proof.read_text(encoding="utf-8")) if asked.proof else None
        wrong = verify(pages) + (verify_proof(pages, proof) if proof else [])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as fault:
        print(f"no receipt or proof / 不是回执或证明: {type(fault).__name__}")
        return 2
    for one in dict.fromkeys(wrong):
        print(f"wrong / 不符: {one}")
    statement = pages[0]["statement"]
    print(f"{statement['study_instance_uid']}: {statement['entries']} entries / 条, root / 根 {statement['root']}")
    if proof and not wrong:
        seal = proof["seal"]
        print(f"sealed / 封存于 {seal['hour']}, seal / 封印 {hashlib.sha256(canonical(seal)).hexdigest()}")
    print("does not hold / 不成立" if wrong else "holds / 成立")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
