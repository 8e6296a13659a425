"""What moto's CloudFormation skips, applied from the same template: nothing is defined twice.

Each `Aspect` says what the template wants of one resource, how to read what stands, and how to set it. Only what
differs is set, and all is read back: a moto that learns or forgets something is noticed, not trusted.

Bucket policies stay out: moto reads their actions but not their conditions, so a refusal of plain HTTP would refuse
everything. Their meaning is tested by itself (tests/unit/infra/test_refusals.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.local.aspect import Aspect, Properties
from infra.local.skipped_buckets import BUCKETS

if TYPE_CHECKING:
    from infra.local.template import Stack


ABSENT = (
    "NoSuch",
    "ServerSideEncryptionConfigurationNotFound",
    "OwnershipControlsNotFound",
    "ObjectLockConfigurationNot",
)


class NotAppliedError(RuntimeError):
    """The endpoint took the request and still says something else than the template."""


def apply_all(stack: Stack, client: Callable[[str], Any]) -> list[str]:
    """Bring every aspect to what the template says. The list of what was not so before, as `Logical.aspect`."""
    return [
        f"{logical}.{aspect.name}"
        for aspect, logical, target, want in _wanted(stack)
        if _set(aspect, client(aspect.service), target, want)
    ]


def differences(stack: Stack, client: Callable[[str], Any]) -> list[str]:
    """`Logical.aspect` of everything that is not as the template says; changes nothing."""
    return [
        f"{logical}.{aspect.name}"
        for aspect, logical, target, want in _wanted(stack)
        if _read(aspect, client(aspect.service), target) != want
    ]


def _wanted(stack: Stack) -> Iterator[tuple[Aspect, str, str, Any]]:
    """(aspect, logical id, physical target, what should stand) for all that the template says something about."""
    for aspect in ASPECTS:
        for logical, properties in stack.resources(aspect.resource_type).items():
            want = aspect.want(properties)
            if want is not None:
                for target in aspect.targets(properties, stack.physical.get(logical, "")):
                    yield aspect, logical, target, want


def _set(aspect: Aspect, client: Any, target: str, want: Any) -> bool:
    if _read(aspect, client, target) == want:
        return False
    aspect.apply(client, target, want)
    if (stands := _read(aspect, client, target)) != want:
        raise NotAppliedError(f"{aspect.name} of {target}: wanted {want}, stands {stands}")
    return True


def _read(aspect: Aspect, client: Any, target: str) -> Any:
    try:
        return aspect.read(client, target)
    except ClientError as error:
        if error.response["Error"]["Code"].startswith(ABSENT):
            return None
        raise


# Tables. (Their key at rest is not among these: moto's UpdateTable does not take it.)


def _table(name: str, want: Callable[[Properties], Any], read: Any, apply: Any) -> Aspect:
    return Aspect("dynamodb", "AWS::DynamoDB::Table", name, want, read, apply)


TABLES = [
    _table(
        "time to live",
        lambda p: p.get("TimeToLiveSpecification", {}).get("AttributeName"),
        lambda db, table: db.describe_time_to_live(TableName=table)["TimeToLiveDescription"].get("AttributeName"),
        lambda db, table, want: db.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": want}
        ),
    ),
    _table(
        "point in time recovery",
        lambda p: p.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"),
        lambda db, table: (
            db.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"][
                "PointInTimeRecoveryDescription"
            ]["PointInTimeRecoveryStatus"]
            == "ENABLED"
        ),
        lambda db, table, want: db.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": want}
        ),
    ),
    _table(
        "deletion protection",
        lambda p: p.get("DeletionProtectionEnabled"),
        lambda db, table: db.describe_table(TableName=table)["Table"]["DeletionProtectionEnabled"],
        lambda db, table, want: db.update_table(TableName=table, DeletionProtectionEnabled=want),
    ),
]


# Queues and topics


def _attribute_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)


def _queue_attributes(properties: Properties) -> dict[str, str]:
    return {name: _attribute_text(value) for name, value in properties.items() if name != "QueueName"}


def _read_queue(sqs: Any, url: str) -> dict[str, str]:
    stands: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    if "RedrivePolicy" in stands:
        stands["RedrivePolicy"] = json.dumps(json.loads(stands["RedrivePolicy"]), sort_keys=True)
    return stands


QUEUES_AND_TOPICS = [
    Aspect(
        "sqs",
        "AWS::SQS::QueuePolicy",
        "policy",
        lambda p: p["PolicyDocument"],
        lambda sqs, url: json.loads(_read_queue(sqs, url).get("Policy", "null")),
        lambda sqs, url, want: sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(want)}),
        target="Queues",
    ),
    Aspect(
        "sns",
        "AWS::SNS::Topic",
        "key",
        lambda p: p.get("KmsMasterKeyId"),
        lambda sns, arn: sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("KmsMasterKeyId"),
        lambda sns, arn, want: sns.set_topic_attributes(
            TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=want
        ),
    ),
]
QUEUE_ATTRIBUTES = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "SqsManagedSseEnabled",
    "RedrivePolicy",
    "FifoQueue",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "DelaySeconds",
)


def _queue_attribute(name: str) -> Aspect:
    return Aspect(
        "sqs",
        "AWS::SQS::Queue",
        name,
        lambda p: _queue_attributes(p).get(name),
        lambda sqs, url: _read_queue(sqs, url).get(name),
        lambda sqs, url, want: sqs.set_queue_attributes(QueueUrl=url, Attributes={name: want}),
    )


# The signer's role


def _read_role_policy(iam: Any, role: str) -> Any:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        return {"name": name, "document": iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]}
    return None


ROLES = [
    Aspect(
        "iam",
        "AWS::IAM::Role",
        "trust",
        lambda p: p["AssumeRolePolicyDocument"],
        lambda iam, role: iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"],
        lambda iam, role, want: iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(want)),
    ),
    Aspect(
        "iam",
        "AWS::IAM::Policy",
        "policy",
        lambda p: {"name": p["PolicyName"], "document": p["PolicyDocument"]},
        _read_role_policy,
        lambda iam, role, want: iam.put_role_policy(
            RoleName=role, PolicyName=want["name"], PolicyDocument=json.dumps(want["document"])
        ),
        target="Roles",
    ),
]


ASPECTS = [*BUCKETS, *TABLES, *map(_queue_attribute, QUEUE_ATTRIBUTES), *QUEUES_AND_TOPICS, *ROLES]
