"""Nothing that the China partition lacks is needed there, in any template or policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local import template
from tests.support.made_of import ELSEWHERE, made_of
from tests.support.partitions import FORBIDDEN_ACTIONS, LACKING, needed_in_vain

ROOT = Path(__file__).parents[3]
# app-merge.yaml is no template by itself: tests/rehearsal/test_app_template.py asks the same of what it is merged into.
TEMPLATES = sorted(path.name for path in (ROOT / "infra").glob("*.yaml") if path.name != "app-merge.yaml")


def of_one(kind, **properties):
    return {"Resources": {"It": {"Type": kind, "Properties": properties}}}


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_needs_what_china_lacks(name):
    assert needed_in_vain(template.load(ROOT / "infra" / name)) == []


def test_no_function_may_do_what_china_lacks():
    policies = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / ".chalice").glob("policy-*.json")}
    assert policies
    assert [name for name, text in policies.items() if FORBIDDEN_ACTIONS.search(text)] == []


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (of_one("AWS::Cognito::UserPool"), "user pools"),
        (of_one("AWS::Lambda::Function", TracingConfig={"Mode": "Active"}), "X-Ray"),
        (of_one("AWS::Lambda::Function", SnapStart={"ApplyOn": "PublishedVersions"}), "SnapStart"),
        (of_one("AWS::ApiGateway::RestApi", EndpointConfiguration={"Types": ["EDGE"]}), "edge-optimised"),
        (of_one("AWS::ApiGateway::DomainName", DomainName="x.cn"), "ICP"),
        (of_one("AWS::SNS::Subscription", Protocol="sms"), "SMS"),
        (of_one("AWS::WAFv2::WebACL", Scope="CLOUDFRONT"), "web ACL"),
        (of_one("AWS::CloudFront::OriginAccessControl", OriginAccessControlConfig={"Name": "x"}), "origin access"),
        (of_one("AWS::CloudFront::Distribution", DistributionConfig={"X": [{"CachePolicyId": "x"}]}), "cache"),
        (of_one("AWS::IAM::Policy", PolicyDocument={"Action": ["sqs:StartMessageMoveTask"]}), "an action"),
        (of_one("AWS::CloudFront::Function"), "outside the China regions"),
    ],
)
def test_what_china_lacks_is_found(given, what):
    assert any(what in one for one in needed_in_vain(given))


def test_what_is_made_elsewhere_only_is_not_needed():
    given = of_one("AWS::Cognito::UserPool") | {
        "Conditions": {"Elsewhere": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws-cn"]}]}}
    }
    given["Resources"]["It"]["Condition"] = "Elsewhere"
    assert needed_in_vain(given) == []
    assert "It" in made_of(given, ELSEWHERE)


def test_each_thing_that_is_lacking_says_how_we_know():
    assert [one.what for one in LACKING if not one.source] == []
