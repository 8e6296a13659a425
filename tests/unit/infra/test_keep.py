"""Backups of the tables and copies in another region: off unless asked for, and held by nobody's role."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra.local import template
from tests.support.deployed import ROLE, bucket_policy, deployed
from tests.support.made_of import CHINA, ELSEWHERE, made_of
from tests.support.policy import refused_by
from tests.support.taggable import untagged

ROOT = Path(__file__).parents[3]
DATA, KEEP, REPLICA = (template.load(ROOT / f"infra/{name}.yaml") for name in ("data", "keep", "replica"))
ELSEWHERE_BUCKET = "arn:aws-cn:s3:::imaging-cloud-uploads-replica-1-cn-northwest-1"
KEY = "arn:aws-cn:kms:cn-northwest-1:123456789012:key/0a-1b"
VAULT = "arn:aws-cn:backup:cn-northwest-1:123456789012:backup-vault:imaging-cloud-replica"
COPIED = {"ReplicaUploadsArn": ELSEWHERE_BUCKET, "ReplicaKeyArn": KEY}
DISPOSING = {"s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:DeleteObject"}


def rules(made, bucket="UploadsBucket"):
    return made[bucket]["Properties"].get("ReplicationConfiguration", {}).get("Rules", [])


def statements(resource):
    return resource["Properties"]["PolicyDocument"]["Statement"]


def actions(made, *kinds):
    for one in made.values():
        if one["Type"] in kinds:
            for statement in statements(one):
                named = statement["Action"]
                yield from [named] if isinstance(named, str) else named


def test_nothing_is_copied_unless_a_bucket_is_named():
    made = made_of(DATA, CHINA)
    assert (rules(made), rules(made, "AuditArchiveBucket")) == ([], [])
    assert [name for name in made if name.startswith("Cop") or name == "ReplicationRole"] == []
    assert "ReplicationRole" not in deployed().resources("AWS::IAM::Role")


def test_a_named_bucket_gets_all_uploads_with_their_locks_and_delete_markers_under_its_regions_key():
    made = made_of(DATA, CHINA, **COPIED)
    (rule,) = rules(made)
    assert rules(made, "AuditArchiveBucket") == []
    assert (rule["Status"], rule["Filter"], rule["DeleteMarkerReplication"]) == (
        "Enabled",
        {"Prefix": ""},
        {"Status": "Enabled"},
    )
    assert rule["SourceSelectionCriteria"]["SseKmsEncryptedObjects"] == {"Status": "Enabled"}
    there = rule["Destination"]
    assert there["EncryptionConfiguration"] == {"ReplicaKmsKeyID": {"Ref": "ReplicaKeyArn"}}
    assert there["Metrics"] == {"Status": "Enabled"}
    assert {"s3:GetObjectRetention", "s3:GetObjectLegalHold"} <= set(
        actions({"CopyUploads": made["CopyUploads"]}, "AWS::IAM::Policy")
    )


def test_the_archive_of_the_audit_can_be_copied_alone():
    made = made_of(DATA, CHINA, ReplicaAuditArn=ELSEWHERE_BUCKET, ReplicaKeyArn=KEY)
    assert (len(rules(made)), len(rules(made, "AuditArchiveBucket"))) == (0, 1)
    assert "CopyUploads" not in made
    assert {"ReplicationRole", "CopyAudit", "CopyKeys"} <= set(made)


def test_the_role_of_copying_can_neither_read_for_itself_nor_delete_here():
    copying = {name: one for name, one in made_of(DATA, CHINA, **COPIED).items() if name.startswith("Cop")}
    allowed = set(actions(copying, "AWS::IAM::Policy"))
    assert allowed & {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", *DISPOSING} == set()


def test_the_alarm_looks_at_the_rule_that_copies():
    (rule,) = rules(made_of(DATA, CHINA, **COPIED))
    alarm = KEEP["Resources"]["ReplicationFailingAlarm"]["Properties"]
    assert {"Name": "RuleId", "Value": rule["Id"]} in alarm["Dimensions"]


def test_both_tables_that_matter_are_backed_up_every_day_and_every_month():
    made = made_of(KEEP, CHINA)
    chosen = json.dumps(made["Tables"]["Properties"]["BackupSelection"]["Resources"])
    assert [name for name in ("MainTable", "AuditTable") if name not in chosen] == []
    daily, monthly = made["Plan"]["Properties"]["BackupPlan"]["BackupPlanRule"]
    assert (daily["RuleName"], monthly["RuleName"]) == ("daily", "monthly")
    assert "MoveToColdStorageAfterDays" not in daily["Lifecycle"]
    assert "CopyActions" not in daily


@pytest.mark.parametrize("rule", [0, 1])
def test_each_backup_goes_to_the_other_region_too_once_a_vault_is_named(rule):
    made = made_of(KEEP, CHINA, CopyVaultArn=VAULT)
    given = made["Plan"]["Properties"]["BackupPlan"]["BackupPlanRule"][rule]
    (copy,) = given["CopyActions"]
    assert copy["Lifecycle"] == given["Lifecycle"]
    assert "CopyElsewhere" in made


def test_cold_storage_keeps_what_aws_demands_whatever_is_chosen():
    """Ninety days cold at least, or the plan is refused."""
    of = KEEP["Parameters"]
    assert of["MonthlyDays"]["MinValue"] >= of["MonthlyColdAfterDays"]["MaxValue"] + 90
    assert of["MonthlyDays"]["MinValue"] > of["DailyDays"]["MaxValue"]  # or the vault's lock would refuse one of them


@pytest.mark.parametrize(("days", "changeable"), [("0", False), ("14", True)])
def test_the_lock_is_for_good_only_where_that_was_chosen(days, changeable):
    lock = made_of(KEEP, ELSEWHERE, LockAfterDays=days)["Vault"]["Properties"]["LockConfiguration"]
    assert ("ChangeableForDays" in lock) == changeable


def test_nobody_disposes_of_a_backup_and_the_roles_cannot():
    for body, vault in ((KEEP, "Vault"), (REPLICA, "VaultReplica")):
        (refusal,) = [
            one
            for one in body["Resources"][vault]["Properties"]["AccessPolicy"]["Statement"]
            if one["Effect"] == "Deny"
        ]
        assert (refusal["Principal"], "backup:DeleteRecoveryPoint" in refusal["Action"]) == ("*", True)
    assert [
        one for one in actions(KEEP["Resources"], "AWS::IAM::Policy") if re.search("Delete(?!Item)|Purge", one)
    ] == []


def test_only_aws_backup_becomes_the_role_that_restores_and_only_ours_are_restored():
    (trust,) = KEEP["Resources"]["RestoreRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "backup.amazonaws.com"}
    (written,) = [one for one in statements(KEEP["Resources"]["Restore"]) if "dynamodb:PutItem" in one["Action"]]
    names = [one["Fn::Sub"].rpartition("/")[2] for one in written["Resource"]]
    assert names == ["${MainTable}*", "${AuditTable}*"]


@pytest.mark.parametrize(("bucket", "mode"), [("UploadsReplica", "GOVERNANCE"), ("AuditReplica", "COMPLIANCE")])
def test_the_other_regions_buckets_are_locked_versioned_and_shut(bucket, mode):
    properties = REPLICA["Resources"][bucket]["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["ObjectLockEnabled"] is True
    assert properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Mode"] == mode
    refused = [one for one in statements(REPLICA["Resources"][f"{bucket}Policy"]) if one["Effect"] == "Deny"]
    named = {
        action for one in refused for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    assert {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObjectVersion"} <= named


def test_whoever_may_write_there_is_one_role_and_need_not_stand_yet():
    """A principal that does not exist is refused by KMS and S3; a condition is not."""
    resources = REPLICA["Resources"]
    documents = [
        one["Properties"].get(name)
        for one in resources.values()
        for name in ("KeyPolicy", "AccessPolicy", "PolicyDocument")
    ]
    allowed = [one for body in documents if body for one in body["Statement"] if one["Effect"] == "Allow"]
    ours = [one for one in allowed if one.get("Sid") != "AccountAdministers"]
    assert len(ours) == 6
    for one in ours:
        role = one["Condition"]["ArnEquals"]["aws:PrincipalArn"]
        assert one["Principal"] == {"AWS": {"Fn::Select": [4, {"Fn::Split": [":", role]}]}}


def test_the_copies_lock_is_that_of_the_original():
    for name in ("UploadsLockYears", "AuditArchiveYears"):
        assert REPLICA["Parameters"][name]["Default"] == DATA["Parameters"][name]["Default"]
    assert REPLICA["Parameters"]["MinBackupDays"]["Default"] == KEEP["Parameters"]["DailyDays"]["Default"]
    assert REPLICA["Parameters"]["MaxBackupDays"]["Default"] == KEEP["Parameters"]["MonthlyDays"]["Default"]


@pytest.mark.parametrize("body", [KEEP, REPLICA])
def test_everything_outlives_its_stack_says_what_it_costs_for_and_names_no_region(body):
    kept = {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Backup::BackupVault"}
    lost = [
        name for name, one in body["Resources"].items() if one["Type"] in kept and one.get("DeletionPolicy") != "Retain"
    ]
    assert lost == []
    assert [name for name in untagged(body) if not body["Resources"][name]["Type"].startswith("AWS::Backup")] == []
    assert re.findall(r"arn:aws:|cn-north|us-east", json.dumps(body["Resources"])) == []


@pytest.mark.parametrize("name", ["keep", "replica"])
def test_what_a_stack_is_given_is_what_another_puts_out(name):
    """`CopyVaultArn` and its kin come from the stacks' outputs under the same names."""
    outputs = {*DATA["Outputs"], *KEEP["Outputs"], *REPLICA["Outputs"]}
    wanted = {"keep": {"MainTable", "AuditTable", "AlarmsTopicArn", "UploadsBucket", "CopyVaultArn"}, "replica": set()}
    assert wanted[name] <= outputs & {*(KEEP if name == "keep" else REPLICA)["Parameters"]}


