"""Deploying as an operator does: templates and code through a bucket, a stack created or updated, and waited for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.rehearse.ministack import OPERATOR, REGION, Emulator

CODE_BUCKET = "imaging-cloud-rehearsal-code"
FUNCTION_SECONDS = 900  # Lambda's longest
STACK_SECONDS = 180


class NotDeployedError(RuntimeError):
    """A stack did not come to stand; the message names what failed."""


class FunctionFailedError(RuntimeError):
    """A function that was invoked answered with an error."""


@dataclass(frozen=True)
class Account:
    """The emulated account, as its operator sees it."""

    emulator: Emulator
    client: Callable[[str], Any]


def account(emulator: Emulator) -> Account:
    return Account(emulator, clients(emulator.endpoint, str(emulator.certificate), OPERATOR))


def clients(endpoint: str, certificate: str, keys: Mapping[str, str]) -> Callable[[str], Any]:
    """Clients by service name, each made once, with those keys. `certificate`: the file of the one that is trusted."""
    session = boto3.session.Session(
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        aws_session_token=keys.get("session_token"),
        region_name=REGION,
    )
    config = Config(
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 1},
        read_timeout=FUNCTION_SECONDS,
        max_pool_connections=16,
        proxies={},
    )
    make: Any = session.client  # the stubs know every service by literal name only

    @cache
    def client(service: str) -> Any:
        chosen = config.merge(Config(signature_version="s3v4")) if service == "s3" else config
        return make(service, endpoint_url=endpoint, verify=certificate, config=chosen)

    return client


def put_code(here: Account, package: Path) -> None:
    """`deployment.zip` into the operator's bucket, under the key that the template names."""
    here.client("s3").create_bucket(Bucket=CODE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    put(here, (package / "code-key").read_text(encoding="utf-8"), (package / "deployment.zip").read_bytes())


def put(here: Account, key: str, body: bytes) -> None:
    """Into the operator's bucket."""
    here.client("s3").put_object(Bucket=CODE_BUCKET, Key=key, Body=body)


def deploy(here: Account, stack: str, template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """Create the stack, or update it where it stands; its outputs. NotDeployedError."""
    key = f"{stack}.json"
    put(here, key, json.dumps(template).encode())
    cloudformation = here.client("cloudformation")
    asked = {
        "StackName": stack,
        "TemplateURL": f"{here.emulator.endpoint}/{CODE_BUCKET}/{key}",
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    if _status(cloudformation, stack):
        cloudformation.update_stack(**asked)
    else:
        cloudformation.create_stack(**asked)
    return _await(cloudformation, stack)


def _status(cloudformation: Any, stack: str) -> str:
    """Empty when there is no such stack."""
    try:
        return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except ClientError:
        return ""


def _await(cloudformation: Any, stack: str) -> dict[str, str]:
    give_up = time.monotonic() + STACK_SECONDS
    while (status := _status(cloudformation, stack)).endswith("_IN_PROGRESS") and time.monotonic() < give_up:
        time.sleep(0.3)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [
            f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', '')}"
            for one in events
            if one["ResourceStatus"].endswith("_FAILED")
        ]
        raise NotDeployedError(f"{stack} is {status}: " + "; ".join(failed[:5]))
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    return {one["OutputKey"]: one["OutputValue"] for one in outputs}


def invoke(here: Account, function: str, event: Any) -> Any:
    """Run a function and wait for its answer. FunctionFailedError."""
    answer = here.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    body = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise FunctionFailedError(f"{function}: {(body or {}).get('errorType', 'failed')}")
    return body
