"""The one place where the rehearsal departs from the templates: what MiniStack reads otherwise than AWS. It changes
only what is deployed here, and says what.

- `aws:PrincipalArn` of a role's session is the session's ARN there, and the role's at AWS: each role that a condition
  names is named in both forms. Nothing is weakened.
- A key of a request that the engine does not know counts as absent. A Deny that depends on such a key is left out and
  told: as it stands it would either never refuse, or refuse everything ("Null": true, "…NotEquals"). An Allow that
  depends on one stays and allows nothing here, but for `kms:ResourceAliases`: there the key is named itself.
- MiniStack asks for `sqs:SendMessageBatch` where AWS asks for `sqs:SendMessage`: who may do the one may do the other.
  Of many versions deleted at once it asks for `s3:DeleteObject` on the first: who may delete versions may do that too.
- It knows no association and no log of a web ACL and no selection of a backup plan: they are left out and told,
  as is an alarm over more than one metric.
- An origin access identity is a user there, and a canonical user in the templates: it is named so.
- Its CloudFront goes to no name of AWS: `near` sends it to the API's stand-in on loopback.
- Choices by a condition inside of policies are made before, by the parameters that it is deployed with.
- It reads an API's binary media types from the resource's property, and not from its document, where they are.
- A queue's function runs at most twice at a time (AWS's least ceiling): MiniStack starts a process for each, at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any

# What MiniStack 1.5.33 knows of a request (core/iam_evaluator.py, core/iam_actions.py), in lower case.
KNOWN = re.compile(
    r"aws:(principal(arn|account|type|orgid|tag/.+)|currenttime|epochtime|requestedregion|securetransport|sourceip"
    r"|source(arn|account)|tagkeys|(request|resource)tag/.+|resourceaccount|userid|username)"
    r"|s3:(resourceaccount|prefix|delimiter|max-keys|x-amz-server-side-encryption|x-amz-acl|x-amz-grant-.+"
    r"|existingobjecttag/.+)|dynamodb:(attributes|select|enclosingoperation)"
)

ALIASES = "kms:ResourceAliases"
# The functions' stack is given the keys' ARNs under these names.
KEYS_BY_ALIAS = {"alias/imaging-cloud-mac": "MacKeyId", "alias/imaging-cloud-data": "DataKeyArn"}

BATCHES = {"sqs:SendMessage": "sqs:SendMessageBatch", "sqs:DeleteMessage": "sqs:DeleteMessageBatch"}
CEILING = 2
BINARY_TYPES = "x-amazon-apigateway-binary-media-types"
UNKNOWN_KINDS = frozenset(
    {"AWS::Backup::BackupSelection", "AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACLAssociation"}
)


def near(template: dict[str, Any], port: int, *, china: bool = False) -> dict[str, Any]:
    """infra/front.yaml with the API's origin at another port; its host is a parameter. `china`: as it is in China's
    partition, which MiniStack has not; beside the other, in a bucket of its own."""
    changed = deepcopy(template)
    if china:
        changed["Conditions"]["InChina"] = {"Fn::Equals": ["", ""]}
        changed["Resources"]["PagesBucket"]["Properties"]["BucketName"] = "imaging-cloud-pages-china"
    for origin in changed["Resources"]["Front"]["Properties"]["DistributionConfig"]["Origins"]:
        if "CustomOriginConfig" in origin:
            origin["CustomOriginConfig"]["HTTPSPort"] = port
    return changed


def rehearsable(
    template: dict[str, Any], chosen: Mapping[str, str] = MappingProxyType({})
) -> tuple[dict[str, Any], list[str]]:
    """The template as MiniStack can judge it, and a line for each part left out: `Resource.Sid: keys` or its type.
    `chosen`: the parameters that are not at their default."""
    changed = deepcopy(template)
    for _, document in _documents(changed):
        _choose(document, changed, chosen)
    resources = changed["Resources"]
    unmade = [logical for logical, one in resources.items() if one["Type"] in UNKNOWN_KINDS or _is_math(one)]
    told = [f"{logical}: {_why(resources.pop(logical))}" for logical in unmade]
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            resource["Properties"]["ScalingConfig"] = {"MaximumConcurrency": CEILING}
        elif resource["Type"] == "AWS::ApiGateway::RestApi":
            resource["Properties"]["BinaryMediaTypes"] = resource["Properties"]["Body"][BINARY_TYPES]
    for logical, document in _documents(changed):
        kept = []
        for statement in document["Statement"]:
            _name_identity(statement)
            _name_keys(statement)
            _name_batches(statement)
            _name_deletes(statement)
            unknown = sorted(key for key in _keys(statement) if not KNOWN.fullmatch(key.lower()))
            if unknown and statement["Effect"] == "Deny":
                told.append(f"{logical}.{statement.get('Sid', '?')}: {', '.join(unknown)}")
                continue
            _name_sessions(statement, changed)
            kept.append(statement)
        document["Statement"] = kept
    return changed, told


def _why(resource: dict[str, Any]) -> str:
    return f"{resource['Type']}, over more than one metric" if _is_math(resource) else str(resource["Type"])


def _is_math(resource: dict[str, Any]) -> bool:
    return resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]


def _documents(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Policies of buckets, queues, topics and roles."""
    for logical, resource in template["Resources"].items():
        if document := resource.get("Properties", {}).get("PolicyDocument"):
            yield logical, document


