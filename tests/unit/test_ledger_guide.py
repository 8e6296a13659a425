"""The guide to the ledger is tested against the rules and words that it explains."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from chalicelib.domain import hospital_day, outage, warning
from chalicelib.domain.deadline import GAP
from chalicelib.domain.exam import ExamKey, Facts, Standing
from chalicelib.domain.exam_end import FLAGS
from chalicelib.domain.flag import LISTED, VERDICTS, FlagState
from chalicelib.domain.ledger import derive
from chalicelib.domain.rule import RULES
from chalicelib.services.sweep_due import PATIENCE
from tests.support.ledger_world import MINUTE, NOON, notice

ROOT = Path(__file__).parents[2]
GUIDES = ("infra/LEDGER.md", "infra/LEDGER.zh-CN.md")

pytestmark = pytest.mark.parametrize("guide", GUIDES)


def text(guide):
    return (ROOT / guide).read_text(encoding="utf-8")


def tables(guide):
    """For each heading of the second level with a table: its rows, the first cell without its quotes."""
    found = []
    for section in re.split(r"^## ", text(guide), flags=re.MULTILINE)[1:]:
        rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
        found.append({cells[0].strip("`"): " ".join(cells[1:]) for cells in rows})
    return [table for table in found if table]


def test_every_standing_rule_and_state_is_explained_and_nothing_else(guide):
    standings, rules, states = tables(guide)
    assert set(standings) == {*get_args(Standing), *FLAGS}
    assert set(rules) == {rule.name for rule in RULES}
    assert set(states) == set(get_args(FlagState))
    assert all(f"`{verdict}`" in states["closed"] for verdict in VERDICTS)


def test_every_rule_is_told_with_its_own_figures(guide):
    rules = tables(guide)[1]
    for rule in RULES:
        numbers = {int(number) for number in re.findall(r"\d+", rules[rule.name])}
        assert numbers == {rule.limit, *([rule.least] if rule.least > 1 else [])}, rule.name


def test_every_limit_is_the_one_that_holds(guide):
    told = text(guide)
    for number in (LISTED, warning.LISTED, outage.LONGEST.days, GAP // MINUTE, PATIENCE // MINUTE):
        assert re.search(rf"(?<!\d){number}(?!\d)", told), number


def test_the_words_for_what_is_learnt_are_the_table_that_holds(guide):
    words = {8: ("eight", "八"), 4: ("four", "四")}
    for number in (hospital_day.LEARNT_FROM, hospital_day.LEARNT_LEAST):
        assert any(word in text(guide) for word in words[number])


def test_the_example_is_what_is_sent(guide):
    (example,) = [json.loads(body) for body in re.findall(r"```json\n(.*?)```", text(guide), re.DOTALL)]
    key = ExamKey("H1", "CT20261120001")
    (exam,) = derive(key, Facts((notice(accession_number=key.accession, declared_instances=300),)), (), NOON.tzinfo)
    sent = json.loads(json.dumps(warning.message("H1", [exam])))
    assert sent == example | {"exams": [example["exams"][0] | {"received": 0}]}
