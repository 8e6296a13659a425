"""Every kind of item that the tables can hold is in a person's archive, or PERSONS.md says why not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from chalicelib.domain.record import sections
from tests.support.clinic import NOW
from tests.unit.domain.test_record import record

SECTIONS = frozenset(sections(record(), NOW))
ROOT = Path(__file__).parents[2]
STORES = sorted((ROOT / "chalicelib" / "store").glob("*.py"))
KIND = re.compile(r"([A-Z]+)(#|$)")
ROW = re.compile(r"^\| `([A-Z]+)` \| (.+) \|$", re.MULTILINE)
LOOSE = {  # functions of keys.py whose keys begin with no word of their own, and what the table calls them
    "journal": "JOURNAL",
    "journal_instance": "JOURNAL",
    "exam": "LEDGER",
    "due_order": "DUE",
    "audit": "AUDIT",
    "audit_hour": "AUDIT",
}
INDEXES = {"GSI1", "GSI2", "FLAGS", "RELEASES"}  # names of indexes, and of a partition of one


def first_words(path):
    """What the strings and f-strings of a store begin with, where that is written as keys are."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            yield text.value


def kinds():
    found = set(LOOSE.values())
    for path in STORES:
        for word in first_words(path):
            match = KIND.match(word)
            if match and (match[2] or (path.name == "keys.py" and match[1] == word)):
                found.add(match[1])
    return found - INDEXES


def test_no_key_without_a_word_of_its_own_is_forgotten():
    """Such as are put together from a kind's name or another key have that one's word."""
    tree = ast.parse((ROOT / "chalicelib" / "store" / "keys.py").read_text(encoding="utf-8"))
    found = {
        function.name
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.FormattedValue)
        if not re.match(
            r"[A-Z_]+$|(consents_of|pairs|excuses_from)\(|text\(issuer\)", ast.unparse(node.values[0].value)
        )
    }
    assert found == set(LOOSE)


def rows(name):
    return dict(ROW.findall((ROOT / "infra" / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["PERSONS.md", "PERSONS.zh-CN.md"])
def test_each_kind_of_item_is_exported_or_it_is_said_why_not(name):
    table = rows(name)
    assert set(table) == kinds()
    for kind, said in table.items():
        files = re.findall(r"`data/(\w+)\.json`", said)
        assert set(files) <= set(SECTIONS), kind
        assert files or said.startswith(("no: ", "否：")), kind


def test_both_languages_and_the_archive_agree_on_what_is_in_it():
    english, chinese = (
        {kind: re.findall(r"`data/\w+\.json`", said) for kind, said in rows(name).items()}
        for name in ("PERSONS.md", "PERSONS.zh-CN.md")
    )
    assert english == chinese
    named = {file for files in english.values() for file in files}
    assert named == {f"`data/{section}.json`" for section in SECTIONS}
