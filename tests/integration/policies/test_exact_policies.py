"""Each function may do what it does, and nothing else: .chalice/policy-*.json beside the calls of every path.

What is missing fails in the other tests too, at the call (tests/integration/conftest.py); what is too much, here.
"""

from __future__ import annotations

import json
import re
from urllib.parse import unquote, urlsplit

import pytest

import app
from infra.local import template
from infra.local.provision import ACCOUNT_ID, REGION
from tests.support import every_path, function_policies, needs, platform_needs, recorder
from tests.support.deployed import PSEUDO
from tests.support.function_policies import Permission, listed
from tests.support.needs import PARTITION, Need
from tests.support.served_app import jwks_url

__all__ = ["jwks_url"]

FUNCTIONS = sorted(function_policies.CONFIG["lambda_functions"])
SIGNER, UPLOADER = "signer", "uploader"
SIGNED = re.compile(r'https?://[^"\s]+X-Amz-Signature=[0-9a-f]{64}')
PAIRS = (("ingest", "ingest_single"), ("notices", "notices_single"))


@pytest.fixture(scope="module")
def played(tmp_path_factory, jwks_url):
    """All calls, and what the API said to its callers."""
    with recorder.watch() as calls:
        said = every_path.play(tmp_path_factory.mktemp("paths"), jwks_url)
    return calls, said


@pytest.fixture(scope="module")
def needed(played):
    """What each function asks for, and what its callers ask for with the URLs it signed."""
    calls, said = played
    found = {name: set(platform_needs.of(name)) for name in FUNCTIONS}
    for call in calls:
        found[call.function] |= needs.of(call)
    urls = {url for body in said for url in SIGNED.findall(body.decode("utf-8", errors="replace"))}
    puts = {url for url in urls if "X-Amz-SignedHeaders=host&" not in url}
    return {**found, SIGNER: set(map(_of_url, urls - puts)), UPLOADER: set(map(_of_put, puts))}


def _of_url(url):
    action = "s3:GetObjectVersion" if "versionId=" in url else "s3:GetObject"
    return Need(action, _place_of(url))


def _of_put(url):
    """With headers that are signed."""
    return Need("s3:PutObject", _place_of(url))


def _place_of(url):
    """At AWS the bucket stands in the host's name."""
    parts = urlsplit(url)
    bucket, key = parts.netloc.partition(".")[0], parts.path.removeprefix("/")
    return f"{PARTITION}:s3:::{bucket}/{unquote(key)}"


@pytest.fixture(scope="module")
def data():
    """data.yaml as it is deployed where these calls go, with the one function that may destroy."""
    body = template.load()
    pseudo = {**PSEUDO, "AWS::AccountId": ACCOUNT_ID, "AWS::Region": REGION}
    defaults = {name: str(one["Default"]) for name, one in body["Parameters"].items()}
    stack = template.Stack(body, {**defaults, "Disposal": "on"}, pseudo, {})
    for logical, one in body["Resources"].items():
        properties = one.get("Properties", {})
        name = next((properties[key] for key in ("BucketName", "RoleName", "TableName") if key in properties), logical)
        stack.physical[logical] = stack.resolve(name)
    return stack


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_policy_allows_what_its_function_does_and_nothing_else(needed, function):
    allowed = function_policies.of(function)
    assert function_policies.missing(needed[function], allowed) == []
    assert function_policies.unused(needed[function], allowed) == []


def test_every_function_of_app_was_played(needed):
    triggers = {source.name for source in app.app.event_sources}
    assert triggers | {one.name for one in app.app.pure_lambda_functions} | {recorder.API} == set(FUNCTIONS)
    done = {name for name in FUNCTIONS if needed[name] - platform_needs.of(name)}
    assert done == set(FUNCTIONS)


def test_what_a_policy_lacks_or_has_too_much_is_seen(needed):
    """In each function: any permission taken away is missed, any other added is too much."""
    other = Permission("Other", "dynamodb:Scan", f"{PARTITION}:dynamodb:*")
    for function in FUNCTIONS:
        allowed = function_policies.of(function)
        assert function_policies.unused(needed[function], (*allowed, other)) == [other]
        for one in allowed:
            left = tuple(kept for kept in allowed if kept != one)
            assert function_policies.missing(needed[function], left), f"{function} can do without {one}"


