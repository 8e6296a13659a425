"""What CloudFormation would make of a template: its conditions decided, what they leave out left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CHINA = {"AWS::Partition": "aws-cn", "AWS::Region": "cn-north-1", "AWS::URLSuffix": "amazonaws.com.cn"}
ELSEWHERE = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::URLSuffix": "amazonaws.com"}
_NOTHING = object()


def made_of(template: Mapping[str, Any], pseudo: Mapping[str, str], **parameters: str) -> dict[str, Any]:
    """The resources that would stand, by logical id, every Fn::If decided. Parameters left out have their defaults."""
    given = {name: one["Default"] for name, one in template.get("Parameters", {}).items() if "Default" in one}
    return _Decided(template, {**given, **parameters, **pseudo}).resources()


class _Decided:
    def __init__(self, template: Mapping[str, Any], values: Mapping[str, str]) -> None:
        self._template, self._values = template, values

    def resources(self) -> dict[str, Any]:
        return {
            logical: self._chosen(resource)
            for logical, resource in self._template["Resources"].items()
            if "Condition" not in resource or self._named(resource["Condition"])
        }

    def _named(self, name: str) -> bool:
        return self._holds(self._template["Conditions"][name])

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return self._named(argument)
            case "Fn::Equals":
                left, right = (self._values[one["Ref"]] if isinstance(one, dict) else one for one in argument)
                return bool(left == right)
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(self._holds(one) for one in argument)
            case "Fn::Or":
                return any(self._holds(one) for one in argument)
        raise NotImplementedError(function)

    def _chosen(self, value: Any) -> Any:
        if isinstance(value, list):
            return [kept for one in value if (kept := self._chosen(one)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if value == {"Ref": "AWS::NoValue"}:
            return _NOTHING
        if set(value) == {"Fn::If"}:
            name, yes, no = value["Fn::If"]
            return self._chosen(yes if self._named(name) else no)
        return {key: kept for key, one in value.items() if (kept := self._chosen(one)) is not _NOTHING}
