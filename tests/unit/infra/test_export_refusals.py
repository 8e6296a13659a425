"""Who may reach people's copies of their records, by the reports bucket's policy alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.local import template
from tests.support.deployed import ROLE, bucket_policy, deployed
from tests.support.policy import refused_by

SIGNER, BUILDER = "arn-of-signer", f"{ROLE}exportrole"
COPY = "arn:aws-cn:s3:::reports/exports/SECRET/imaging-cloud-record.zip"
REPORT = "arn:aws-cn:s3:::reports/compliance/2026-11-23.json"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def policy():
    return bucket_policy(deployed(ReportsBucket="reports"), "ReportsBucketPolicy")


def refused(policy, action, who, resource=COPY, **more):
    return refused_by(policy, action, resource, aws_PrincipalArn=who, aws_SecureTransport="true", **more)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:GetObjectVersion"])
def test_nobody_but_the_signer_reads_a_copy_not_even_who_built_it(policy, action):
    for who in (
        BUILDER,
        f"{ROLE}apihandlerrole",
        f"{ROLE}imaging-cloud-hospital-JB001",
        f"{ROLE}admin",
    ):
        assert refused(policy, action, who) == ["RefuseOtherReadersOfExports"]


def test_nobody_but_the_builder_writes_one(policy):
    assert refused(policy, "s3:PutObject", BUILDER) == []
    for who in (f"{ROLE}apihandlerrole", f"{ROLE}reportrole"):
        assert refused(policy, "s3:PutObject", who) == ["RefuseOtherWritersOfExports"]


def test_reports_of_the_commission_are_not_touched_by_it(policy):
    api = f"{ROLE}apihandlerrole"
    assert refused(policy, "s3:GetObject", api, REPORT) == []
    assert refused(policy, "s3:PutObject", api, REPORT) == []


def test_an_old_link_is_refused(policy):
    found = refused(policy, "s3:GetObject", BUILDER, s3_authType="REST-QUERY-STRING", s3_signatureAge="300001")
    assert "RefuseOldSignedUrls" in found


def test_the_bucket_lets_copies_go_after_a_day_in_all_their_versions():
    rules = template.load()["Resources"]["ReportsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [one for one in rules if one.get("Prefix") == "exports/"]
    assert (rule["Status"], rule["ExpirationInDays"], rule["NoncurrentVersionExpirationInDays"]) == ("Enabled", 1, 1)


def test_the_builder_may_only_read_records_and_write_copies():
    statements = json.loads((ROOT / ".chalice/policy-export.json").read_text(encoding="utf-8"))["Statement"]
    writes = {
        action
        for one in statements
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        if action.startswith(("dynamodb:Put", "dynamodb:Delete", "dynamodb:BatchWrite", "s3:", "kms:", "sts:"))
    }
    assert writes == {"s3:PutObject"}
