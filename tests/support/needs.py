"""From calls to what IAM is asked for: pairs of an action and the ARN of what it is done to.

Actions as the service authorization reference has them: a transaction asks for the action of each of its entries, a
HEAD for the same as a GET, a version for an action of its own, a batch of SQS for the action of one message. An
operation that is not here is refused: whoever makes a new kind of call says what it asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from infra.local.provision import ACCOUNT_ID, REGION
from tests.support.recorder import Call

HERE = f"{REGION}:{ACCOUNT_ID}"
PARTITION = "arn:aws-cn"
LOCK = {
    "ObjectLockRetainUntilDate": "s3:PutObjectRetention",
    "ObjectLockLegalHoldStatus": "s3:PutObjectLegalHold",
    "Tagging": "s3:PutObjectTagging",
    "ACL": "s3:PutObjectAcl",
}


class Need(NamedTuple):
    action: str
    resource: str


def of(call: Call) -> set[Need]:
    """All that this call asked for. KeyError for an operation that nobody has told about."""
    return set(_SERVICES[call.service](call))


# DynamoDB

_TABLE = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"}
_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


def _dynamodb(call: Call) -> Iterator[Need]:
    given = call.parameters
    if call.operation in _TABLE:
        yield _item(call.operation, given["TableName"], given.get("IndexName"))
    elif call.operation in {"BatchGetItem", "BatchWriteItem"}:
        yield from (_item(call.operation, table) for table in given["RequestItems"])
    elif call.operation == "TransactWriteItems":
        for entry in given["TransactItems"]:
            ((kind, of_entry),) = entry.items()
            yield _item(_WRITES[kind], of_entry["TableName"])
    elif call.operation == "TransactGetItems":
        yield from (_item("GetItem", entry["Get"]["TableName"]) for entry in given["TransactItems"])
    else:
        raise KeyError(call.operation)


def _item(action: str, table: str, index: str | None = None) -> Need:
    arn = f"{PARTITION}:dynamodb:{HERE}:table/{table}"
    return Need(f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn)


# S3

_READS = {"GetObject", "HeadObject"}
_LISTS = {"ListObjectsV2": "s3:ListBucket", "ListObjectVersions": "s3:ListBucketVersions"}
_OF_OBJECTS = {
    "PutObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
    "PutObjectRetention": "PutObjectRetention",
    "GetObjectRetention": "GetObjectRetention",
    "PutObjectLegalHold": "PutObjectLegalHold",
    "GetObjectLegalHold": "GetObjectLegalHold",
}


def _s3(call: Call) -> Iterator[Need]:
    given = call.parameters
    bucket = f"{PARTITION}:s3:::{given['Bucket']}"
    if call.operation in _LISTS:
        yield Need(_LISTS[call.operation], bucket)
        return
    if call.operation == "DeleteObjects":
        for one in given["Delete"]["Objects"]:
            yield Need("s3:DeleteObjectVersion" if "VersionId" in one else "s3:DeleteObject", f"{bucket}/{one['Key']}")
            if given.get("BypassGovernanceRetention"):
                yield Need("s3:BypassGovernanceRetention", f"{bucket}/{one['Key']}")
        return
    key = f"{bucket}/{given['Key']}"
    if call.operation in _READS:
        yield Need("s3:GetObjectVersion" if "VersionId" in given else "s3:GetObject", key)
        yield from _told_gone(call, bucket)
    elif call.operation == "DeleteObject":
        yield Need("s3:DeleteObjectVersion" if "VersionId" in given else "s3:DeleteObject", key)
    else:
        yield Need(f"s3:{_OF_OBJECTS[call.operation]}", key)
        yield from (Need(action, key) for name, action in LOCK.items() if name in given)
    if given.get("BypassGovernanceRetention"):
        yield Need("s3:BypassGovernanceRetention", key)


def _told_gone(call: Call, bucket: str) -> Iterator[Need]:
    """What is not there is told by a 404 only to who may list, of versions to who may list versions; others get a 403
    that cannot be told from a refusal."""
    if call.status == 404:
        yield Need("s3:ListBucket", bucket)
        if "VersionId" in call.parameters:
            yield Need("s3:ListBucketVersions", bucket)


# The rest

_QUEUE = {"SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"}


def _sqs(call: Call) -> Iterator[Need]:
    given = call.parameters
    name = given.get("QueueName") or given["QueueUrl"].rsplit("/", 1)[-1]
    action = call.operation.removesuffix("Batch")
    if action not in {*_QUEUE, "GetQueueUrl"}:
        raise KeyError(call.operation)
    yield Need(f"sqs:{action}", queue(name))


def queue(name: str) -> str:
    return f"{PARTITION}:sqs:{HERE}:{name}"


def _sns(call: Call) -> Iterator[Need]:
    """A telephone number is no resource: only `*` allows it."""
    yield Need({"Publish": "sns:Publish"}[call.operation], call.parameters.get("TopicArn", "*"))


def _kms(call: Call) -> Iterator[Need]:
    key = call.parameters["KeyId"]
    arn = key if key.startswith("arn:") else f"{PARTITION}:kms:{HERE}:key/{key}"
    yield Need({"GenerateMac": "kms:GenerateMac", "VerifyMac": "kms:VerifyMac"}[call.operation], arn)


def _sts(call: Call) -> Iterator[Need]:
    yield Need({"AssumeRole": "sts:AssumeRole"}[call.operation], call.parameters["RoleArn"])


def _cloudwatch(call: Call) -> Iterator[Need]:
    """Metrics are no resources."""
    names = {"GetMetricData": "cloudwatch:GetMetricData", "PutMetricData": "cloudwatch:PutMetricData"}
    yield Need(names[call.operation], "*")


def _secrets(call: Call) -> Iterator[Need]:
    """An ARN of a secret ends in six characters of its own."""
    action = {"GetSecretValue": "secretsmanager:GetSecretValue"}[call.operation]
    name = call.parameters["SecretId"]
    yield Need(action, name if name.startswith("arn:") else f"{PARTITION}:secretsmanager:{HERE}:secret:{name}-AbCdEf")


_SERVICES = {
    "dynamodb": _dynamodb,
    "s3": _s3,
    "sqs": _sqs,
    "sns": _sns,
    "kms": _kms,
    "sts": _sts,
    "cloudwatch": _cloudwatch,
    "secrets-manager": _secrets,
}
