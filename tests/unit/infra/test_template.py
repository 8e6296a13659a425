from __future__ import annotations

import pytest

from infra.local import template
from infra.local.__main__ import language
from infra.local.cloud import PortTakenError, free_port
from infra.local.personas import LOGINS, PATIENT, national_id


@pytest.fixture
def stack() -> template.Stack:
    body = {
        "Parameters": {"Name": {"Type": "String"}, "Many": {"Type": "CommaDelimitedList"}},
        "Mappings": {"Delay": {"60": {"Seconds": 75}}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "q-${Name}"}}},
            "Bucket": {"Type": "AWS::S3::Bucket"},
        },
        "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
    }
    pseudo = {"AWS::Partition": "aws-cn", "AWS::Region": "cn-north-1", "AWS::AccountId": "1"}
    physical = {"Queue": "https://sqs/1/q-n", "Bucket": "b"}
    return template.Stack(body, {"Name": "n", "Many": "a, b"}, pseudo, physical)


@pytest.mark.parametrize(
    ("value", "comes_to"),
    [
        ({"Ref": "Name"}, "n"),
        ({"Ref": "Many"}, ["a", "b"]),
        ({"Ref": "AWS::Region"}, "cn-north-1"),
        ({"Ref": "Queue"}, "https://sqs/1/q-n"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:aws-cn:sqs:cn-north-1:1:q-n"),
        ({"Fn::GetAtt": ["Queue", "QueueName"]}, "q-n"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws-cn:s3:::b"),
        ({"Fn::Sub": "${Bucket.Arn}/*"}, "arn:aws-cn:s3:::b/*"),
        ({"Fn::Sub": ["${X}-${Name}", {"X": {"Ref": "Bucket"}}]}, "b-n"),
        ({"Fn::FindInMap": ["Delay", "60", "Seconds"]}, 75),
        ({"a": [{"Ref": "Name"}, 1]}, {"a": ["n", 1]}),
    ],
)
def test_intrinsic_functions_come_to_what_cloudformation_makes_of_them(stack, value, comes_to) -> None:
    assert stack.resolve(value) == comes_to


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Fn::Equals": [{"Ref": "Name"}, "n"]}, True),
        ({"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, "n"]}]}, False),
        ({"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Condition": "Named"}]}, True),
    ],
)
def test_a_condition_chooses_values_properties_and_resources(stack, condition, holds) -> None:
    body = dict(stack.template)
    body["Conditions"] = {"Named": {"Fn::Equals": [{"Ref": "Name"}, "n"]}, "Asked": condition}
    nothing = {"Ref": "AWS::NoValue"}
    properties = {"A": {"Fn::If": ["Asked", {"Ref": "Name"}, nothing]}, "B": [{"Fn::If": ["Asked", nothing, "b"]}]}
    topic = {"Type": "AWS::SNS::Topic", "Condition": "Asked", "Properties": properties}
    body["Resources"] = {**stack.template["Resources"], "Topic": topic, "Other": {**topic, "Condition": "Named"}}
    asked = template.Stack(body, stack.parameters, stack.pseudo, stack.physical).resources("AWS::SNS::Topic")
    assert ("Topic" in asked) == holds
    assert asked["Other"] == ({"A": "n", "B": []} if holds else {"B": ["b"]})


def test_a_condition_not_taught_yet_is_told(stack) -> None:
    body = {**stack.template, "Conditions": {"Both": {"Fn::And": []}}}
    with pytest.raises(NotImplementedError, match="Fn::And"):
        template.Stack(body, stack.parameters, stack.pseudo, {}).resolve({"Fn::If": ["Both", 1, 2]})


def test_a_function_not_taught_yet_is_told(stack) -> None:
    with pytest.raises(NotImplementedError, match="Fn::Split"):
        stack.resolve({"Fn::Split": [",", "a"]})


def test_resources_and_outputs_are_resolved(stack) -> None:
    assert stack.resources("AWS::SQS::Queue") == {"Queue": {"QueueName": "q-n"}}
    assert stack.outputs() == {"Url": "https://sqs/1/q-n"}


def test_any_free_port_is_found_and_a_forbidden_one_told() -> None:
    assert free_port(0, "API", "PORT") > 0
    with pytest.raises((PortTakenError, OverflowError)):
        free_port(70000, "API", "PORT")


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({}, "en"),
    ],
)
def test_the_story_speaks_as_the_terminal_does(environment, spoken) -> None:
    assert language(environment) == spoken


def test_the_demo_patients_id_has_a_right_check_digit() -> None:
    assert national_id("110105", "1949-12-31", "002") == "11010519491231002X"  # the standard's own example
    assert len(PATIENT.national_id) == 18


def test_each_login_name_is_given_once() -> None:
    assert len({login.name for login in LOGINS}) == len(LOGINS)
