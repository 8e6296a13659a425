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
from chalicelib.http.access import ROUTES
from infra.local import template

ROOT = Path(__file__).parents[3]
BOOKS = ("infra/RUNBOOK.md", "infra/RUNBOOK.zh-CN.md")
DATA = template.load()
ALARMS = {
    one["Properties"]["AlarmName"].removeprefix("imaging-cloud-"): one["Properties"]["AlarmDescription"]
    for one in template.load(ROOT / "infra/watch.yaml")["Resources"].values()
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
    urgent = {"**Now.**": "**马上**", "**Today.**": "**当日**"}
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
    named |= {one for pair in re.findall(r"^back (\S+) (\S+)", written, re.MULTILINE) for one in pair}
    assert named <= queues
    functions = set(re.findall(r"^(?:said|run) (\w+)", written, re.MULTILINE))
    assert {f"{name}Name" for name in functions} <= set(outputs)
    assert set(re.findall(r"\$\(data (\w+)\)", written)) <= set(DATA["Outputs"])
    groups = set(re.findall(r'tail "([^"$]*)\$', written)) - {"/aws/lambda/"}
    merged = text("infra/app-merge.yaml")
    assert groups
    assert all(f'"{group}${{AWS::Region}}"' in merged for group in groups)


def test_dead_letters_go_back_to_where_they_came_from():
    policies = {
        one["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]: one["Properties"]["QueueName"]
        for one in DATA["Resources"].values()
        if one["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" in one["Properties"]
    }
    came = {DATA["Resources"][dead]["Properties"]["QueueName"]: queue for dead, queue in policies.items()}
    moves = dict(re.findall(r"^back (\S+) (\S+)", "\n".join(blocks()), re.MULTILINE))
    dead = {name: queue for name, queue in came.items() if "-dead" in name}
    assert moves == dead


STUB = """
left=$1; calls=$2
aws() {
  echo "$2 $*" >> "$calls"
  case "$2" in
    receive-message)
      body=$(head -n 1 "$left")
      if [ -n "$body" ]; then printf 'handle-%s\\t%s\\n' "$(wc -l < "$left")" "$body"; else echo None; fi ;;
    send-message) [ -z "$REFUSE" ] ;;
    delete-message) sed -i 1d "$left" ;;
  esac
}
"""


def moved(tmp_path, refuse=""):
    """The messages left behind, and the calls, after `back` over three of them."""
    left, calls = tmp_path / "left", tmp_path / "calls"
    left.write_text("".join(f'{{"key": "a b {number}", "n": "\\t"}}\n' for number in range(3)), encoding="utf-8")
    program = f"{STUB}\nREFUSE={refuse}\n{helpers()}\nback x-dead.fifo x.fifo\n"
    bash = shutil.which("bash")
    assert bash, "the helpers are for bash"
    subprocess.run([bash, "-c", program, "bash", str(left), str(calls)], check=False, capture_output=True)  # noqa: S603 - ours
    return left.read_text(encoding="utf-8"), calls.read_text(encoding="utf-8").splitlines()


def test_moving_back_empties_a_queue_each_message_as_it_was(tmp_path):
    left, calls = moved(tmp_path)
    sent = [call for call in calls if call.startswith("send-message")]
    assert left == ""
    assert [re.search(r"--message-body (\{.*?\})", call)[1] for call in sent] == [
        f'{{"key": "a b {number}", "n": "\\t"}}' for number in range(3)
    ]
    groups = [re.search(r"--message-group-id ([0-9a-f]{64}) --message-deduplication-id \1", call) for call in sent]
    assert all(groups)


def test_what_could_not_be_sent_is_not_deleted(tmp_path):
    left, calls = moved(tmp_path, refuse="1")
    assert left.count("\n") == 3
    assert not [call for call in calls if call.startswith("delete-message")]


def test_a_run_by_hand_is_an_event_that_a_schedules_trigger_takes():
    tick = json.loads(re.search(r"^TICK='(.*)'$", helpers(), re.MULTILINE)[1])
    assert CloudWatchEvent(tick, None).detail == {}
    assert CloudWatchEvent(tick, None).to_dict()["detail"] == {}
    (report,) = [line for line in lines() if line.startswith("run Report")]
    bash = shutil.which("bash")
    program = f'{helpers()}\nrun() {{ printf %s "$2"; }}\n{report}'
    told = subprocess.run([bash, "-c", f"aws() {{ :; }}\n{program}"], check=True, capture_output=True, text=True)  # noqa: S603 - ours
    assert json.loads(told.stdout)["detail"] == {"day": "2026-11-23"}
