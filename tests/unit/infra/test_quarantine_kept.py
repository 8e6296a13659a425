"""Nothing in quarantine is ever lost or served: by the template, the policies and the signer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.study import Place, StudyRef
from chalicelib.store.signer import Bucket, Credentials, PlaceOutsideGrant, S3Signer
from infra.local import template

ROOT = Path(__file__).parents[3]
RESOURCES = template.load()["Resources"]
DELETES = ("s3:Delete", "s3:PutLifecycle", "s3:PutBucket", "s3:*", "*")
NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)


def statements():
    """(whose, statement) of every function and of every role in the data stack."""
    for path in sorted((ROOT / ".chalice").glob("policy-*.json")):
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]:
            yield path.stem, statement
    for name, resource in RESOURCES.items():
        held = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Policy":
            yield from ((name, statement) for statement in held["PolicyDocument"]["Statement"])
        elif resource["Type"] == "AWS::IAM::Role":
            inline = held.get("Policies", ())
            yield from ((name, one) for policy in inline for one in policy["PolicyDocument"]["Statement"])


def about_quarantine():
    """Those that reach the quarantine's bucket, by its name or by a wildcard."""
    for whose, statement in statements():
        text = json.dumps(statement.get("Resource", ""))
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if "quarantine-" in text or "QuarantineBucket" in text or text in ('"*"', '["*"]'):
            yield whose, statement["Effect"], actions


def test_no_rule_of_the_bucket_ends_a_record_or_a_version_of_one():
    bucket = RESOURCES["QuarantineBucket"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    ends = {name for rule in rules for name in rule if "Expiration" in name}
    assert ends == set()


def test_the_bytes_of_an_upload_have_no_end_either():
    rules = RESOURCES["UploadsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    for rule in rules:
        if any("Expiration" in name for name in rule):
            assert not str(rule.get("Prefix", "")).startswith(("instances", "archives", "notices", "unpacked"))
            assert rule.get("Prefix"), rule["Id"]


def test_nobody_may_delete_a_record():
    reached = [one for one in about_quarantine() if one[1] == "Allow"]
    assert {whose for whose, _, _ in reached} >= {"policy-api", "policy-ingest"}
    wrong = [(whose, action) for whose, _, actions in reached for action in actions if action.startswith(DELETES)]
    assert wrong == []


def test_a_record_is_written_once_and_read_only_by_the_api():
    readers = {
        whose for whose, effect, actions in about_quarantine() if effect == "Allow" and "s3:GetObject" in actions
    }
    assert readers == {"policy-api"}


def test_the_signers_role_reaches_nothing_of_the_quarantine():
    reads = RESOURCES["SignerReads"]["Properties"]
    assert reads["Roles"] == [{"Ref": "SignerRole"}]
    assert "Policies" not in RESOURCES["SignerRole"]["Properties"]
    assert "uarantine" not in json.dumps(reads)


@pytest.mark.parametrize(
    "key",
    [
        "H1/2026-11-24/abc.json",
        "quarantine/H1/2026-11-24/abc.json",
        "notices/H1/2026-11-24/1.json",
        "receipts/2026-11-24/b",
        "amendments/H1/2026-11-24/a.json",
        "instances/H2/2026-11-24/a.dcm",
        "instances/H1",
    ],
)
def test_the_signer_signs_no_record_and_nothing_that_is_no_upload_of_the_granted_hospital(key):
    made_up = Credentials("AKIDEXAMPLE", "made-up", "", NOW + timedelta(hours=1))
    signer = S3Signer(Bucket("https", "b.example", "", "us-east-1"), lambda _: made_up)
    grant = Grant(Caller("doctor", "d1"), StudyRef("H1", "1.2.3"), "sms_code", "c1", NOW + timedelta(hours=1))
    with pytest.raises(PlaceOutsideGrant):
        signer.sign(grant, [Place(key, "v1", 0, 1)], NOW)
