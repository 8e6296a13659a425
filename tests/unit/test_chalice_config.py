"""Each function has its own memory, timeout and least policy, and fits the queue that feeds it."""

import json
from pathlib import Path

import pytest
import yaml
from chalice.app import SQSEventConfig

import app
from tests.support.cloudformation import Loader

ROOT = Path(app.__file__).parent
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
FUNCTIONS = CONFIG["lambda_functions"]
POLICIES = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / ".chalice").glob("policy-*")}
RESOURCES = yaml.load((ROOT / "infra" / "data.yaml").read_text(encoding="utf-8"), Loader)["Resources"]  # noqa: S506 - ours
NO_TOPIC = {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}


def statements():
    return [(name, one) for name, policy in POLICIES.items() for one in policy["Statement"]]


def test_every_function_is_configured_and_nothing_else():
    triggers = {source.name for source in app.app.event_sources}
    by_hand = {function.name for function in app.app.pure_lambda_functions}
    assert set(FUNCTIONS) == {"api_handler"} | triggers | by_hand


def test_every_policy_is_some_functions_and_exists():
    assert {function["iam_policy_file"] for function in FUNCTIONS.values()} == set(POLICIES)


@pytest.mark.parametrize(
    ("name", "statement"), statements(), ids=lambda value: value if isinstance(value, str) else value["Sid"]
)
def test_a_policy_names_its_actions_and_its_partition(name, statement):
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    assert not any("*" in action for action in actions)
    assert "s3:DeleteObject" not in actions
    destroys = name == "policy-dispose.json" and statement["Sid"] in ("Destroy", "DestroyDerived")
    assert ("s3:DeleteObjectVersion" in actions) == destroys
    assert "arn:aws:" not in json.dumps(statement)
    if "NotResource" in statement:
        assert (actions, statement["NotResource"]) == (["sns:Publish"], NO_TOPIC), "numbers are no resources"
    if statement.get("Resource") == "*":
        assert all(action.startswith("cloudwatch:Get") for action in actions), "what has no resources of its own"


def test_only_the_api_may_become_the_signer_and_only_it_and_the_sender_know_the_gateways_secret():
    holders = {
        action: {name for name, one in statements() if action in json.dumps(one["Action"])}
        for action in ("sts:AssumeRole", "secretsmanager:GetSecretValue")
    }
    api, sender = "policy-api.json", "policy-send.json"
    assert holders == {"sts:AssumeRole": {api}, "secretsmanager:GetSecretValue": {api, sender}}
    assert not any(
        "s3:GetObject" in json.dumps(one["Action"]) and "uploads" in json.dumps(one["Resource"])
        for one in POLICIES["policy-api.json"]["Statement"]
    )


@pytest.mark.parametrize(
    "source", [one for one in app.app.event_sources if isinstance(one, SQSEventConfig)], ids=lambda one: one.name
)
def test_a_queue_hides_a_message_for_six_times_its_functions_timeout(source):
    queues = {one["Properties"].get("QueueName"): one["Properties"] for one in RESOURCES.values()}
    visible_again = queues[source.queue]["VisibilityTimeout"]
    timeout = FUNCTIONS[source.name]["lambda_timeout"]
    assert visible_again >= 6 * timeout, "AWS asks for it, or a batch is handed out twice while it is being done"


def test_the_api_answers_before_api_gateway_stops_waiting():
    assert FUNCTIONS["api_handler"]["lambda_timeout"] <= 29
