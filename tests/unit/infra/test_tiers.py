"""The tiers of the uploads bucket: what answers at once, for what is large and old enough to be worth the move."""

from __future__ import annotations

import pytest

from infra import tiers
from tests.support.deployed import bucket_policy, deployed
from tests.support.policy import refused_by

PRICES = tiers.Prices()
MILLISECONDS = {"STANDARD", "GLACIER_IR"}
MOVED = {"instances/", "archives/", "unpacked/", "reports/"}


@pytest.fixture(scope="module")
def stack():
    return deployed(UploadsBucket="uploads")


def rules(stack):
    buckets = stack.resources("AWS::S3::Bucket").values()
    return [rule for one in buckets for rule in one.get("LifecycleConfiguration", {}).get("Rules", [])]


def moves(rule):
    return [*rule.get("Transitions", []), *rule.get("NoncurrentVersionTransitions", [])]


def test_no_object_ever_goes_where_it_must_be_restored_from(stack):
    classes = {move["StorageClass"] for rule in rules(stack) for move in moves(rule)}
    assert classes
    assert classes <= MILLISECONDS


def test_what_is_read_by_signed_url_moves_with_its_old_versions_and_nothing_else(stack):
    moved = {rule["Prefix"]: rule for rule in rules(stack) if moves(rule)}
    assert set(moved) == MOVED
    for rule in moved.values():
        assert len(rule["Transitions"]) == len(rule["NoncurrentVersionTransitions"]) == 1
        assert {move["TransitionInDays"] for move in moves(rule)} == {tiers.LEAST_DAYS}


def test_no_rule_lets_an_upload_expire(stack):
    uploads = stack.resources("AWS::S3::Bucket")["UploadsBucket"]["LifecycleConfiguration"]["Rules"]
    assert [name for rule in uploads for name in rule if "Expiration" in name] == []


def test_the_smallest_that_moves_has_paid_within_a_year_and_smaller_ones_are_billed_as_if_they_were_not(stack):
    (least,) = {int(rule["ObjectSizeGreaterThan"]) for rule in rules(stack) if moves(rule)}
    assert least == tiers.LEAST_BILLED
    paid = tiers.months_until_paid(least, 0, PRICES)
    assert paid is not None
    assert paid < 12
    assert tiers.months_until_paid(16 * tiers.KIB, 0, PRICES) is None


def test_moving_at_ninety_days_is_cheaper_over_a_records_life_and_a_read_a_month_is_not():
    size = tiers.SIZES_LARGE["1.46 MB (mean)"]
    assert tiers.whole_life(size, 90, PRICES) < 0.25 * tiers.MONTHS_KEPT * tiers.standard_month(size, 0, PRICES)
    assert 0.3 < tiers.most_reads(size, PRICES) < 1


def test_the_table_shows_every_size():
    shown = tiers.table(PRICES)
    assert shown.count("\n|") == 1 + len(tiers.SIZES) + len(tiers.SIZES_LARGE)


# The lock


def test_uploads_are_locked_for_the_least_that_any_record_is_kept(stack):
    lock = stack.resources("AWS::S3::Bucket")["UploadsBucket"]
    kept = lock["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert (lock["ObjectLockEnabled"], kept["Mode"], int(kept["Years"])) == (True, "GOVERNANCE", 15)
    assert stack.template["Parameters"]["UploadsLockYears"]["MinValue"] == 15


@pytest.mark.parametrize("action", ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"])
@pytest.mark.parametrize("who", ["admin", "apihandlerrole", "reindexrole", "imaging-cloud-hospital-JB001"])
def test_nobody_holds_delete_version_nor_the_way_round_the_lock(stack, action, who):
    policy = bucket_policy(stack, "UploadsBucketPolicy")
    principal = f"arn:aws-cn:iam::123456789012:role/{who}"
    asked = {"aws_PrincipalArn": principal, "aws_SecureTransport": "true"}
    assert refused_by(policy, action, "arn:aws-cn:s3:::uploads/instances/JB001/2026-11-24/a", **asked) == [
        "RefuseDisposal"
    ]