@pytest.mark.parametrize(("function", "single"), PAIRS)
def test_what_failed_in_a_batch_may_do_alone_what_it_may_in_the_batch(function, single):
    def but_for_its_own(name):
        own = {(one.action, one.resource) for one in platform_needs.of(name)}
        return {
            (one.action, one.resource)
            for one in function_policies.of(name)
            if not any(one.covers(Need(*need)) for need in own)
        }

    assert but_for_its_own(function) == but_for_its_own(single)


def test_a_wildcard_stands_only_where_names_are_truly_open():
    """At the end of a prefix, of a bucket that holds one kind of thing, or of a name that AWS ends itself."""
    ends = re.compile(
        r"(:s3:::imaging-cloud-(uploads|reports|audit-archive|access-logs)-[0-9]+-[a-z0-9-]+/[a-z]+/"
        r"|:s3:::imaging-cloud-quarantine-[0-9]+-[a-z0-9-]+/|:log-group:/aws/lambda/imaging-cloud-app-[A-Za-z]+-"
        r"|:secret:imaging-cloud/sms-|:kms:[a-z0-9-]+:[0-9]+:key/)\*"
    )
    for function in FUNCTIONS:
        for one in function_policies.of(function):
            if "*" in one.resource and not one.all_but and not ends.search(one.resource):
                assert (one.action, one.resource) == ("cloudwatch:GetMetricData", "*"), f"{function}: {one}"


def test_a_key_is_allowed_by_its_alias_and_by_nothing_else():
    for path in sorted((function_policies.ROOT / ".chalice").glob("policy-*.json")):
        for one in json.loads(path.read_text(encoding="utf-8"))["Statement"]:
            if any(action.startswith("kms:") for action in listed(one["Action"])):
                alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": function_policies.MAC}}
                assert one["Condition"] == alias, path.name
            else:
                assert "Condition" not in one, f"{path.name}: what it means is not looked at here"


def _allowed(data, role):
    """Without what is through S3 only: the key that an encrypted object's GET or PUT asks for besides."""
    (policy,) = [
        one["PolicyDocument"]
        for one in data.resources("AWS::IAM::Policy").values()
        if one["Roles"] == [data.physical[role]]
    ]
    statements = [{"Sid": "", **statement} for statement in policy["Statement"]]
    found = function_policies.permissions({"Statement": statements})
    return tuple(one for one in found if not one.action.startswith("kms:"))


def test_a_signed_url_can_do_what_signed_urls_are_made_for_and_nothing_else(needed, data):
    allowed = _allowed(data, "SignerRole")
    assert needed[SIGNER]
    assert function_policies.missing(needed[SIGNER], allowed) == []
    assert function_policies.unused(needed[SIGNER], allowed) == []


def test_a_signed_put_can_do_what_a_hospitals_own_keys_can(needed, data):
    """Which can put in parts too."""
    allowed = _allowed(data, "UploaderRole")
    assert needed[UPLOADER]
    assert function_policies.missing(needed[UPLOADER], allowed) == []
    assert {one.action for one in allowed if one.action != "s3:PutObject"} == {
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    }


def test_buckets_make_exceptions_for_those_who_do_it_and_for_nobody_else(needed, data):
    """Every refusal of a bucket that names roles names exactly those that do what it refuses to others."""
    roles = {name: data.resolve({"Fn::GetAtt": [_role(name), "Arn"]}) for name in needed}
    looked_at = 0
    for logical, bucket in data.resources("AWS::S3::BucketPolicy").items():
        for statement in bucket["PolicyDocument"]["Statement"]:
            named = listed(statement.get("Condition", {}).get("ArnNotLike", {}).get("aws:PrincipalArn", []))
            if not named:
                continue
            looked_at += 1
            refused = function_policies.permissions({"Statement": [statement]})
            doing = {roles[name] for name, asked in needed.items() if set(_covered(refused, asked))}
            functions = {arn for arn in named if arn in roles.values()}
            assert functions == doing, f"{logical}.{statement['Sid']}"
            assert all("auditor" in arn for arn in set(named) - functions), "people verify, functions do the rest"
    assert looked_at >= 6


def _covered(permissions, asked):
    return [need for need in asked for one in permissions if one.covers(need)]


def _role(function):
    if function in (SIGNER, UPLOADER):
        return f"{function.title()}Role"
    return f"{platform_needs.logical(function).replace('API', 'Api')}Role"
