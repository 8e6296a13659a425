"""What the audit archive and the bucket of S3's logs refuse, by their policies alone."""

from __future__ import annotations

import pytest

from tests.support.deployed import ROLE, bucket_policy, deployed
from tests.support.policy import refused_by

SEAL = f"{ROLE}sealrole"
API = f"{ROLE}apihandlerrole"
OBJECT = "arn:aws-cn:s3:::archive/seals/2026-11-24T05.json"
TLS = {"aws_SecureTransport": "true"}


@pytest.fixture(scope="module")
def stack():
    return deployed(AuditArchiveBucket="archive", AccessLogsBucket="logs")


@pytest.fixture(scope="module")
def policy(stack):
    return bucket_policy(stack, "AuditArchiveBucketPolicy")


def asked(policy, action, who, **more):
    return refused_by(policy, action, OBJECT, aws_PrincipalArn=who, **{**TLS, **more})


def test_the_sealer_may_put_what_does_not_exist_yet(policy):
    assert asked(policy, "s3:PutObject", SEAL, s3_if_none_match="*") == []


@pytest.mark.parametrize(
    ("action", "who", "more", "refusal"),
    [
        ("s3:PutObject", SEAL, {}, "RefuseUnconditionalWrites"),
        ("s3:PutObject", API, {"s3_if_none_match": "*"}, "RefuseOtherWriters"),
        ("s3:DeleteObject", SEAL, {}, "RefuseHidingAndDisposal"),
        ("s3:DeleteObjectVersion", SEAL, {}, "RefuseHidingAndDisposal"),
        ("s3:GetObjectVersion", API, {}, "RefuseOtherReaders"),
        ("s3:GetObjectVersion", SEAL, {"aws_SecureTransport": "false"}, "RefusePlainHttp"),
    ],
)
def test_all_else_is_refused(policy, action, who, more, refusal):
    assert asked(policy, action, who, **more) == [refusal]


@pytest.mark.parametrize("role", ["sealrole", "checkreadsrole", "imaging-cloud-auditor"])
def test_who_seals_compares_or_verifies_may_read(policy, role):
    assert asked(policy, "s3:GetObjectVersion", f"{ROLE}{role}") == []


def test_the_archive_is_locked_in_compliance_mode_for_as_long_as_any_record_is_kept(stack):
    kept = stack.resources("AWS::S3::Bucket")["AuditArchiveBucket"]["ObjectLockConfiguration"]["Rule"]
    assert kept["DefaultRetention"]["Mode"] == "COMPLIANCE"
    assert int(kept["DefaultRetention"]["Years"]) >= 30
    assert stack.template["Parameters"]["AuditArchiveYears"]["MinValue"] >= 3


def test_s3_writes_the_logs_of_every_other_bucket_each_under_its_own_prefix(stack):
    (allowed,) = [
        one for one in bucket_policy(stack, "AccessLogsBucketPolicy")["Statement"] if one["Effect"] == "Allow"
    ]
    buckets = stack.resources("AWS::S3::Bucket")
    logging = {name: one["LoggingConfiguration"] for name, one in buckets.items() if name != "AccessLogsBucket"}
    assert {one["DestinationBucketName"] for one in logging.values()} == {"logs"}
    assert {f"arn:aws-cn:s3:::logs/{one['LogFilePrefix']}*" for one in logging.values()} == set(allowed["Resource"])
    assert {f"arn:aws-cn:s3:::{buckets[name]['BucketName']}" for name in logging} == set(
        allowed["Condition"]["ArnEquals"]["aws:SourceArn"]
    )
    assert logging["UploadsBucket"]["LogFilePrefix"] == "uploads/", "check_reads looks there"
    assert allowed["Principal"] == {"Service": "logging.s3.amazonaws.com"}


def test_s3s_logs_lie_where_s3_can_deliver_them(stack):
    """SSE-KMS and a default lock are refused by S3 for a bucket of logs."""
    logs = stack.resources("AWS::S3::Bucket")["AccessLogsBucket"]
    (rule,) = logs["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert "ObjectLockConfiguration" not in logs
