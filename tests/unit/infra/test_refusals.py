"""What the uploads bucket refuses, by its policy alone (DESIGN §4.1, §6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.deployed import ACCOUNT, ROLE, bucket_policy, deployed
from tests.support.policy import refused_by

HOSPITAL = f"{ROLE}imaging-cloud-hospital-JB001"
API = f"{ROLE}apihandlerrole"  # by its logical id, as all of the stack's here
KEY = f"arn:aws-cn:kms:cn-north-1:{ACCOUNT}:key/data"
OBJECT = "arn:aws-cn:s3:::uploads/instances/JB001/2026-11-24/a"
UNPACKED = "arn:aws-cn:s3:::uploads/unpacked/JB001/2026-11-24/v/1"
TLS = {"aws_SecureTransport": "true"}


@pytest.fixture(scope="module")
def policy():
    return bucket_policy(deployed(UploadsBucket="uploads", DataKey="data"), "UploadsBucketPolicy")


def put(policy, resource=OBJECT, who=HOSPITAL, **headers):
    return refused_by(policy, "s3:PutObject", resource, aws_PrincipalArn=who, **{**TLS, **headers})


def get(policy, who, action="s3:GetObject", **more):
    return refused_by(policy, action, OBJECT, aws_PrincipalArn=who, **{**TLS, **more})


def test_a_plain_upload_is_not_refused(policy):
    assert put(policy) == []


def test_an_upload_that_names_what_the_bucket_does_anyway_is_not_refused(policy):
    same = {
        "s3_x_amz_storage_class": "STANDARD",
        "s3_x_amz_server_side_encryption": "aws:kms",
        "s3_x_amz_server_side_encryption_aws_kms_key_id": KEY,
    }
    assert put(policy, **same) == []


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"aws_SecureTransport": "false"}, "RefusePlainHttp"),
        ({"s3_x_amz_storage_class": "GLACIER"}, "RefuseOtherStorageClasses"),
        ({"s3_x_amz_storage_class": "DEEP_ARCHIVE"}, "RefuseOtherStorageClasses"),
        ({"s3_x_amz_server_side_encryption": "AES256"}, "RefuseOtherEncryption"),
        ({"s3_x_amz_server_side_encryption": "aws:kms"}, "RefuseUnnamedKey"),
        ({"s3_x_amz_server_side_encryption_aws_kms_key_id": KEY + "2"}, "RefuseOtherKeys"),
        ({"s3_x_amz_server_side_encryption_customer_algorithm": "AES256"}, "RefuseKeysOfTheirOwn"),
        ({"s3_object_lock_mode": "COMPLIANCE"}, "RefuseLockMode"),
        ({"s3_object_lock_legal_hold": "ON"}, "RefuseLegalHold"),
    ],
)
def test_what_an_upload_may_not_ask_for(policy, headers, refusal):
    assert refusal in put(policy, **headers)


@pytest.mark.parametrize(
    "action",
    [
        "s3:PutObjectRetention",
        "s3:PutObjectLegalHold",
        "s3:PutObjectTagging",
        "s3:PutObjectVersionTagging",
        "s3:DeleteObjectVersion",
    ],
)
def test_nobody_locks_tags_or_destroys(policy, action):
    assert refused_by(policy, action, OBJECT, aws_PrincipalArn=HOSPITAL, **TLS)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:GetObjectVersion"])
@pytest.mark.parametrize(
    "who", [HOSPITAL, f"{ROLE}admin", API, f"{ROLE}reportrole", f"{ROLE}imaging-cloud-app-IngestRole-1"]
)
def test_nobody_else_reads(policy, who, action):
    assert get(policy, who, action) == ["RefuseOtherReaders"]


@pytest.mark.parametrize(
    "name",
    [
        "ingestrole",
        "ingestsinglerole",
        "unpackrole",
        "noticesrole",
        "noticessinglerole",
        "settlerole",
        "reconcilepiecesrole",
        "reindexrole",
        "signerrole",
    ],
)
def test_ingest_settle_reindex_and_the_signer_read(policy, name):
    assert get(policy, ROLE + name) == []


def test_a_signed_url_dies_after_five_minutes_whatever_it_says(policy):
    signer = f"{ROLE}signerrole"
    by_query = {"s3_authType": "REST-QUERY-STRING"}
    assert get(policy, signer, **by_query, s3_signatureAge=300000) == []
    assert get(policy, signer, **by_query, s3_signatureAge=300001) == ["RefuseOldSignedUrls"]
    assert get(policy, signer, s3_authType="REST-HEADER", s3_signatureAge=900000) == []


@pytest.mark.parametrize("kind", ["amendments", "registrations"])
def test_only_the_api_writes_what_people_added(policy, kind):
    kept = f"arn:aws-cn:s3:::uploads/{kind}/JB001/2026-11-24/01A.json"
    assert put(policy, kept) == ["RefuseOthersInPeoplesFacts"]
    assert put(policy, kept, who=f"{ROLE}ingestrole") == ["RefuseOthersInPeoplesFacts"]
    assert put(policy, kept, who=API) == []


def test_no_hospital_writes_where_we_unpack(policy):
    assert put(policy, UNPACKED) == ["RefuseOthersInOurPrefixes"]
    assert put(policy, UNPACKED, who=f"{ROLE}unpackrole") == []


DISPOSER = f"{ROLE}disposerole"
DISPOSING = ("s3:DeleteObjectVersion", "s3:BypassGovernanceRetention")


@pytest.mark.parametrize("action", DISPOSING)
@pytest.mark.parametrize("who", [HOSPITAL, API, f"{ROLE}admin", f"{ROLE}settlerole", DISPOSER])
def test_while_disposal_is_off_nobody_destroys_and_there_is_no_role_that_could(policy, action, who):
    assert refused_by(policy, action, OBJECT, aws_PrincipalArn=who, **TLS) == ["RefuseDisposal"]
    assert "DisposeRole" not in deployed().resources("AWS::IAM::Role")
    assert "disposerole" not in str(policy)


def test_while_it_is_on_one_role_destroys_and_nobody_else_and_locks_stay_as_they_are():
    stack = deployed(UploadsBucket="uploads", DataKey="data")
    on = replace(stack, parameters={**stack.parameters, "Disposal": "on"})
    policy = bucket_policy(on, "UploadsBucketPolicy")
    for action in DISPOSING:
        assert refused_by(policy, action, OBJECT, aws_PrincipalArn=DISPOSER, **TLS) == []
        for who in (HOSPITAL, API, f"{ROLE}admin", f"{ROLE}reindexrole"):
            assert refused_by(policy, action, OBJECT, aws_PrincipalArn=who, **TLS) == ["RefuseDisposal"]
    for action in ("s3:PutObjectRetention", "s3:PutObjectLegalHold"):
        assert refused_by(policy, action, OBJECT, aws_PrincipalArn=DISPOSER, **TLS) == ["RefuseLocks"]
    assert put(policy, who=DISPOSER, resource="arn:aws-cn:s3:::uploads/amendments/JB001/2026-11-24/01A.json") == []
    assert put(policy, UNPACKED, who=DISPOSER) == ["RefuseOthersInOurPrefixes"]
    assert "DisposeRole" in on.resources("AWS::IAM::Role")
