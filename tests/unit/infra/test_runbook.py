"""infra/RUNBOOK.md in both languages: an entry for each alarm, none without, and commands that exist."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import botocore.session
import pytest
from chalice.app import CloudWatchEvent

from chalicelib.domain.metrics import METRICS
from chalicelib.http.role_table import ROUTES
from infra import redrive
from infra.local import template

ROOT = Path(__file__).parents[3]
BOOKS = ("infra/RUNBOOK.md", "infra/RUNBOOK.zh-CN.md")
DATA = template.load()
ALARMS = {
    one["Properties"]["AlarmName"].removeprefix("imaging-cloud-"): one["Properties"]["AlarmDescription"]
    for name in ("watch", "keep")
    for one in template.load(ROOT / f"infra/{name}.yaml")["Resources"].values()
    if one["Type"] == "AWS::CloudWatch::Alarm"
}
OF_THE_CLI = {("logs", "tail"), ("cloudformation", "deploy"), ("s3", "ls"), ("s3", "cp")}  # beside the service's own


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def entries(name):
    """What stands under each heading of an alarm."""
    parts = re.split(r"^(?:### (\S+)|## .*)$", text(name), flags=re.MULTILINE)
    return {slug: body for slug, body in zip(parts[1::2], parts[2::2], strict=True) if slug}


def blocks(name=BOOKS[0]):
    return re.findall(r"```sh\n(.*?)```", text(name), re.DOTALL)


def helpers():
    return blocks()[0]


def lines():
    """The commands of the entries."""
    return [line for block in blocks()[2:] for line in block.splitlines()]


@pytest.mark.parametrize("name", BOOKS)
def test_every_alarm_has_an_entry_and_every_entry_an_alarm(name):
    assert list(entries(name)) == list(ALARMS)


@pytest.mark.parametrize("slug", ALARMS)
def test_an_alarm_says_in_both_languages_what_its_entry_says_and_leads_to_it(slug):
    told = ALARMS[slug]
    assert told.endswith(f" infra/RUNBOOK.md#{slug}")
    for name in BOOKS:
        said = re.match(r"\s*- (.*?) ?\*\*", entries(name)[slug])
        assert said
        assert said[1] in told
        assert len(re.findall(r"^- ", entries(name)[slug], re.MULTILINE)) == 3


@pytest.mark.parametrize("slug", ALARMS)
def test_both_languages_call_it_equally_urgent(slug):
    urgent = {"**Now.**": "**马上**", "**Today.**": "**当日**", "**This month.**": "**本月内**"}
    english, chinese = (entries(name)[slug] for name in BOOKS)
    assert [word for word in urgent if word in english and urgent[word] in chinese]


@pytest.mark.parametrize("name", BOOKS)
def test_an_entry_leads_only_to_entries(name):
    slugs = {word for body in entries(name).values() for word in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", body)}
    assert slugs <= set(ALARMS)


@pytest.mark.parametrize("name", BOOKS)
def test_routes_it_names_exist(name):
    told = {tuple(route.split()) for route in re.findall(r"`((?:GET|POST) /[^`]*)`", text(name))}
    assert told
    assert told <= set(ROUTES)


@pytest.mark.parametrize(("name", "language"), [(BOOKS[0], "en"), (BOOKS[1], "zh")])
def test_the_table_of_metrics_is_the_tables(name, language):
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", text(name), re.MULTILINE)
    by = {metric.name: "; ".join(" × ".join(names) for names in metric.dimensions) or "–" for metric in METRICS}
    assert rows == [(one.name, one.unit, by[one.name], getattr(one, language)) for one in METRICS]


def test_every_call_of_aws_exists():
    services = botocore.session.get_session()
    calls = set(re.findall(r"\baws ([a-z0-9]+) ([a-z0-9-]+)", "\n".join(blocks())))
    assert len(calls) > 10
    for service, operation in calls - OF_THE_CLI:
        known = services.get_service_model({"s3api": "s3"}.get(service, service)).operation_names
        assert operation.replace("-", "") in {one.lower() for one in known}, (service, operation)


def test_every_line_begins_with_a_helper_a_call_or_a_module():
    defined = set(re.findall(r"^(\w+)\(\)", helpers(), re.MULTILINE))
    for line in lines():
        first = re.sub(r"^(?:[A-Z_]+=(?:\$\([^)]*\)|\S+) )+", "", line).split()[0]
        assert first in defined | {"aws", "python"}, line
    for module in re.findall(r"python -m ([\w.]+)", "\n".join(lines())):
        assert importlib.util.find_spec(module), module


def test_queues_functions_and_outputs_that_it_names_exist():
    queues = {one["Properties"]["QueueName"] for one in DATA["Resources"].values() if one["Type"] == "AWS::SQS::Queue"}
    outputs = template.load(ROOT / "infra/app-merge.yaml")["Outputs"]
    written = "\n".join(blocks())
    named = set(re.findall(r"^(?:depth|first) (\S+)", written, re.MULTILINE))
    assert named <= queues
    functions = set(re.findall(r"^(?:said|run) (\w+)", written, re.MULTILINE))
    assert {f"{name}Name" for name in functions} <= set(outputs)
    assert set(re.findall(r"\$\(data (\w+)\)", written)) <= set(DATA["Outputs"])
    groups = set(re.findall(r'tail "([^"$]*)\$', written)) - {"/aws/lambda/"}
    merged = text("infra/app-merge.yaml")
    assert groups
    assert all(f'"{group}${{AWS::Region}}"' in merged for group in groups)


def test_all_dead_letters_but_those_of_schedules_are_put_back():
    queues = {one["Properties"].get("QueueName", "") for one in DATA["Resources"].values()}
    dead = {name.removeprefix(redrive.PREFIX) for name in queues if redrive.DEAD in name}
    for slug, body in entries(BOOKS[0]).items():
        back = re.findall(r"^python -m infra\.redrive (\S+)$", body, re.MULTILINE)
        expected = [slug] if slug.endswith(redrive.DEAD) and slug != redrive.NOT_REDRIVEN else []
        assert [name.removesuffix(".fifo") for name in back] == expected
    told = set(re.findall(r"^python -m infra\.redrive (\S+)$", text(BOOKS[0]), re.MULTILINE))
    assert told == dead - {redrive.NOT_REDRIVEN}


def test_a_run_by_hand_is_an_event_that_a_schedules_trigger_takes():
    tick = json.loads(re.search(r"^TICK='(.*)'$", helpers(), re.MULTILINE)[1])
    assert CloudWatchEvent(tick, None).detail == {}
    assert CloudWatchEvent(tick, None).to_dict()["detail"] == {}
    (report,) = [line for line in lines() if line.startswith("run Report")]
    bash = shutil.which("bash")
    program = f'{helpers()}\nrun() {{ printf %s "$2"; }}\n{report}'
    told = subprocess.run([bash, "-c", f"aws() {{ :; }}\n{program}"], check=True, capture_output=True, text=True)  # noqa: S603 - ours
    assert json.loads(told.stdout)["detail"] == {"day": "2026-11-23"}
