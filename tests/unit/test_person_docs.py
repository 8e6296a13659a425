"""The pages on persons say what the code does, in both languages."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.domain.code import EXPORTS, PHONE_NOTICES
from chalicelib.domain.export import EXPORT_KEPT
from chalicelib.domain.identity import PHONE_LIFE
from chalicelib.domain.phone import PAIR_WINDOW, PHONE_RULES, PHONE_WAIT, WITNESS_AGE
from chalicelib.http.role_table import ROUTES

ROOT = Path(__file__).parents[2]
PAGES = ("PERSONS.md", "PERSONS.zh-CN.md")


@pytest.fixture(params=PAGES)
def page(request):
    return (ROOT / "infra" / request.param).read_text(encoding="utf-8")


def test_every_rule_of_a_phone_stands_in_the_table(page):
    assert re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE) == list(PHONE_RULES)


def test_the_numbers_are_those_of_the_code(page):
    hour, day = timedelta(hours=1), timedelta(days=1)
    for number, unit in (
        (PHONE_WAIT // hour, "h|小时"),
        (EXPORT_KEPT // hour, "h|小时"),
        (PAIR_WINDOW // day, "days are|天内的最初"),
        (WITNESS_AGE // day, "days \\||天的号码"),
        (PHONE_LIFE // day // 30, "months|个月"),
    ):
        assert re.search(rf"{number} ?({unit})", page), (number, unit)
    assert (PHONE_NOTICES.count, EXPORTS.count) == (5, 3)  # in words: five, three
    assert re.search("five times a|每天最多五次", page)
    assert re.search("three a day|每天最多三次", page)


def test_every_route_named_exists(page):
    named = set(re.findall(r"`((?:GET|POST) /[^`]*)`", page))
    assert named <= {f"{method} {path}" for method, path in ROUTES}
    assert len(named) >= 10


def test_every_file_named_exists(page):
    for name in re.findall(r"`((?:tests|chalicelib)/[\w/]+\.py)`", page):
        assert (ROOT / name).exists(), name


def test_both_languages_have_the_same_shape():
    texts = [(ROOT / "infra" / name).read_text(encoding="utf-8") for name in PAGES]
    shapes = [(re.findall(r"^#+ ", text, re.MULTILINE), text.count("\n|"), text.count("\n- ")) for text in texts]
    assert shapes[0] == shapes[1]
