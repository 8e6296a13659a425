"""The cloud of `infra/data.yaml` on a moto endpoint: create the stack, then apply from the same template what moto's
CloudFormation skips, and answer with the functions' settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from infra.local import skipped, template

REGION = "cn-north-1"
STACK_NAME = "imaging-cloud-data"
# moto knows this account; the credentials open nothing anywhere else.
ACCOUNT_ID = "123456789012"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local-only"}

# moto's CloudFormation warns about these types at every look at the stack; skipped.py sets them all the same.
UNKNOWN_TO_MOTO = {"AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"}


@dataclass(frozen=True)
class Cloud:
    """A provisioned cloud. `settings` is the functions' environment, `outputs` all outputs of the data stack,
    `mended` what moto had skipped (`Logical.aspect`)."""

    stack: template.Stack
    client: Callable[[str], Any]
    settings: Mapping[str, str]
    mended: tuple[str, ...]

    @property
    def outputs(self) -> dict[str, str]:
        return self.stack.outputs()


def clients(
    endpoint_url: str | None = None, region: str = REGION, keys: Mapping[str, str] | None = None
) -> Callable[[str], Any]:
    """Clients by service name, each made once. No endpoint means moto in this process, no keys its own."""
    session = boto3.session.Session(
        aws_access_key_id=keys["access_key_id"] if keys else CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["secret_access_key"] if keys else CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=region,
    )
    config = Config(s3={"addressing_style": "path"}, signature_version="v4", retries={"total_max_attempts": 1})
    s3_config = config.merge(Config(signature_version="s3v4"))

    @cache
    def client(service: str) -> Any:
        chosen = s3_config if service == "s3" else config
        make: Any = session.client  # the stubs know every service by literal name only
        return make(service, endpoint_url=endpoint_url, config=chosen)

    return client


def provision(client: Callable[[str], Any], parameters: Mapping[str, str], settings: Mapping[str, str]) -> Cloud:
    """Create everything. `parameters` are the data stack's, `settings` the functions' settings that no stack holds."""
    body = template.load()
    stack = _create(client, body, parameters)
    mended = [*_keys(stack, client("kms")), *skipped.apply_all(stack, client)]
    return Cloud(stack, client, {**outputs_as_settings(stack), **settings}, tuple(mended))


def outputs_as_settings(stack: template.Stack) -> dict[str, str]:
    """Outputs described by an environment variable's name, as that variable."""
    described = stack.template["Outputs"].items()
    values = stack.outputs()
    return {
        output["Description"]: values[name]
        for name, output in described
        if re.fullmatch("[A-Z_]+", output["Description"])
    }


def _create(client: Callable[[str], Any], body: dict[str, Any], parameters: Mapping[str, str]) -> template.Stack:
    cloudformation = client("cloudformation")
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateBody=json.dumps(_what_moto_knows(body)),
        Parameters=given,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    listed = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    defaults = {name: str(one["Default"]) for name, one in body["Parameters"].items()}
    region = cloudformation.meta.region_name
    china = region.startswith("cn-")
    pseudo = {
        "AWS::AccountId": client("sts").get_caller_identity()["Account"],
        "AWS::Region": region,
        "AWS::Partition": cloudformation.meta.partition,
        "AWS::URLSuffix": "amazonaws.com.cn" if china else "amazonaws.com",
        "AWS::StackName": STACK_NAME,
    }
    # What its condition left out, moto lists without any id.
    physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed if "LogicalResourceId" in one}
    return template.Stack(body, {**defaults, **parameters}, pseudo, physical)


def _what_moto_knows(body: dict[str, Any]) -> dict[str, Any]:
    """Without tags: moto stumbles over those of keys, and nobody pays here."""
    known = {
        logical: {
            **{name: value for name, value in resource.items() if name != "DependsOn"},
            "Properties": {name: value for name, value in resource.get("Properties", {}).items() if name != "Tags"},
        }
        for logical, resource in body["Resources"].items()
        if resource["Type"] not in UNKNOWN_TO_MOTO
    }
    return {**body, "Resources": known}


def _keys(stack: template.Stack, kms: Any) -> list[str]:
    """Give keys their policies, make by API those that CloudFormation made of another kind, point the aliases there."""
    made = []
    for logical, properties in stack.resources("AWS::KMS::Key").items():
        spec, policy = properties.get("KeySpec", "SYMMETRIC_DEFAULT"), json.dumps(properties["KeyPolicy"])
        # moto's CloudFormation keeps the policy in a form its own API cannot read.
        kms.put_key_policy(KeyId=stack.physical[logical], PolicyName="default", Policy=policy)
        if kms.describe_key(KeyId=stack.physical[logical])["KeyMetadata"]["KeySpec"] == spec:
            continue
        key = kms.create_key(
            KeySpec=spec,
            KeyUsage=properties["KeyUsage"],
            Description=properties["Description"],
            Policy=policy,
        )["KeyMetadata"]
        stack.physical[logical] = key["KeyId"]
        made.append(f"{logical}.spec")
    standing = {one["AliasName"]: one.get("TargetKeyId") for one in kms.list_aliases()["Aliases"]}
    for logical, properties in stack.resources("AWS::KMS::Alias").items():
        if standing.get(properties["AliasName"]) == properties["TargetKeyId"]:
            continue
        point = kms.update_alias if properties["AliasName"] in standing else kms.create_alias
        point(AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])
        made.append(f"{logical}.target")
    return made
