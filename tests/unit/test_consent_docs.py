"""The pages on permission say what the code does, in both languages."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from chalicelib.domain.access import Basis
from chalicelib.domain.assisted import ASSISTED_LIFE, FRESH, PAIR_THRESHOLD, WRONG_CARDS
from chalicelib.domain.break_glass import BREAK_GLASS_DAY, BREAK_GLASS_MONTH, BREAK_GLASS_RULES, REVIEW_LIFE
from chalicelib.domain.code import CODE_LIFE, SENDS, WRONG_QR_PER_DOCTOR
from chalicelib.domain.consent import CONSENT_LIVES
from chalicelib.domain.guardian import DOCUMENTS, WAIT
from chalicelib.domain.qr import QR_LIFE
from chalicelib.domain.request import REQUEST_LIFE
from chalicelib.http.role_table import ROUTES

ROOT = Path(__file__).parents[2]
HOUR = timedelta(hours=1)


@pytest.fixture(params=["CONSENT.md", "CONSENT.zh-CN.md"])
def page(request):
    return (ROOT / "infra" / request.param).read_text(encoding="utf-8")


def test_every_basis_stands_there_with_its_lives(page):
    told = {}
    for basis, usual, most in re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE):
        told[basis] = tuple(re.sub(r"\D", "", cell) for cell in (usual, most))
    assert set(told) == set(get_args(Basis))
    for basis, life in CONSENT_LIVES.items():
        assert told[basis] == (str(life.usual // HOUR), str(life.longest // HOUR)), basis


def test_every_document_stands_in_its_row(page):
    rows = re.findall(r"^\|[^|`]*\|((?: `\w+`)+) \|", page, re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", row)) for row in rows] == [DOCUMENTS["minor"], DOCUMENTS["incapacity"]]


def test_the_numbers_are_those_of_the_code(page):
    numbers = re.sub(r"(?<=\d) +|eleventh|第十一", lambda found: "11" if found.group().strip() else "", page)
    for life, unit in ((CODE_LIFE, 60), (QR_LIFE, 1), (REQUEST_LIFE, 3600), (WAIT, 3600)):
        assert re.search(rf"(?<!\d){int(life.total_seconds() // unit)}(?!\d)", numbers)
    assert SENDS.count == 3
    assert WRONG_QR_PER_DOCTOR.count + 1 == 11
    assert "11" in numbers


def test_each_rule_of_emergencies_stands_there_with_what_it_opens(page):
    rows = re.findall(r"^\| `(\w+)` \| (yes|no|是|否) \|", page, re.MULTILINE)
    told = {name: opens in ("yes", "是") for name, opens in rows}
    assert told == {name: rule.opens for name, rule in BREAK_GLASS_RULES.items()}


def test_the_numbers_of_witnesses_and_emergencies_are_those_of_the_code(page):
    of_witnesses, of_emergencies = re.split(r"^## .*\n", page, flags=re.MULTILINE)[-3:-1]
    for number in (FRESH.seconds, ASSISTED_LIFE.seconds // 60, PAIR_THRESHOLD, WRONG_CARDS.count):
        assert re.search(rf"(?<!\d){number}(?!\d)", of_witnesses), number
    hours = CONSENT_LIVES["break_glass"].longest // HOUR, REVIEW_LIFE // HOUR
    for number in (*hours, BREAK_GLASS_DAY.count, BREAK_GLASS_MONTH.count):
        assert re.search(rf"(?<!\d){number}(?!\d)", of_emergencies), number


def test_routes_and_tests_that_it_names_exist(page):
    for method, path in re.findall(r"`(GET|POST) (/[^`]*)`", page):
        assert (method, path) in ROUTES
    for name in re.findall(r"`(?:tests/[\w/]+/)?(test_\w+\.py)`", page):
        assert list((ROOT / "tests").rglob(name)), name