def _choose(value: Any, template: dict[str, Any], chosen: Mapping[str, str]) -> Any:
    """The part of a policy that stands with these parameters, in place; None for nothing."""
    if isinstance(value, list):
        value[:] = [found for one in value if (found := _choose(one, template, chosen)) is not None]
    elif isinstance(value, dict) and list(value) == ["Fn::If"]:
        condition, yes, no = value["Fn::If"]
        one, other = template["Conditions"][condition]["Fn::Equals"]
        parameter = one["Ref"]
        is_on = chosen.get(parameter, template["Parameters"][parameter].get("Default")) == other
        return _choose(yes if is_on else no, template, chosen)
    elif isinstance(value, dict):
        for key in list(value):
            value[key] = _choose(value[key], template, chosen)
            if value[key] is None:
                del value[key]
        return None if value == {"Ref": "AWS::NoValue"} else value
    return value


def _keys(statement: dict[str, Any]) -> set[str]:
    return {key for block in statement.get("Condition", {}).values() for key in block}


def _name_identity(statement: dict[str, Any]) -> None:
    principal = statement.get("Principal")
    if isinstance(principal, dict) and "CanonicalUser" in principal:
        identity = principal["CanonicalUser"]["Fn::GetAtt"][0]
        user = f"arn:${{AWS::Partition}}:iam::cloudfront:user/CloudFront Origin Access Identity ${{{identity}}}"
        statement["Principal"] = {"AWS": {"Fn::Sub": user}}


def _name_keys(statement: dict[str, Any]) -> None:
    """A key is allowed by its alias, for its id is not known beforehand: here it is."""
    conditions = statement.get("Condition", {})
    for operator, block in list(conditions.items()):
        if (alias := block.get(ALIASES)) in KEYS_BY_ALIAS:
            statement["Resource"] = {"Ref": KEYS_BY_ALIAS[alias]}
            del block[ALIASES]
            if not block:
                del conditions[operator]
    if not conditions:
        statement.pop("Condition", None)


def _name_batches(statement: dict[str, Any]) -> None:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    statement["Action"] = [*actions, *(BATCHES[one] for one in actions if one in BATCHES)]


def _name_deletes(statement: dict[str, Any]) -> None:
    if statement["Effect"] == "Allow" and "s3:DeleteObjectVersion" in statement["Action"]:
        statement["Action"].append("s3:DeleteObject")


def _name_sessions(statement: dict[str, Any], template: dict[str, Any]) -> None:
    for block in statement.get("Condition", {}).values():
        for key in [one for one in block if one.lower() == "aws:principalarn"]:
            named = block[key] if isinstance(block[key], list) else [block[key]]
            block[key] = [*named, *(_session(one, template) for one in named)]


def _session(role: Any, template: dict[str, Any]) -> Any:
    """`arn:…:sts::…:assumed-role/name/*` of a role's ARN, however the template spells it."""
    start = "arn:${AWS::Partition}:sts::${AWS::AccountId}:assumed-role/"
    if isinstance(role, dict) and "Fn::GetAtt" in role:
        properties = template["Resources"][role["Fn::GetAtt"][0]]["Properties"]
        name = properties["RoleName"]["Fn::Sub"]
    elif isinstance(role, dict) and "Ref" in role:  # a parameter: its name is what follows the first `role/`
        after = {"Fn::Select": [1, {"Fn::Split": [":role/", role]}]}
        return {"Fn::Sub": [f"{start}${{Name}}/*", {"Name": after}]}
    else:
        name = role["Fn::Sub"].split(":role/", 1)[1]
    return {"Fn::Sub": f"{start}{name}/*"}
