"""What the guide to receipts prints is what verifies them: its code is run on receipts of ours, and on broken ones."""

import copy
import json
import re
from pathlib import Path

import pytest

from chalicelib.services.give_receipt import PAGE
from tests.support.receipts import Desk
from tests.support.settle_samples import entry

ROOT = Path(__file__).parents[2]
GUIDES = ("infra/RECEIPTS.md", "infra/RECEIPTS.zh-CN.md")
VECTORS = json.loads((ROOT / "tests/data/receipts.json").read_text(encoding="utf-8"))


def block(name, kind):
    (found,) = re.findall(rf"```{kind}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    return found


def verify(pages):
    names = {}
    exec(block(GUIDES[0], "python"), names)  # noqa: S102 - our own guide's words
    return names["verify"](pages)


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
