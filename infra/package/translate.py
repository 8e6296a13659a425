"""Chalice's SAM template as plain CloudFormation: no macro runs in the account, and what is deployed can be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from infra.package import accepted

# SAM would fill these in from the desk's region; each comes to itself instead and CloudFormation fills it in.
_LEFT_TO_CLOUDFORMATION = {name: {"Ref": name} for name in ("AWS::Region", "AWS::Partition")}


def plain(sam: Path, code_key: str) -> dict[str, Any]:
    """The template that `sam.yaml` comes to, its functions' code at `code_key` of the operator's bucket."""
    template: dict[str, Any] = yaml.safe_load(sam.read_text(encoding="utf-8"))
    _attach_policies(template["Resources"])
    for function in _functions(template["Resources"]):
        function["Properties"]["CodeUri"] = {"Bucket": {"Ref": "CodeBucket"}, "Key": code_key}
        function["Properties"].pop("Tracing")  # PassThrough is the default, and X-Ray is not everywhere
    for group in template["Resources"].values():
        if group["Type"] == "AWS::Logs::LogGroup":
            group["Properties"]["KmsKeyId"] = {"Ref": "DataKeyArn"}
    parameters = template.pop("Parameters")
    # SAM writes a default into the resources in place of the reference to it: it sees parameters without.
    template["Parameters"] = {name: {"Type": one["Type"]} for name, one in parameters.items()}
    translated: dict[str, Any] = Translator({}, Parser()).translate(template, dict(_LEFT_TO_CLOUDFORMATION))
    _tag(translated["Resources"])
    accepted.explain(translated["Resources"])
    return {**translated, "Description": "Imaging Cloud, the functions and their API.", "Parameters": parameters}


def _functions(resources: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in resources.values() if one["Type"] == "AWS::Serverless::Function"]


def _attach_policies(resources: dict[str, Any]) -> None:
    """The roles stand in data.yaml, where buckets can name them: what Chalice makes a role becomes its policy."""
    for function in _functions(resources):
        logical = function["Properties"]["Role"]["Fn::GetAtt"][0]
        stem = logical.removesuffix("Role")
        name = {"Fn::Sub": f"{role_stem(stem)}-${{AWS::Region}}"}
        (policy,) = resources.pop(logical)["Properties"]["Policies"]
        resources[f"{stem}Policy"] = {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "least", "PolicyDocument": policy["PolicyDocument"], "Roles": [name]},
        }
        if "Condition" in function:  # its role stands only then
            resources[f"{stem}Policy"]["Condition"] = function["Condition"]
        function["Properties"]["Role"] = {
            "Fn::Sub": f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name['Fn::Sub']}"
        }
        # A queue's mapping is refused while the role may not read the queue.
        function["DependsOn"] = [f"{stem}Policy"]


# Mappings of queues could be tagged too, but not in the China regions (docs.amazonaws.cn, Lambda, differences).
_TAGGED = {
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::Events::Rule",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::WAFv2::WebACL",
}


def _tag(resources: dict[str, Any]) -> None:
    """What a cost is for: the function that a resource belongs to, by its name's beginning; else the API."""
    functions = [name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"]
    for logical, resource in resources.items():
        if resource["Type"] in _TAGGED:
            of = max((name for name in functions if logical.startswith(name)), key=len, default="APIHandler")
            component = "api" if of == "APIHandler" else role_stem(of).removeprefix("imaging-cloud-")
            resource["Properties"].setdefault("Tags", []).append({"Key": "component", "Value": component})


def role_stem(logical: str) -> str:
    """`IngestSingle` → `imaging-cloud-ingest-single`: a role's name in data.yaml without its region."""
    return "imaging-cloud" + re.sub(r"[A-Z]", lambda found: "-" + found.group().lower(), logical)
