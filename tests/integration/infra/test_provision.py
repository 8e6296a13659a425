from __future__ import annotations

import json

import pytest

from infra.local import skipped, template
from infra.local.skipped import QUEUE_ATTRIBUTES
from tests.support.cloud import TestCloud


def test_everything_the_template_says_stands(cloud: TestCloud) -> None:
    assert skipped.differences(cloud.made.stack, cloud.client) == []


def test_what_moto_skips_is_noticed_and_mended(cloud: TestCloud) -> None:
    assert "MacKey.spec" in cloud.made.mended
    assert "UploadsBucket.notifications" in cloud.made.mended
    assert "MainTable.time to live" in cloud.made.mended


def test_a_later_change_is_found_and_mended(cloud: TestCloud) -> None:
    bucket = cloud.settings["UPLOADS_BUCKET"]
    cloud.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert skipped.differences(cloud.made.stack, cloud.client) == ["UploadsBucket.versioning"]
    assert skipped.apply_all(cloud.made.stack, cloud.client) == ["UploadsBucket.versioning"]
    assert skipped.differences(cloud.made.stack, cloud.client) == []


def test_the_mac_key_makes_macs_and_its_alias_names_it(cloud: TestCloud) -> None:
    kms = cloud.client("kms")
    first, again = (
        kms.generate_mac(Message=b"x", KeyId=key, MacAlgorithm="HMAC_SHA_256")["Mac"]
        for key in (cloud.settings["MAC_KEY_ID"], "alias/imaging-cloud-mac")
    )
    assert first == again
    assert len(first) >= 32


@pytest.mark.parametrize(
    ("prefix", "queue"),
    [("instances", "instances"), ("unpacked", "instances"), ("archives", "archives"), ("notices", "notices")],
)
def test_each_prefix_tells_its_own_queue(cloud: TestCloud, prefix: str, queue: str) -> None:
    key = f"{prefix}/H1/2026-11-24/a"
    cloud.client("s3").put_object(Bucket=cloud.settings["UPLOADS_BUCKET"], Key=key, Body=b"x")
    for name in ("instances", "archives", "notices"):
        answer = cloud.client("sqs").receive_message(QueueUrl=cloud.queue_url(name), WaitTimeSeconds=0)
        told = [json.loads(m["Body"])["Records"][0]["s3"]["object"]["key"] for m in answer.get("Messages", [])]
        assert told == ([key.replace("/", "%2F")] if name == queue else [])


def test_nothing_is_told_of_other_prefixes(cloud: TestCloud) -> None:
    cloud.client("s3").put_object(Bucket=cloud.settings["UPLOADS_BUCKET"], Key="receipts/2026-11-24/a", Body=b"x")
    for name in ("instances", "archives", "notices"):
        assert "Messages" not in cloud.client("sqs").receive_message(QueueUrl=cloud.queue_url(name))


@pytest.mark.parametrize("repetition", [1, 2])
def test_each_test_finds_the_cloud_empty(cloud: TestCloud, repetition: int) -> None:
    item = {"PK": {"S": "a"}, "SK": {"S": "b"}}
    cloud.client("dynamodb").put_item(
        TableName=cloud.settings["MAIN_TABLE"], Item=item, ConditionExpression="attribute_not_exists(PK)"
    )
    cloud.client("s3").put_object(Bucket=cloud.settings["REPORTS_BUCKET"], Key="k", Body=b"x", IfNoneMatch="*")


def test_the_settle_queue_delays_by_at_least_a_quarter_more_than_its_window() -> None:
    body = template.load()
    for window in body["Parameters"]["SettleSeconds"]["AllowedValues"]:
        delay = body["Mappings"]["SettleDelay"][window]["Seconds"]
        assert 1.25 * int(window) <= delay < 1.25 * int(window) + 1


def test_no_arn_or_host_of_one_partition_is_spelled_out() -> None:
    text = template.DATA_TEMPLATE.read_text(encoding="utf-8")
    assert "arn:aws" not in text
    assert "amazonaws.com/" not in text


