"""The documentation is tested: what exists stands in it, and both languages keep step."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from chalicelib.http.role_table import ROUTES
from infra import tiers
from infra.local import template

ROOT = Path(__file__).parents[2]
PAIRS = [
    ("README.md", "README.zh-CN.md"),
    ("infra/README.md", "infra/README.zh-CN.md"),
    ("infra/LEDGER.md", "infra/LEDGER.zh-CN.md"),
    ("infra/NOTICES.md", "infra/NOTICES.zh-CN.md"),
    ("infra/hospital/README.md", "infra/hospital/README.zh-CN.md"),
    ("infra/AUDIT.md", "infra/AUDIT.zh-CN.md"),
    ("infra/RUNBOOK.md", "infra/RUNBOOK.zh-CN.md"),
    ("infra/JOINING.md", "infra/JOINING.zh-CN.md"),
    ("infra/QUARANTINE.md", "infra/QUARANTINE.zh-CN.md"),
    ("infra/REPORTS.md", "infra/REPORTS.zh-CN.md"),
    ("infra/RECEIPTS.md", "infra/RECEIPTS.zh-CN.md"),
    ("infra/RETENTION.md", "infra/RETENTION.zh-CN.md"),
    ("infra/FHIR.md", "infra/FHIR.zh-CN.md"),
]
READMES = PAIRS[0]
GUIDES = PAIRS[1]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def make_targets():
    return re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE)


def triggers():
    tree = ast.parse(text("app.py"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]


def settings():
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "chalicelib/wiring").glob("*.py")))
    return sorted(set(re.findall(r'given\("([A-Z_]+)"', sources)))


def directories():
    """Tracked directories down to two levels below the root's."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - git as the machine has it
    folders = {Path(name).parent for name in listed.splitlines()} - {Path()}
    return sorted({str(Path(*folder.parts[:2])) for folder in folders if len(folder.parts) > 1 or folder.name})


def first_levels():
    return [name for name in directories() if name != "tests"]


@pytest.mark.parametrize("name", READMES)
def test_every_make_target_is_described(name):
    assert [target for target in make_targets() if f"`make {target}`" not in text(name)] == []


@pytest.mark.parametrize("name", READMES)
def test_every_route_is_described(name):
    told = set(re.findall(r"`((?:GET|POST|DELETE|PUT|PATCH) [^`]*)`", text(name)))
    assert told == {f"{method} {path}" for method, path in ROUTES}


@pytest.mark.parametrize("name", READMES)
def test_every_trigger_is_described(name):
    assert triggers()
    assert [trigger for trigger in triggers() if f"| `{trigger}` |" not in text(name)] == []


@pytest.mark.parametrize("name", READMES)
def test_every_setting_is_described(name):
    assert settings()
    told = re.findall(r"^\| `([A-Z_]+)` \|", text(name), re.MULTILINE)
    assert sorted(set(settings()) - set(told)) == []


@pytest.mark.parametrize("name", READMES)
def test_every_directory_is_on_the_map(name):
    assert [folder for folder in first_levels() if f"`{folder}/`" not in text(name)] == []


@pytest.mark.parametrize("name", GUIDES)
def test_every_resource_that_holds_state_and_every_parameter_is_in_the_guide(name):
    body = template.load()
    kinds = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SNS::Topic"}
    named = [logical for logical, one in body["Resources"].items() if one["Type"] in kinds]
    assert [one for one in [*named, *body["Parameters"]] if f"`{one}`" not in text(name)] == []


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_shape(english, chinese):
    assert _headings(text(english)) == _headings(text(chinese))


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_commands(english, chinese):
    def commands(name):
        return re.findall(r"```sh\n(.*?)```", text(name), re.DOTALL)

    assert commands(english) == commands(chinese)
    assert commands(english)


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_tables_of_the_same_length(english, chinese):
    assert text(english).count("\n|") == text(chinese).count("\n|")


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair])
def test_every_link_leads_somewhere(name):
    links = re.findall(r"\]\(([^)#:]+)\)", text(name))
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []


@pytest.mark.parametrize("name", ["infra/RETENTION.md", "infra/RETENTION.zh-CN.md"])
def test_the_cost_of_each_tier_is_told_as_it_is_computed(name):
    def figures(markdown):
        return re.findall(r"\| [\d.,]+(?= \|)", markdown)

    rows = [row for row in text(name).splitlines() if "KiB" in row or " MB" in row]
    assert figures("\n".join(row for row in rows if row.startswith("|"))) == figures(tiers.table(tiers.Prices()))


def test_every_setting_of_the_data_stack_is_an_output_described_by_its_name():
    described = {one["Description"] for one in template.load()["Outputs"].values()}
    by_hand = {"ISSUERS", "ORIGIN", "SMS_GATEWAY", "SMS_SECRET_ID", "SWEEP_GRACE_SECONDS"}
    assert set(settings()) - by_hand <= described


def _headings(markdown):
    """Levels of the headings, code blocks left out."""
    prose = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]
