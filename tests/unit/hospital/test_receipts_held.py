"""The client verifies receipts as the guide says, and holds them against what it sent."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path

import pytest

from infra.hospital.imaging_hospital import receipts

SHIPPED = json.loads((Path(__file__).parents[2] / "data" / "receipts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("one", SHIPPED, ids=lambda one: one["name"])
def test_the_shipped_receipts_hold_or_not_as_they_should(one):
    assert (receipts.verify(one["pages"]) == ()) is one["holds"]


def sent(pages):
    """What a hospital sent, by its own digests, if all of it arrived."""
    arrived = [entry["arrived"] for page in pages for entry in page["entries"]]
    return {one["declared_sha256"]: one["sop_instance_uid"] for one in arrived if one["declared_sha256"]}


def with_digests(statuses=("served",)):
    """A receipt that holds, of one page."""
    entries = [
        {
            "arrived": {
                "sop_instance_uid": f"1.2.{number}",
                "version_id": "v",
                "offset": 0,
                "declared_sha256": hashlib.sha256(bytes([number])).hexdigest(),
            },
            "status": status,
        }
        for number, status in enumerate(statuses)
    ]
    leaves = [hashlib.sha256(b"\0" + receipts._canonical(one["arrived"])).digest() for one in entries]  # noqa: SLF001 - the form that is hashed
    statement = {
        "entries": len(entries),
        "instances": len(entries),
        "root": receipts._tree(leaves).hex(),  # noqa: SLF001 - as above
        "declared": 3,
        "complete": False,
        "issued_at": "2026-11-24T00:00:00+00:00",
    }
    digest = hashlib.sha256(receipts._canonical(statement)).hexdigest()  # noqa: SLF001 - as above
    return [{"statement": statement, "statement_sha256": digest, "entries": entries}]


def test_all_that_was_sent_is_there():
    pages = with_digests(("served", "divergent", "served"))
    held = receipts.hold(pages, sent(pages))
    assert held.is_proof
    assert (held.sent, held.there, held.declared, held.complete) == (3, 3, 3, False)
    assert held.statuses == {"served": 2, "divergent": 1}


def test_what_was_sent_and_is_not_in_it_is_no_proof():
    pages = with_digests(("served", "served"))
    held = receipts.hold(pages, {**sent(pages), "0" * 64: "1.2.9"})
    assert (held.is_proof, held.sent, held.there) == (False, 3, 2)


def test_other_bytes_under_the_same_uid_are_no_proof():
    pages = with_digests()
    assert not receipts.hold(pages, {"f" * 64: "1.2.0"}).is_proof


@pytest.mark.parametrize("change", ["root", "entries", "instances"])
def test_a_receipt_that_does_not_hold_is_no_proof(change):
    pages = with_digests(("served", "served"))
    changed = copy.deepcopy(pages)
    changed[0]["statement"][change] = 7
    held = receipts.hold(changed, sent(pages))
    assert held.wrong
    assert not held.is_proof


def test_receipts_are_kept_under_names_that_lead_nowhere_else(tmp_path):
    pages = with_digests()
    assert receipts.keep(tmp_path, "1.2.840.1", pages).name == "1.2.840.1.json"
    odd = receipts.keep(tmp_path, "../../evil", pages)
    assert odd.parent == tmp_path
    assert json.loads(odd.read_text(encoding="utf-8")) == {"pages": pages}
