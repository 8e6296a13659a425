"""What a hospital's vended credentials can do, by policy alone: the role's, the session's, and what the bucket refuses.

A request is allowed when role and session both allow it and the bucket forbids nothing (IAM, policy evaluation logic).
The deployment rehearsal tries the same on an emulated AWS.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import upload_pass
from chalicelib.store.uploader import MOST_CHARACTERS, AssumedUploader, session_policy
from tests.support.deployed import ACCOUNT, ROLE, bucket_policy, deployed
from tests.support.policy import allows, refused_by

BUCKET = "arn:aws-cn:s3:::uploads"
KEY = f"arn:aws-cn:kms:cn-north-1:{ACCOUNT}:key/data"
NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
LATE = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
OWN = f"{BUCKET}/instances/JB001/2026-11-24/ct/0001.dcm"
SESSION = {"aws_PrincipalArn": f"{ROLE}uploaderrole", "aws_SecureTransport": "true"}
MULTIPART = ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
BY_S3 = {"kms_ViaService": "s3.cn-north-1.amazonaws.com.cn"}


@pytest.fixture(scope="module")
def stack():
    return deployed(UploadsBucket="uploads", DataKey="data")


@pytest.fixture(scope="module")
def can(stack):
    """can(action, resource, at=…, **context)"""
    (role,) = [
        one["PolicyDocument"]
        for one in stack.resources("AWS::IAM::Policy").values()
        if one["Roles"] == [stack.physical["UploaderRole"]]
    ]
    bucket = bucket_policy(stack, "UploadsBucketPolicy")

    def judge(action, resource, at=NOW, **context):
        asked = {**SESSION, **context}
        both = all(allows(one, action, resource, **asked) for one in (role, session(at)))
        return both and not refused_by(bucket, action, resource, **asked)

    return judge


def session(at=NOW, hospital_id="JB001"):
    found = upload_pass.prefixes(hospital_id, at)
    return session_policy("uploads", KEY, [one for kinds in found.values() for one in kinds.values()])


@pytest.mark.parametrize("action", MULTIPART)
@pytest.mark.parametrize("kind", ["instances", "archives"])
def test_a_hospital_puts_under_its_own_prefixes_of_today_in_one_piece_or_many(can, action, kind):
    assert can(action, f"{BUCKET}/{kind}/JB001/2026-11-24/a b/中文.dcm")


def test_it_may_say_what_the_bucket_does_anyway(can):
    same = {
        "s3_x_amz_storage_class": "STANDARD",
        "s3_x_amz_server_side_encryption": "aws:kms",
        "s3_x_amz_server_side_encryption_aws_kms_key_id": KEY,
    }
    assert can("s3:PutObject", OWN, **same)


@pytest.mark.parametrize("action", ["kms:GenerateDataKey", "kms:Decrypt"])
def test_the_buckets_key_is_used_by_s3_for_it_and_by_nobody_else(can, action):
    assert can(action, KEY, **BY_S3)
    assert not can(action, KEY)
    assert not can(action, KEY, kms_ViaService="dynamodb.cn-north-1.amazonaws.com.cn")
    assert not can(action, f"{KEY}2", **BY_S3)


OTHERS_PLACES = [
    "instances/HB002/2026-11-24/x",
    "archives/HB002/2026-11-24/x",
    "instances/JB0011/2026-11-24/x",
    "instances/JB00/2026-11-24/x",
    "instances/JB001/2026-11-23/x",
    "instances/JB001/2026-11-25/x",
    "instances/JB001/x",
    "instances/JB001/2026-11-24",
    "instances/x",
    "notices/JB001/2026-11-24/x.json",
    "unpacked/JB001/2026-11-24/v/1",
    "receipts/2026-11-24/x",
    "reports/JB001/2026-11-24/x",
    "amendments/JB001/2026-11-24/x.json",
    "registrations/JB001/2026-11-24/x.json",
    "x",
]


@pytest.mark.parametrize("place", OTHERS_PLACES)
def test_no_other_place_of_the_bucket_is_reached(can, place):
    assert not [action for action in MULTIPART if can(action, f"{BUCKET}/{place}")]


@given(
    st.lists(
        st.sampled_from(
            ["instances", "archives", "notices", "JB001", "HB002", "2026-11-24", "2026-11-25", "*", "?", "..", ""]
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_a_key_is_made_of_only_its_beginning_counts(can, parts):
    key = "/".join(parts)
    own = key.startswith(("instances/JB001/2026-11-24/", "archives/JB001/2026-11-24/"))
    assert can("s3:PutObject", f"{BUCKET}/{key}") == own


AT_AWS = f"cn-north-1:{ACCOUNT}"
NEIGHBOURS = {  # resource: actions
    OWN: """s3:GetObject s3:GetObjectVersion s3:GetObjectAttributes s3:GetObjectAcl s3:DeleteObject s3:RestoreObject
        s3:DeleteObjectVersion s3:PutObjectAcl s3:PutObjectTagging s3:PutObjectRetention s3:PutObjectLegalHold
        s3:BypassGovernanceRetention s3:ReplicateObject""",
    BUCKET: """s3:ListBucket s3:ListBucketVersions s3:ListBucketMultipartUploads s3:GetBucketPolicy s3:PutBucketPolicy
        s3:PutLifecycleConfiguration s3:GetBucketVersioning s3:PutBucketVersioning s3:DeleteBucket""",
    "*": "s3:ListAllMyBuckets",
    "arn:aws-cn:s3:::reports/instances/JB001/2026-11-24/x": "s3:PutObject",
    "arn:aws-cn:s3:::audit-archive/instances/JB001/2026-11-24/x": "s3:PutObject",
    KEY: "kms:Encrypt kms:ReEncryptFrom kms:CreateGrant kms:ScheduleKeyDeletion kms:DescribeKey",
    f"arn:aws-cn:dynamodb:{AT_AWS}:table/imaging-cloud-main": "dynamodb:GetItem dynamodb:PutItem dynamodb:Scan",
    f"arn:aws-cn:sqs:{AT_AWS}:imaging-cloud-instances": "sqs:SendMessage",
    f"arn:aws-cn:sns:{AT_AWS}:imaging-cloud-flags": "sns:Publish",
    f"arn:aws-cn:lambda:{AT_AWS}:function:imaging-cloud-app-Reindex-1": "lambda:InvokeFunction",
    f"{ROLE}signerrole": "sts:AssumeRole",
    f"{ROLE}ingestrole": "sts:AssumeRole",
    f"{ROLE}uploaderrole": "sts:AssumeRole iam:PassRole",
}


@pytest.mark.parametrize("resource", NEIGHBOURS)
def test_no_neighbouring_action_is_allowed(can, resource):
    assert not [action for action in NEIGHBOURS[resource].split() if can(action, resource, **BY_S3)]


@pytest.mark.parametrize(
    "header",
    [
        {"aws_SecureTransport": "false"},
        {"s3_x_amz_storage_class": "GLACIER"},
        {"s3_x_amz_server_side_encryption": "AES256"},
        {"s3_x_amz_server_side_encryption": "aws:kms"},
        {"s3_x_amz_server_side_encryption_aws_kms_key_id": f"{KEY}2"},
        {"s3_x_amz_server_side_encryption_customer_algorithm": "AES256"},
        {"s3_object_lock_mode": "COMPLIANCE"},
        {"s3_object_lock_legal_hold": "ON"},
        {"s3_authType": "REST-QUERY-STRING", "s3_signatureAge": "300001"},
    ],
)
def test_in_its_own_place_too_the_bucket_refuses_what_it_refuses_everybody(can, header):
    assert not can("s3:PutObject", OWN, **header)


def test_in_the_last_hour_of_a_day_tomorrow_is_reached_too_and_no_day_after(can):
    reached = [day for day in range(22, 28) if can("s3:PutObject", f"{BUCKET}/instances/JB001/2026-11-{day}/x", LATE)]
    assert reached == [24, 25]


def test_the_longest_policy_leaves_half_of_what_sts_takes():
    """STS packs it besides; what it says of that stands in each answer (PackedPolicySize, in per cent)."""
    key = "arn:aws-cn:kms:cn-northwest-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    found = upload_pass.prefixes("X" * 16, LATE)
    reach = [one for kinds in found.values() for one in kinds.values()]
    policy = session_policy(f"imaging-cloud-uploads-{ACCOUNT}-cn-northwest-1", key, reach)
    assert len(json.dumps(policy, separators=(",", ":"))) < MOST_CHARACTERS / 2


def test_only_the_api_becomes_the_uploader_for_an_hour(stack):
    role = stack.resources("AWS::IAM::Role")["UploaderRole"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"AWS": f"{ROLE}apihandlerrole"}, "sts:AssumeRole")
    assert role["MaxSessionDuration"] == upload_pass.LIFETIME.total_seconds()


def test_the_session_is_asked_for_an_hour_under_the_hospitals_name_with_its_policy():
    asked = {}

    class Sts:
        def assume_role(self, **given):
            asked.update(given)
            keys = {"AccessKeyId": "ASIA", "SecretAccessKey": "geheim", "SessionToken": "geheim", "Expiration": NOW}
            return {"Credentials": keys}

    reach = {date(2026, 11, 24): {"instances": "instances/JB001/2026-11-24/", "archives": "archives/JB001/2026-11-24/"}}
    made = AssumedUploader(Sts(), f"{ROLE}uploaderrole", "uploads", KEY)("JB001", reach)
    assert (asked["DurationSeconds"], asked["RoleSessionName"]) == (3600, "hospital-JB001")
    assert json.loads(asked["Policy"]) == session()
    assert "geheim" not in repr(made)
