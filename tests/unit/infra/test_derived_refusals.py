"""Who may reach what was made of studies' bytes, by the reports bucket's policy and lifecycle alone."""

from __future__ import annotations

import pytest

from chalicelib.services.retrieve_images import MOST_BYTES
from infra.local import template
from tests.support.deployed import ROLE, bucket_policy, deployed
from tests.support.policy import refused_by

API = f"{ROLE}apihandlerrole"
MADE = "arn:aws-cn:s3:::reports/derived/H1/1.2.3/metadata/0"
ONCE = {"s3_if_none_match": "*"}


@pytest.fixture(scope="module")
def policy():
    return bucket_policy(deployed(ReportsBucket="reports"), "ReportsBucketPolicy")


def refused(policy, action, who, **more):
    return refused_by(policy, action, MADE, aws_PrincipalArn=who, aws_SecureTransport="true", **more)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:GetObjectVersion"])
def test_nobody_but_the_signer_reads_it_not_even_who_made_it(policy, action):
    for who in (API, f"{ROLE}exportrole", f"{ROLE}disposerole", f"{ROLE}admin"):
        assert refused(policy, action, who) == ["RefuseOtherReadersOfDerived"]


def test_nobody_but_the_api_writes_it_and_nobody_twice(policy):
    assert refused(policy, "s3:PutObject", API, **ONCE) == []
    assert refused(policy, "s3:PutObject", API) == ["RefuseWritingDerivedTwice"]
    for who in (f"{ROLE}exportrole", f"{ROLE}settlerole", "arn-of-signer"):
        assert refused(policy, "s3:PutObject", who, **ONCE) == ["RefuseOtherWritersOfDerived"]


def test_an_old_link_is_refused(policy):
    told = {"s3_authType": "REST-QUERY-STRING", "s3_signatureAge": "300001"}
    assert "RefuseOldSignedUrls" in refused(policy, "s3:GetObject", API, **told)


def test_it_ends_in_all_its_versions_and_what_no_answer_holds_ends_after_a_day():
    bucket = template.load()["Resources"]["ReportsBucket"]["Properties"]
    rules = [one for one in bucket["LifecycleConfiguration"]["Rules"] if one.get("Prefix") == "derived/"]
    ends = {one.get("ObjectSizeGreaterThan"): one["ExpirationInDays"] for one in rules}
    assert ends == {None: 30, str(MOST_BYTES): 1}
    assert {(one["Status"], one["NoncurrentVersionExpirationInDays"]) for one in rules} == {("Enabled", 1)}


def test_pages_may_read_it_where_they_may_read_images():
    resources = template.load()["Resources"]
    told = [resources[name]["Properties"]["CorsConfiguration"] for name in ("UploadsBucket", "ReportsBucket")]
    assert told[0] == told[1]
