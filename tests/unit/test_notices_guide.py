"""The guide to notices is tested against the code that reads them."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path
from typing import get_args

import pytest

from chalicelib.domain import deadline, hints, ledger, notice, uses
from chalicelib.domain.exam import Standing
from chalicelib.domain.notice import BadNotice, ExamNotice, VisitNotice, parse
from chalicelib.domain.quarantine import REASONS
from chalicelib.services.record_notice import MAX_NOTICE

ROOT = Path(__file__).parents[2]
GUIDES = ("infra/NOTICES.md", "infra/NOTICES.zh-CN.md")
READERS = {"text", "choice", "instant", "number", "normal", "value", "inside", "has"}
OF_NOTICES = {"bad_notice", "notice_too_large", "empty", "deleted", "bad_key", "unknown_hospital", "hospital_closed"}


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def examples(name):
    return [json.loads(body) for body in re.findall(r"```json\n(.*?)```", text(name), re.DOTALL)]


def tables(name):
    """For each heading of the second level, the first cells of its table."""
    found = []
    for section in re.split(r"^## ", text(name), flags=re.MULTILINE)[1:]:
        cells = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| `")]
        found.append([cell.strip("`") for cell in cells])
    return [cells for cells in found if cells]


def read_by(function, *, prefix=""):
    """The fields that a function of the parser asks for."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(function))) if isinstance(node, ast.Call)]
    asked = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in READERS]
    return {prefix + call.args[0].value for call in asked if isinstance(call.args[0], ast.Constant)}


def fields():
    """The four tables of fields, as the parser has them."""
    kind = read_by(notice.parse)
    report = {f"report.{'resource.' if name == 'resourceType' else ''}{name}" for name in read_by(notice._report)}  # noqa: SLF001 - what the guide describes
    return [
        kind | read_by(notice._exam),  # noqa: SLF001 - as above
        kind | read_by(notice._visit),  # noqa: SLF001 - as above
        read_by(notice._patient, prefix="patient."),  # noqa: SLF001 - as above
        report,
    ]


@pytest.mark.parametrize("name", GUIDES)
def test_every_field_of_the_parser_is_described_and_no_other(name):
    exam, visit, patient, report, *_ = tables(name)
    assert [set(table) for table in (exam, visit, patient, report)] == fields()
    assert {"notice_id", "declared_instances"} < set(exam)


@pytest.mark.parametrize("name", GUIDES)
def test_every_standing_reason_of_quarantine_and_of_the_worklist_is_described(name):
    standings, quarantine, worklist = tables(name)[4:]
    assert set(standings) == set(get_args(Standing))
    assert set(quarantine) == OF_NOTICES <= set(REASONS)
    source = inspect.getsource(ledger._worklist)  # noqa: SLF001 - where the reasons are named
    assert set(worklist) == {hints.HINT} | set(re.findall(r'"((?:images|dates|patient|notice)_[a-z_]+)"', source))


@pytest.mark.parametrize("name", GUIDES)
def test_every_example_is_read(name):
    read = [parse(json.dumps(one, ensure_ascii=False).encode()) for one in examples(name)]
    assert {one.status for one in read if isinstance(one, ExamNotice)} == {"scheduled", "performed", "cancelled"}
    assert any(isinstance(one, VisitNotice) for one in read)
    assert any(isinstance(one, ExamNotice) and one.report for one in read)


@pytest.mark.parametrize("name", GUIDES)
def test_what_must_be_there_must(name):
    """Each row that says always: without it the notice is refused, by that name."""
    always = re.findall(r"^\| `([a-z_]+)` \| (?:always|是) \|", text(name), re.MULTILINE)
    assert len(always) == 10
    told = {"exam": examples(name)[0], "encounter": examples(name)[3]}
    for kind, field in [("exam", field) for field in always[:4]] + [("encounter", field) for field in always[4:]]:
        with pytest.raises(BadNotice) as bad:
            parse(json.dumps({key: value for key, value in told[kind].items() if key != field}).encode())
        assert bad.value.field == field


@pytest.mark.parametrize("name", GUIDES)
def test_the_figures_are_the_codes(name):
    assert f"{MAX_NOTICE // 1024**2} MiB" in text(name)
    assert f"{notice.MOST_INSTANCES:,}" in text(name)
    hours, minutes = deadline.DEADLINE.total_seconds() / 3600, deadline.GAP.total_seconds() / 60
    assert re.search(rf"\b{hours:.0f} (hours|小时)", text(name))
    assert re.search(rf"\b{minutes:.0f} (minutes|分钟)", text(name))
    assert re.search(rf"\b{uses.NEAR.days} (days|天)", text(name))
    assert re.search(rf"\b{deadline.OLD.days} (days|天)", text(name))


def test_both_languages_have_the_same_examples():
    assert examples(GUIDES[0]) == examples(GUIDES[1])
    assert len(examples(GUIDES[0])) == 5