def test_all_state_is_retained_and_encrypted(cloud: TestCloud) -> None:
    for resource in cloud.made.stack.template["Resources"].values():
        if resource["Type"] in {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"}:
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    for table in cloud.made.stack.resources("AWS::DynamoDB::Table").values():
        assert table["SSESpecification"]["KMSMasterKeyId"] == cloud.outputs["DataKeyArn"]


def test_an_alarm_can_publish(cloud: TestCloud) -> None:
    """CloudWatch may not use the key that AWS keeps for SNS: the message would be lost without a word."""
    topic = next(
        topic
        for topic in cloud.made.stack.resources("AWS::SNS::Topic").values()
        if topic["TopicName"] == "imaging-cloud-alarms"
    )
    assert topic["KmsMasterKeyId"] == cloud.outputs["DataKeyArn"]
    statements = cloud.made.stack.template["Resources"]["DataKey"]["Properties"]["KeyPolicy"]["Statement"]
    assert {"Service": "cloudwatch.amazonaws.com"} in [statement["Principal"] for statement in statements]


# What CloudFormation itself sets on moto, checked below or by the tests of the stores; the rest has an aspect.
BY_CLOUDFORMATION = {
    "AWS::S3::Bucket": {"BucketName", "ObjectLockEnabled"},
    "AWS::DynamoDB::Table": {
        "TableName",
        "BillingMode",
        "AttributeDefinitions",
        "KeySchema",
        "GlobalSecondaryIndexes",
        "SSESpecification",
    },
    "AWS::SQS::Queue": {"QueueName"},
    "AWS::SNS::Topic": {"TopicName"},
    "AWS::IAM::Role": {"RoleName", "MaxSessionDuration"},
}
# Made by provision.py itself, or left out for a reason.
OTHERWISE = {
    "AWS::KMS::Key": {"Description", "EnableKeyRotation", "KeyPolicy", "KeySpec", "KeyUsage"},
    "AWS::KMS::Alias": {"AliasName", "TargetKeyId"},
    # moto reads actions but not conditions: tests/unit/infra/test_refusals.py
    "AWS::S3::BucketPolicy": {"Bucket", "PolicyDocument"},
    # moto refuses to log to a bucket without the policy that must stay out, and knows no partitioned prefix.
    "AWS::S3::Bucket": {"LoggingConfiguration"},
}


TAGS = {"Tags"}  # say what a cost is for: nobody pays here


class Reads(dict):
    """Properties that note which of them an aspect looks at."""

    def __init__(self, given):
        super().__init__(given)
        self.seen = set()

    def __getitem__(self, name):
        self.seen.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.seen.add(name)
        return super().get(name, default)

    def items(self):
        self.seen.update(QUEUE_ATTRIBUTES)
        return super().items()


def test_nothing_in_the_template_is_overlooked(cloud: TestCloud) -> None:
    """A property that neither moto's CloudFormation nor an aspect cares for would silently not be there locally."""
    overlooked = set()
    for logical, resource in cloud.made.stack.template["Resources"].items():
        kind = resource["Type"]
        made = cloud.made.stack.resources(kind)
        if logical not in made:  # by its condition
            continue
        properties = Reads(made[logical])
        for aspect in skipped.ASPECTS:
            if aspect.resource_type == kind:
                aspect.want(properties)
                aspect.targets(properties, "")
        known = properties.seen | BY_CLOUDFORMATION.get(kind, set()) | OTHERWISE.get(kind, set()) | TAGS
        overlooked |= {f"{logical}.{name}" for name in set(properties) - known}
    assert overlooked == set()


def test_the_tables_have_the_keys_and_indexes_of_the_design(cloud: TestCloud) -> None:
    def keys(described):
        return tuple(one["AttributeName"] for one in described["KeySchema"])

    found = {}
    for name in ("JOURNAL_TABLE", "MAIN_TABLE", "AUDIT_TABLE"):
        table = cloud.client("dynamodb").describe_table(TableName=cloud.settings[name])["Table"]
        indexes = {one["IndexName"]: keys(one) for one in table.get("GlobalSecondaryIndexes", [])}
        found[name] = keys(table), indexes
    assert found["JOURNAL_TABLE"] == (("PK", "SK"), {})
    assert found["MAIN_TABLE"] == (("PK", "SK"), {"GSI1": ("GSI1PK", "GSI1SK"), "GSI2": ("GSI2PK", "GSI2SK")})
    assert found["AUDIT_TABLE"] == (("PK", "SK"), {"by_person": ("person_id", "SK")})
