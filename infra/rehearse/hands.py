"""What the rehearsal's steps have in hand: the cloud that stands, its roles, and an act that must be refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from infra.local.client import expect
from infra.local.story import Stage
from infra.rehearse import cloud, deploy
from infra.rehearse.ministack import ACCOUNT_ID, REGION


def standing(stage: Stage) -> cloud.Rehearsed:
    rehearsed: cloud.Rehearsed = stage.kept["rehearsed"]
    return rehearsed


def uploads(stage: Stage) -> str:
    """That of uploads."""
    return str(stage.client.told["buckets"]["uploads"])


def role(name: str) -> str:
    """A function's, by its name with hyphens."""
    return f"imaging-cloud-{name}-{REGION}"


def arn(role_name: str) -> str:
    return f"arn:{cloud.PARTITION}:iam::{ACCOUNT_ID}:role/{role_name}"


def acting_as(stage: Stage, role_name: str) -> Callable[[str], Any]:
    """Clients as a role: MiniStack lets the account's root take on a function's."""
    account = standing(stage).here
    made = account.client("sts").assume_role(RoleArn=arn(role_name), RoleSessionName="rehearsal")["Credentials"]
    return deploy.clients(account.emulator.endpoint, str(account.emulator.certificate), cloud.as_keys(made))


def refused(act: Callable[..., Any], *codes: str, **asked: Any) -> None:
    """`act` must be refused with one of these codes, for no other reason."""
    try:
        act(**asked)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        expect(code in (codes or ("AccessDenied",)), f"refused, but with {code}")
    else:
        expect(held=False, what=f"{asked.get('Key') or act} was not refused")
