"""`infra/data.yaml` as Python data: its tags, and what its intrinsic functions come to once the stack stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DATA_TEMPLATE = Path(__file__).resolve().parent.parent / "data.yaml"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: `!Sub x` becomes `{"Fn::Sub": x}`."""


def _construct(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type] # the third kind there is
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _construct)


def load(path: Path = DATA_TEMPLATE) -> dict[str, Any]:
    """The template with every tag as its long form."""
    template: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    return template


@dataclass(frozen=True)
class Stack:
    """A created stack: the template, and all that its intrinsic functions may name.

    `pseudo` are the `AWS::…` parameters, `physical` the resources' physical ids by logical id (not frozen: a key
    that had to be made anew replaces its id).
    """

    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    pseudo: Mapping[str, str]
    physical: dict[str, str]

    def resources(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Resolved properties by logical id, of what its condition lets be made."""
        return {
            logical: self.resolve(resource.get("Properties", {}))
            for logical, resource in self.template["Resources"].items()
            if resource["Type"] == resource_type and self._holds(resource.get("Condition"))
        }

    def outputs(self) -> dict[str, str]:
        return {name: str(self.resolve(output["Value"])) for name, output in self.template["Outputs"].items()}

    def resolve(self, value: Any) -> Any:
        """A value with Ref, GetAtt, Sub, FindInMap and If replaced by what they come to."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value if not self._nothing(item)]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        return {key: self.resolve(item) for key, item in value.items() if not self._nothing(item)}

    def _nothing(self, value: Any) -> bool:
        """Whether this is, or comes to, `AWS::NoValue`: then its property is not there."""
        if isinstance(value, dict) and list(value) == ["Fn::If"]:
            return self._nothing(self._chosen(value["Fn::If"]))
        return bool(value == {"Ref": "AWS::NoValue"})

    def _chosen(self, argument: list[Any]) -> Any:
        condition, yes, no = argument
        return yes if self._holds(condition) else no

    def _holds(self, condition: Any) -> bool:
        """A condition by its name, or its own words; None always holds."""
        if condition is None:
            return True
        if isinstance(condition, str):
            return self._holds(self.template["Conditions"][condition])
        ((name, argument),) = condition.items()
        match name:
            case "Condition":
                return self._holds(argument)
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::Or":
                return any(self._holds(one) for one in argument)
            case "Fn::Equals":
                first, second = self.resolve(argument)
                return bool(first == second)
        raise NotImplementedError(f"{name} is no condition of data.yaml so far: teach infra/local/template.py")

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Fn::GetAtt":
                return self._attribute(argument[0], argument[1])
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::FindInMap":
                table, first, second = self.resolve(argument)
                return self.template["Mappings"][table][first][second]
            case "Fn::If":
                return self.resolve(self._chosen(argument))
        raise NotImplementedError(f"{name} is not used by data.yaml so far: teach infra/local/template.py")

    def _ref(self, name: str) -> Any:
        if name.startswith("AWS::"):
            return self.pseudo[name]
        if name in self.physical:
            return self.physical[name]
        value = self.parameters[name]
        is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
        return [part.strip() for part in value.split(",")] if is_list else value

    def _sub(self, argument: Any) -> str:
        text, names = argument if isinstance(argument, list) else (argument, {})

        def replace(found: re.Match[str]) -> str:
            name = found.group(1)
            if name in names:
                return str(self.resolve(names[name]))
            resource, dot, attribute = name.partition(".")
            return str(self._attribute(resource, attribute) if dot else self._ref(name))

        return re.sub(r"\$\{([^}!]+)\}", replace, text)

    def _attribute(self, logical: str, attribute: str) -> str:
        physical = self.physical[logical]
        kind = self.template["Resources"][logical]["Type"], attribute
        start = f"arn:{self.pseudo['AWS::Partition']}"
        here = f"{self.pseudo['AWS::Region']}:{self.pseudo['AWS::AccountId']}"
        name = physical.rsplit("/", 1)[-1]
        return {
            ("AWS::S3::Bucket", "Arn"): f"{start}:s3:::{physical}",
            ("AWS::SQS::Queue", "Arn"): f"{start}:sqs:{here}:{name}",
            ("AWS::SQS::Queue", "QueueName"): name,
            ("AWS::DynamoDB::Table", "Arn"): f"{start}:dynamodb:{here}:table/{physical}",
            ("AWS::KMS::Key", "Arn"): f"{start}:kms:{here}:key/{physical}",
            ("AWS::IAM::Role", "Arn"): f"{start}:iam::{self.pseudo['AWS::AccountId']}:role/{physical}",
        }[kind]
