"""The threat model names tests that exist, and says the same in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("infra/THREATS.md", "infra/THREATS.zh-CN.md")
PARTS = {PAGES[0]: ("Reaches", "Stopped by", "Tested", "Remains"), PAGES[1]: ("能触及", "被什么挡住", "测试", "仍存在")}


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def named(page):
    return re.findall(r"`(test_\w+)`", page)


def sections(name):
    """By heading: the lines of its four parts."""
    parts = re.split(r"^## ", text(name), flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: re.findall(r"^- \*\*(.+?)[:：]\*\* *(.+)$", part, re.MULTILINE) for part in parts}


@pytest.fixture(scope="module")
def tests():
    found = set()
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_test_it_names_exists(page, tests):
    assert named(text(page))
    assert sorted(set(named(text(page))) - tests) == []


@pytest.mark.parametrize("page", PAGES)
def test_each_attacker_is_told_in_four_parts_and_tested(page):
    told = sections(page)
    assert len(told) == 9
    for who, parts in told.items():
        assert tuple(name for name, _ in parts) == PARTS[page], who
        assert named(dict(parts)[PARTS[page][2]]), who


def test_both_languages_name_the_same_tests_in_the_same_order():
    english, chinese = (named(text(page)) for page in PAGES)
    assert english == chinese


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", text(page))
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []
