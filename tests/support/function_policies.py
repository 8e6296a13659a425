"""The policies of .chalice/ as AWS would read them in the functions' stack, beside what is needed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from infra.local.provision import ACCOUNT_ID, REGION
from tests.support.needs import Need

ROOT = Path(__file__).parents[2]
STACK = "imaging-cloud-app"
PSEUDO = {"Partition": "aws-cn", "Region": REGION, "AccountId": ACCOUNT_ID, "StackName": STACK}
CONFIG = json.loads((ROOT / ".chalice/config.json").read_text(encoding="utf-8"))
MAC = "alias/imaging-cloud-mac"


@dataclass(frozen=True)
class Permission:
    """One action on one pattern of resources, or on all but it, by the statement that says so."""

    sid: str
    action: str
    resource: str
    all_but: bool = False

    def covers(self, need: Need) -> bool:
        return self.action == need.action and fnmatchcase(need.resource, self.resource) != self.all_but


@cache
def of(function: str) -> tuple[Permission, ...]:
    """All that a function may do. Resources are resolved; the key of an alias stays `key/*`, for one alias is named."""
    file = CONFIG["lambda_functions"][function]["iam_policy_file"]
    return permissions(json.loads((ROOT / ".chalice" / file).read_text(encoding="utf-8")))


def permissions(policy: Any) -> tuple[Permission, ...]:
    return tuple(
        Permission(statement["Sid"], action, resolved(resource), all_but=named == "NotResource")
        for statement in policy["Statement"]
        for action in listed(statement["Action"])
        for named in ("Resource", "NotResource")
        for resource in listed(statement.get(named, []))
    )


def resolved(resource: Any) -> str:
    text = resource["Fn::Sub"] if isinstance(resource, dict) else resource
    return re.sub(r"\$\{AWS::(\w+)\}", lambda found: PSEUDO[found.group(1)], text)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def missing(needs: set[Need], allowed: tuple[Permission, ...]) -> list[Need]:
    return sorted(need for need in needs if not any(one.covers(need) for one in allowed))


def unused(needs: set[Need], allowed: tuple[Permission, ...]) -> list[Permission]:
    return [one for one in allowed if not any(one.covers(need) for need in needs)]
