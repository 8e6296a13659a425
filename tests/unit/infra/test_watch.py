"""infra/watch.yaml: each alarm and each picture is of a figure that exists, and nothing that can fail is unwatched."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from chalice.app import ScheduledEventConfig

import app
from chalicelib.domain.access import Basis
from chalicelib.domain.metrics import METRICS, NAMESPACE, SERVICE
from infra.local import template
from tests.support.taggable import component, untagged

ROOT = Path(__file__).parents[3]
WATCH = template.load(ROOT / "infra/watch.yaml")
DATA = template.load()
MERGE = template.load(ROOT / "infra/app-merge.yaml")
FUNCTIONS = json.loads((ROOT / ".chalice/config.json").read_text(encoding="utf-8"))["lambda_functions"]
ALARMS = {
    one["Properties"]["AlarmName"]: one["Properties"]
    for one in WATCH["Resources"].values()
    if one["Type"] == "AWS::CloudWatch::Alarm"
}
BODY = WATCH["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
WIDGETS = json.loads(BODY)["widgets"]
QUEUES = {
    one["Properties"]["QueueName"]: one["Properties"]
    for one in DATA["Resources"].values()
    if one["Type"] == "AWS::SQS::Queue"
}
DEAD = {name for name in QUEUES if "-dead" in name}
TABLES = {one["Properties"]["TableName"] for one in DATA["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table"}
# What AWS itself measures, by its documentation, and by which dimensions.
OF_AWS = {
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): {"QueueName"},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Lambda", "Throttles"): {"FunctionName"},
    ("AWS/Lambda", "ConcurrentExecutions"): {"FunctionName"},
    ("AWS/DynamoDB", "ReadThrottleEvents"): {"TableName"},
    ("AWS/DynamoDB", "WriteThrottleEvents"): {"TableName"},
    ("AWS/ApiGateway", "Count"): {"ApiName", "Stage"},
    ("AWS/ApiGateway", "4XXError"): {"ApiName", "Stage"},
    ("AWS/ApiGateway", "5XXError"): {"ApiName", "Stage"},
    ("AWS/ApiGateway", "Latency"): {"ApiName", "Stage"},
    ("AWS/WAFV2", "BlockedRequests"): {"WebACL", "Region", "Rule"},
}
STATISTICS = {"Sum", "Maximum", "SampleCount", "p50", "p99"}


def watched(alarm):
    """(namespace, metric, dimensions) of each figure that an alarm looks at."""
    if "Metrics" not in alarm:
        return [(alarm["Namespace"], alarm["MetricName"], dimensions(alarm["Dimensions"]))]
    stats = [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]
    return [(one["Namespace"], one["MetricName"], dimensions(one["Dimensions"])) for one in stats]


def dimensions(given):
    return {one["Name"]: one["Value"] for one in given}


def drawn():
    """(namespace, metric, dimensions, options) of each figure on the dashboard."""
    for widget in WIDGETS:
        for line in widget["properties"].get("metrics", []):
            if isinstance(line[0], str):
                options = line[-1] if isinstance(line[-1], dict) else {}
                names = line[2:-1] if options else line[2:]
                yield line[0], line[1], dict(zip(names[::2], names[1::2], strict=True)), options


def everything():
    return [one for alarm in ALARMS.values() for one in watched(alarm)] + [one[:3] for one in drawn()]


def values_of(dimension):
    return {str(found[dimension]) for _, _, found in everything() if dimension in found}


def exists(namespace, metric, by):
    if namespace != NAMESPACE:
        return OF_AWS.get((namespace, metric)) == set(by)
    known = next((one for one in METRICS if one.name == metric), None)
    sets = [set(), *map(set, known.dimensions)] if known else []
    return by.get("service") == SERVICE and set(by) - {"service"} in sets


def test_there_are_alarms_and_pictures():
    assert len(ALARMS) > 30
    assert len(list(drawn())) > 60


def test_every_figure_that_is_watched_or_drawn_is_one_that_is_emitted():
    assert [one for one in everything() if not exists(*one)] == []


def test_every_metric_of_ours_is_drawn():
    searched = {name for widget in WIDGETS for name in re.findall(r'MetricName=\\"(\w+)', json.dumps(widget))}
    assert {metric.name for metric in METRICS} - {name for _, name, _, _ in drawn()} - searched == set()


def test_words_of_dimensions_are_words_that_are_emitted():
    assert values_of("Basis") == set(Basis.__args__) - {"self"}
    assert values_of("Kind") == {"instances", "archives", "notices"}
    assert values_of("Outcome") == {"given", "denied", "refused", "opened", "sent", "late", "nobody", "failed"}


def test_queues_tables_and_the_api_exist():
    assert values_of("QueueName") == set(QUEUES)
    assert values_of("TableName") == TABLES
    assert values_of("ApiName") == {app.app.app_name}
    stages = json.loads((ROOT / ".chalice/config.json").read_text(encoding="utf-8"))["stages"]
    assert values_of("Stage") == {stages["prod"]["api_gateway_stage"]}
    assert values_of("WebACL") == {MERGE["Resources"]["WebAcl"]["Properties"]["VisibilityConfig"]["MetricName"]}


def test_every_function_is_named_by_an_output_of_its_stack_and_drawn():
    names = {"".join(part.capitalize() for part in name.split("_")) + "Name" for name in FUNCTIONS}
    assert names <= set(MERGE["Outputs"])
    assert set(WATCH["Parameters"]) == {"AlarmsTopicArn"} | names
    errors = {by["FunctionName"] for namespace, metric, by, _ in drawn() if metric == "Errors"}
    assert errors == {f"${{{name}}}" for name in names}


def alarms_of(metric):
    return [
        (alarm, found)
        for alarm in ALARMS.values()
        for namespace, name, found in watched(alarm)
        if name == metric and namespace in ("AWS/SQS", "AWS/Lambda", NAMESPACE)
    ]


def test_every_queue_of_work_has_an_alarm_on_its_oldest_event_before_anything_is_lost():
    ages = {found["QueueName"]: alarm["Threshold"] for alarm, found in alarms_of("ApproximateAgeOfOldestMessage")}
    assert set(ages) == set(QUEUES) - DEAD
    assert all(threshold < QUEUES[name]["MessageRetentionPeriod"] / 10 for name, threshold in ages.items())


def test_one_dead_letter_is_enough_for_an_alarm():
    found = {found["QueueName"]: alarm for alarm, found in alarms_of("ApproximateNumberOfMessagesVisible")}
    assert set(found) == DEAD
    assert {alarm["Threshold"] for alarm in found.values()} == {0}


def test_every_function_behind_a_queue_has_an_alarm_on_its_crashes():
    behind = {source.name for source in app.app.event_sources if not isinstance(source, ScheduledEventConfig)}
    names = {"".join(part.capitalize() for part in name.split("_")) + "Name" for name in behind}
    assert {found["FunctionName"]["Ref"] for _, found in alarms_of("Errors")} == names


# What each schedule says when it has run; silence is the alarm.
SPEAKS = {
    "sweep": "SweepDone",
    "reconcile": "FedAgain",
    "report": "Reported",
    "seal": "SealedHours",
    "check_reads": "ReadsChecked",
}


def test_every_schedule_that_does_not_speak_is_an_alarm():
    assert set(SPEAKS) == {one.name for one in app.app.event_sources if isinstance(one, ScheduledEventConfig)}
    silent = {
        name
        for alarm in ALARMS.values()
        if alarm["TreatMissingData"] == "breaching"
        for _, name, _ in watched(alarm)
        if (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    }
    assert silent == set(SPEAKS.values())


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_somebody_and_says_what_silence_means(name):
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmsTopicArn"}]
    heartbeat = name.endswith("-missing")
    assert alarm["TreatMissingData"] == ("breaching" if heartbeat else "notBreaching")
    period = alarm.get("Period") or next(one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one)
    longest = 7 * 86400 if period >= 3600 else 86400  # CloudWatch refuses more
    assert period * alarm["EvaluationPeriods"] <= longest
    assert alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]
    assert len(alarm.get("Metrics", ())) <= 10
    assert alarm.get("Statistic") or alarm.get("ExtendedStatistic") or alarm["Metrics"]


@pytest.mark.parametrize("name", [name for name, alarm in ALARMS.items() if "Metrics" in alarm])
def test_an_expression_uses_each_figure_it_is_given_and_no_other(name):
    first, *figures = ALARMS[name]["Metrics"]
    ids = {one["Id"] for one in figures}
    assert {one["ReturnData"] for one in figures} == {False}
    assert len({one["MetricStat"]["Period"] for one in figures}) == 1
    used = set(re.findall(r"\b[a-z]\w*\b", first["Expression"]))
    assert used == ids or (not used and "METRICS()" in first["Expression"])
    assert "SEARCH" not in first["Expression"], "alarms refuse it"


def test_no_alarm_needs_what_china_lacks():
    written = (ROOT / "infra/watch.yaml").read_text(encoding="utf-8")
    assert re.findall(r"ANOMALY|XRay|X-Ray|arn:aws:|amazonaws|Composite|INSIGHT|us-east|cn-north", written) == []


def test_widgets_fill_the_grid_and_none_lies_over_another():
    cells = set()
    for one in WIDGETS:
        here = {
            (x, y) for x in range(one["x"], one["x"] + one["width"]) for y in range(one["y"], one["y"] + one["height"])
        }
        assert one["x"] + one["width"] <= 24
        assert not cells & here
        cells |= here
    assert len(cells) == 24 * (max(y for _, y in cells) + 1), "no holes either"


@pytest.mark.parametrize(
    "widget", [one for one in WIDGETS if one["type"] == "metric"], ids=lambda one: one["properties"]["title"]
)
def test_a_picture_says_what_it_is_in_both_languages_and_of_where(widget):
    properties = widget["properties"]
    assert re.search(r"[A-Za-z]", properties["title"])
    assert re.search(r"[\u4e00-\u9fff]", properties["title"])
    assert properties["region"] == "${AWS::Region}"
    for line in properties["metrics"]:
        options = line[-1] if isinstance(line[-1], dict) else {}
        assert "expression" in options or options.get("stat") in STATISTICS


def test_each_row_begins_with_a_question_in_both_languages():
    questions = [one["properties"]["markdown"] for one in WIDGETS if one["type"] == "text"][1:]
    assert len(questions) >= 8
    assert all(re.fullmatch(r"## [A-Z][^?]+\? [^？]+？", one) for one in questions)


def test_the_dashboard_shows_every_alarms_state():
    (states,) = [one["properties"]["alarms"] for one in WIDGETS if one["type"] == "alarm"]
    assert [one.rpartition(":")[2] for one in states] == list(ALARMS)
    assert len(states) <= 100


def test_what_a_line_on_a_picture_says_is_an_alarms_threshold():
    lines = [line for widget in WIDGETS for line in widget["properties"].get("annotations", {}).get("horizontal", [])]
    assert lines
    assert [one for one in lines if ALARMS[f"imaging-cloud-{one['label']}"]["Threshold"] != one["value"]] == []


def test_everything_that_can_be_tagged_says_what_its_cost_is_for():
    assert untagged(WATCH) == []
    assert untagged(DATA) == []
    found = {component(one) for one in DATA["Resources"].values()} - {""}
    assert found >= {"uploads", "journal", "main", "audit", "queues"}, "what the bill is mostly made of"


def test_what_has_no_tag_is_told():
    bare = {"Type": "AWS::SQS::Queue", "Properties": {"Tags": [{"Key": "system", "Value": "x"}]}}
    policy = {"Type": "AWS::SQS::QueuePolicy", "Properties": {}}
    assert untagged({"Resources": {"Bare": bare, "Policy": policy}}) == ["Bare"]


@pytest.mark.parametrize("guide", ["infra/README.md", "infra/RUNBOOK.md"])
def test_each_deployment_tags_its_stack_with_system_and_stage(guide):
    commands = re.findall(r"aws cloudformation deploy (?:.*\\\n)*.*", (ROOT / guide).read_text(encoding="utf-8"))
    assert commands
    assert [one for one in commands if '--tags system=imaging-cloud stage="$STAGE"' not in one] == []


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
def test_cfn_lint_finds_nothing(region):
    command = [str(Path(sys.executable).parent / "cfn-lint"), "-r", region, "--", str(ROOT / "infra/watch.yaml")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - of our environment
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
