"""What the guide to receipts prints is what verifies them: its code is run on receipts of ours, and on broken ones."""

import ast
import copy
import json
import re
import sys
from pathlib import Path

import pytest

from chalicelib.domain import merkle
from chalicelib.domain.seal import canonical
from chalicelib.services.give_receipt import PAGE
from infra.verify_receipt import main, verify, verify_proof
from tests.support.receipts import Desk
from tests.support.settle_samples import entry

ROOT = Path(__file__).parents[2]
GUIDES = ("infra/RECEIPTS.md", "infra/RECEIPTS.zh-CN.md")
VECTORS = json.loads((ROOT / "tests/data/receipts.json").read_text(encoding="utf-8"))


def block(name, kind):
    (found,) = re.findall(rf"```{kind}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    return found


def test_the_guides_code_is_the_commands():
    assert block(GUIDES[0], "python") in (ROOT / "infra/verify_receipt.py").read_text(encoding="utf-8")


def test_the_command_stands_alone():
    tree = ast.parse((ROOT / "infra/verify_receipt.py").read_text(encoding="utf-8"))
    imported = [one for one in ast.walk(tree) if isinstance(one, ast.Import | ast.ImportFrom)]
    named = {name.name for one in imported if isinstance(one, ast.Import) for name in one.names}
    named |= {one.module for one in imported if isinstance(one, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names


def test_both_languages_print_the_same_code_and_example():
    assert [block(GUIDES[0], kind) for kind in ("python", "json")] == [
        block(GUIDES[1], kind) for kind in ("python", "json")
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, PAGE, PAGE + 1, 2 * PAGE + 5])
def test_the_guides_code_verifies_what_the_cloud_gives(count):
    entries = [entry(number, key=f'instances/H1/2026-11-24/影像"{number}\\.dcm') for number in range(count)]
    assert verify(Desk(*entries).pages()) == []


@pytest.mark.parametrize("name", GUIDES)
def test_the_example_and_the_tables_name_every_field(name):
    (real,) = Desk(entry(1)).pages()
    example = json.loads(block(name, "json"))
    assert example.keys() == real.keys()
    assert example["statement"].keys() == real["statement"].keys()
    assert example["entries"][0]["arrived"].keys() == real["entries"][0]["arrived"].keys()
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [field for field in (*real["statement"], *real["entries"][0]["arrived"]) if field not in text] == []


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_vectors_verify_as_they_say(vector):
    assert bool(verify(vector["pages"])) is not vector["holds"]


def broken():
    """(what was done to a receipt of three entries on one page, the receipt)"""
    (page,) = Desk(*(entry(number) for number in range(3))).pages()

    def changed(name, act):
        told = copy.deepcopy(page)
        act(told)
        return pytest.param([told], id=name)

    yield changed("an entry left out", lambda told: told["entries"].pop(1))
    yield changed("an entry twice", lambda told: told["entries"].append(told["entries"][-1]))
    yield changed("another order", lambda told: told["entries"].reverse())
    yield changed(
        "another digest", lambda told: told["entries"][0]["arrived"].update(checksum="CRC64NVME:AAAAAAAAAAA=")
    )
    yield changed("another length", lambda told: told["entries"][2]["arrived"].update(length=1))
    yield changed("another root", lambda told: told["statement"].update(root="0" * 64))
    yield changed("another time", lambda told: told["statement"].update(issued_at="2020-01-01T00:00:00+00:00"))


@pytest.mark.parametrize("pages", list(broken()))
def test_whatever_is_changed_in_a_receipt_is_found(pages):
    assert verify(pages)


# Proofs


def proof_of(page, among, at):
    """What `verify_audit --prove` prints, of an hour with `among` events, the page's at `at`."""
    event = {"id": page["event_id"], "in": "p", "event": {"statement": page["statement_sha256"]}}
    lines = [canonical({"id": f"other{number}"}) for number in range(among)]
    lines[at] = canonical(event)
    leaves = [merkle.leaf(line) for line in lines]
    seal = {"hour": "2026-11-24T05", "count": among, "root": merkle.root(leaves).hex()}
    path = [node.hex() for node in merkle.proof(at, leaves)]
    return {"line": lines[at].decode(), "index": at, "path": path, "seal": seal, "holds": True}


@pytest.mark.parametrize(("among", "at"), [(1, 0), (2, 1), (3, 2), (7, 3), (8, 7), (100, 98)])
def test_a_proof_holds_for_its_own_receipt_only(among, at):
    one, other = (Desk(entry(number)).pages() for number in (1, 2))
    proof = proof_of(one[0], among, at)
    assert verify_proof(one, proof) == []
    other[0]["event_id"] = one[0]["event_id"]
    assert verify_proof(other, proof)
    assert verify_proof(one, {**proof, "index": at + 1})
    assert verify_proof(one, {**proof, "path": [*proof["path"], "00" * 32]})
    assert verify_proof(one, {**proof, "seal": {**proof["seal"], "root": "00" * 32}})


def run(tmp_path, pages, proof=None):
    receipt, told = tmp_path / "receipt.json", tmp_path / "proof.json"
    receipt.write_text(json.dumps(pages), encoding="utf-8")
    told.write_text(json.dumps(proof), encoding="utf-8")
    return main([str(receipt), *(["--proof", str(told)] if proof else [])])


def test_the_command_says_whether_it_holds(tmp_path, capsys):
    (page,) = Desk(entry(1)).pages()
    assert run(tmp_path, page, proof_of(page, 9, 4)) == 0
    assert "holds / 成立" in capsys.readouterr().out
    assert run(tmp_path, [{**page, "entries": []}]) == 1
    assert "the root is another" in capsys.readouterr().out
    assert [run(tmp_path, nothing) for nothing in ([], {}, "x", None, [1])] == [2] * 5
