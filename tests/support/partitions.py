"""What the China partition has not, where we read it, and what of it a template would make there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.support.made_of import CHINA, made_of

REGIONS = ("cn-north-1", "cn-northwest-1")
_GUIDE = "docs.amazonaws.cn, Getting Started with Amazon Web Services in China: "


@dataclass(frozen=True)
class Lacking:
    """`kind` and `place` are patterns: of a resource's type, and of a property's path in it with its value."""

    what: str
    source: str
    kind: str
    place: str = ""


LACKING = (
    Lacking("user pools", _GUIDE + "Cognito has identity pools only", r"AWS::Cognito::(?!IdentityPool).*"),
    Lacking("X-Ray of functions", _GUIDE + "Lambda", r"AWS::(Lambda|Serverless)::Function", r"\.Tracing\w*\b.*Active"),
    Lacking("X-Ray", "as above; it is in Beijing only, if at all", r"AWS::XRay::.*"),
    Lacking("X-Ray", "as above", r"AWS::ApiGateway::Stage", r"\.TracingEnabled=true"),
    Lacking("function URLs", _GUIDE + "Lambda", r"AWS::Lambda::Url"),
    Lacking("SnapStart for Python", _GUIDE + "Lambda", r"AWS::Lambda::Function", r"\.SnapStart\b.*PublishedVersions"),
    Lacking("tags of mappings", _GUIDE + "Lambda", r"AWS::Lambda::EventSourceMapping", r"\.Tags\b"),
    Lacking("metrics of mappings", _GUIDE + "Lambda", r"AWS::Lambda::EventSourceMapping", r"\.MetricsConfig\b"),
    Lacking("provisioned mappings", _GUIDE + "Lambda", r"AWS::Lambda::EventSourceMapping", r"\.ProvisionedPoller"),
    Lacking("zips under a key of ours", _GUIDE + "Lambda", r"AWS::Lambda::Function", r"\.SourceKMSKeyArn"),
    Lacking("detection of loops", _GUIDE + "Lambda", r"AWS::Lambda::Function", r"\.RecursiveLoop"),
    Lacking("metrics of asynchronous calls", _GUIDE + "Lambda", r"AWS::CloudWatch::.*", r"\bAsyncEvent"),
    Lacking("edge-optimised APIs", _GUIDE + "API Gateway", r"AWS::ApiGateway::.*", r"\.EndpointConfiguration\b.*EDGE"),
    Lacking("authorizers of Cognito", _GUIDE + "API Gateway", r"AWS::ApiGateway.*", r"COGNITO_USER_POOLS|cognito_user"),
    # With an ICP filing of the account both exist: as the only way they are not to be had.
    Lacking("Lambda authorizers without ICP", _GUIDE + "API Gateway", r"AWS::ApiGateway::Authorizer"),
    Lacking("Lambda authorizers without ICP", _GUIDE + "API Gateway", r"AWS::ApiGateway::RestApi", r"y-authorizer"),
    Lacking("own names without ICP", _GUIDE + "API Gateway", r"AWS::ApiGateway::(DomainName|BasePathMapping)"),
    Lacking("SMS by SNS", _GUIDE + "SNS", r"AWS::SNS::Subscription", r'\.Protocol="sms"'),
    Lacking("protection of messages", _GUIDE + "SNS", r"AWS::SNS::Topic", r"\.DataProtectionPolicy"),
    Lacking("tables strong over regions", _GUIDE + "DynamoDB", r"AWS::DynamoDB::GlobalTable", r"=\"STRONG\""),
    Lacking("Shield, Firewall Manager", _GUIDE + "WAF", r"AWS::(Shield|FMS)::.*"),
    Lacking("a web ACL at CloudFront", _GUIDE + "WAF is regional only", r"AWS::WAFv2::.*", r"\.Scope\b.*CLOUDFRONT"),
    Lacking("a web ACL at CloudFront", _GUIDE + "WAF", r"AWS::CloudFront::Distribution", r"\.WebACLId"),
    Lacking("targeted bot control", _GUIDE + "WAF", r"AWS::WAFv2::WebACL", r"\.InspectionLevel.*TARGETED"),
    Lacking("CloudFront's own name", _GUIDE + "CloudFront", r"AWS::CloudFront::.*", r"\.CloudFrontDefaultCertificate"),
    Lacking("ACM at CloudFront", _GUIDE + "CloudFront", r"AWS::CloudFront::Distribution", r"\.AcmCertificateArn"),
    Lacking(
        "origin access control",
        "github.com/awslabs/aws-solutions-constructs/issues/1050 (2024): unrecognized resource type",
        r"AWS::CloudFront::.*",
        r"OriginAccessControl",
    ),
    Lacking(
        "cache and origin request policies",
        'github.com/aws/aws-cdk/issues/31033 (2024): "CachePolicyId can\'t be set for this region"',
        r"AWS::CloudFront::.*",
        r"(CachePolicy|OriginRequestPolicy)(Id|Config)",
    ),
    Lacking(
        "functions at the edge",
        "no such type in the China regions' CloudFormation (cfn-lint's schemas)",
        r"AWS::CloudFront::Distribution",
        r"\.(Lambda)?FunctionAssociations",
    ),
    Lacking(
        "headers policies, for all that we know",
        "the type is registered, as that of cache policies is, and no source says that it can be used",
        r"AWS::CloudFront::.*",
        r"ResponseHeadersPolicy",
    ),
    Lacking(
        "CloudFront's logs in CloudWatch, for all that we know",
        "docs.aws.amazon.com, CloudFront, standard logging v2: by us-east-1; no source for China",
        r"AWS::Logs::Delivery.*",
    ),
)
# Actions that would need what is not there.
FORBIDDEN_ACTIONS = re.compile(
    r"cognito-idp:|xray:|sqs:\w*MessageMoveTask|sns:(CheckIfPhone|SetSMS)|lambda:\w*FunctionUrl"
)


def needed_in_vain(template: Mapping[str, Any], **parameters: str) -> list[str]:
    """`Logical: what`, of all that would be made in China, by these parameters, and is not there."""
    found = []
    for logical, resource in made_of(template, CHINA, **parameters).items():
        known = [region for region in REGIONS if resource["Type"] in PROVIDER_SCHEMA_MANAGER.get_resource_types(region)]
        if set(known) != set(REGIONS):
            found.append(f"{logical}: {resource['Type']} outside {', '.join(known) or 'the China regions'}")
        places = [*_places(resource.get("Properties", {}))]
        found += [
            f"{logical}: {one.what}"
            for one in LACKING
            if re.fullmatch(one.kind, resource["Type"])
            and (not one.place or any(re.search(one.place, place) for place in places))
        ]
    if FORBIDDEN_ACTIONS.search(written := json.dumps(template)):
        found.append(f"an action: {FORBIDDEN_ACTIONS.findall(written)}")
    return found


def _places(value: Any, path: str = "") -> Iterator[str]:
    """`Path.To.Property=value` of every leaf."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _places(one, f"{path}.{key}")
    elif isinstance(value, list):
        for one in value:
            yield from _places(one, path)
    else:
        yield f"{path}={json.dumps(value)}"