def test_nobody_but_who_sorts_receipts_can_make_a_lost_upload_look_received():
    policy = bucket_policy(deployed(ReportsBucket="reports"), "ReportsBucketPolicy")
    part = "arn:aws-cn:s3:::reports/reconcile/20261124T180000.000000Z/2026-11-24-a--last"

    def refused(who):
        return refused_by(policy, "s3:PutObject", part, aws_PrincipalArn=f"{ROLE}{who}", aws_SecureTransport="true")

    assert refused("reconcilepiecesrole") == []
    for other in ("reportrole", "exportrole", "reconcilerole", "apihandlerrole", "admin"):
        assert refused(other) == ["RefuseOtherWritersOfSortedReceipts"]


def test_sorted_receipts_outlive_the_letters_that_name_them_and_no_longer():
    resources = DATA["Resources"]
    rules = resources["ReportsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [one for one in rules if one.get("Prefix") == "reconcile/"]
    waits = resources["ReconcileQueue"]["Properties"]["MessageRetentionPeriod"] / 86400
    assert waits < rule["ExpirationInDays"] <= 7


@pytest.mark.parametrize("name", ["infra/README.md", "infra/README.zh-CN.md"])
def test_what_copies_cost_is_as_it_is_multiplied(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    number = r"([0-9][0-9.,]*)"
    told = re.findall(rf"{number}(?: GB)? [x×] {number} = (?:每天 )?{number}", text)
    assert len(told) == 3
    for factors in told:
        first, second, product = (float(one.replace(",", "")) for one in factors)
        assert first * second == pytest.approx(product)
