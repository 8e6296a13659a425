"""`make rehearse`, what it says, and that nothing of it stays."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import ANY

import pytest

from infra.local import template
from infra.local.personas import PATIENT
from infra.local.story_text import TEXTS as STORY
from infra.rehearse import conditions
from infra.rehearse.steps import STEPS
from infra.rehearse.text import FRAME, NOT_REHEARSED, TEXTS
from tests.support.local_cloud import environment, run_to_end
from tests.support.made_of import CHINA, ELSEWHERE, made_of


def command(package, directory, *more):
    given = ["--package", str(package.directory), "--directory", str(directory), *more]
    return [sys.executable, "-m", "infra.rehearse", *given]


def processes(directory):
    """Of all processes, those whose working directory or arguments lie under the directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            told = (path / "cmdline").read_bytes().decode() + " " + str((path / "cwd").readlink())
        except OSError:
            continue
        if str(directory) in told:
            found.append(told)
    return found


@pytest.fixture(scope="session")
def told(package, tmp_path_factory):
    """(what the terminal showed, the directory) of one whole rehearsal."""
    directory = tmp_path_factory.mktemp("rehearsal")
    done = run_to_end(command(package, directory, "--lang", "en"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, directory


def test_every_step_of_story_and_rehearsal_holds(told):
    shown, _ = told
    assert shown.count("✓") == len(STORY) + len(STEPS)
    for text in (*STORY.values(), *TEXTS.values()):
        assert text.en in shown


def test_it_says_what_was_left_out_and_what_cannot_be_rehearsed(told):
    shown, _ = told
    assert "UploadsBucketPolicy.RefuseOldSignedUrls: s3:authType, s3:signatureAge" in shown
    assert "WebAclBeforeTheApi: AWS::WAFv2::WebACLAssociation" in shown
    assert "ApiErrorsAlarm: AWS::CloudWatch::Alarm, over more than one metric" in shown
    for one in NOT_REHEARSED:
        assert one["en"] in shown


def test_nothing_of_it_stays(told):
    _, directory = told
    assert processes(directory) == []
    endpoint = json.loads((directory / "local.json").read_text(encoding="utf-8"))["s3_endpoint"]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(endpoint.rsplit(":", 1)[1]))) != 0


def test_no_function_logs_anything_of_the_patient(told):
    _, directory = told
    text = (directory / "ministack.log").read_text(encoding="utf-8")
    names = [PATIENT.name, "Zhang^XiaoMing", PATIENT.national_id, PATIENT.phone, *PATIENT.patient_ids.values()]
    assert [one for one in [*names, "X-Amz-Signature", "eyJ"] if one in text] == []


@pytest.mark.exhaustive
def test_an_interrupted_rehearsal_leaves_nothing(package, tmp_path):
    with (tmp_path / "shown.txt").open("w") as shown:
        process = subprocess.Popen(command(package, tmp_path / "run"), env=environment(), stdout=shown)  # noqa: S603 - our own module
    give_up = time.monotonic() + 60
    while "2." not in (tmp_path / "shown.txt").read_text():
        assert time.monotonic() < give_up
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 130
    assert processes(tmp_path / "run") == []


def test_without_its_environment_it_says_what_to_do(package, tmp_path):
    done = run_to_end(command(package, tmp_path / "run"), 60, tmp_path, PYTHONPATH=str(Path(__file__).parents[2]))
    assert done.returncode == 2
    assert re.search(r"cannot rehearse: .*make rehearse", done.stderr)


def test_both_languages_have_every_sentence():
    assert set(TEXTS) == set(STEPS)
    assert set(FRAME["zh"]) == set(FRAME["en"])
    assert all(one["zh"] and one["en"] for one in NOT_REHEARSED)


def policy_of(*statements):
    document = {"Version": "2012-10-17", "Statement": [*statements]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::Sub": "reader-${AWS::Region}"}}}
    policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": document}}
    return {"Resources": {"Reader": role, "Policy": policy}}


def statements(template):
    return template["Resources"]["Policy"]["Properties"]["PolicyDocument"]["Statement"]


def test_a_refusal_by_an_unknown_condition_is_left_out_and_told():
    deny = {"Sid": "Old", "Effect": "Deny", "Action": "s3:*", "Condition": {"Null": {"s3:signatureAge": "true"}}}
    given = policy_of(deny)
    changed, told = conditions.rehearsable(given)
    assert (statements(changed), told) == ([], ["Policy.Old: s3:signatureAge"])
    assert statements(given) == [deny]


def test_an_allowance_by_an_unknown_condition_is_never_widened():
    allow = {"Effect": "Allow", "Action": ["s3:GetObject"], "Condition": {"StringEquals": {"kms:ViaService": "s3"}}}
    assert statements(conditions.rehearsable(policy_of(allow))[0]) == [allow]


def test_a_role_in_a_condition_is_named_as_role_and_as_its_session():
    named = {"Fn::GetAtt": ["Reader", "Arn"]}
    deny = {"Effect": "Deny", "Action": ["s3:GetObject"], "Condition": {"ArnNotLike": {"aws:PrincipalArn": named}}}
    (changed,) = statements(conditions.rehearsable(policy_of(deny))[0])
    session = "arn:${AWS::Partition}:sts::${AWS::AccountId}:assumed-role/reader-${AWS::Region}/*"
    assert changed["Condition"]["ArnNotLike"]["aws:PrincipalArn"] == [named, {"Fn::Sub": session}]


def test_a_role_that_is_a_parameter_is_named_as_its_session_too():
    given = {"Ref": "ReplicationRoleArn"}
    deny = {"Effect": "Deny", "Action": ["s3:*"], "Condition": {"ArnNotEquals": {"aws:PrincipalArn": given}}}
    (changed,) = statements(conditions.rehearsable(policy_of(deny))[0])
    name = {"Name": {"Fn::Select": [1, {"Fn::Split": [":role/", given]}]}}
    session = {"Fn::Sub": ["arn:${AWS::Partition}:sts::${AWS::AccountId}:assumed-role/${Name}/*", name]}
    assert changed["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] == [given, session]


def test_a_key_allowed_by_its_alias_is_allowed_by_itself():
    alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/imaging-cloud-mac"}}
    allow = {"Effect": "Allow", "Action": "kms:GenerateMac", "Resource": "*", "Condition": alias}
    (changed,) = statements(conditions.rehearsable(policy_of(allow))[0])
    assert changed == {"Effect": "Allow", "Action": ["kms:GenerateMac"], "Resource": {"Ref": "MacKeyId"}}


def test_who_may_delete_versions_may_delete_the_first_of_many_and_nobody_is_refused_more():
    allow = {"Effect": "Allow", "Action": ["s3:DeleteObjectVersion"]}
    deny = {"Effect": "Deny", "Action": ["s3:DeleteObjectVersion"]}
    changed = statements(conditions.rehearsable(policy_of(allow, deny))[0])
    assert changed == [{"Effect": "Allow", "Action": ["s3:DeleteObjectVersion", "s3:DeleteObject"]}, deny]


@pytest.mark.parametrize(
    ("chosen", "refused"),
    [({}, {}), ({"Disposal": "off"}, {}), ({"Disposal": "on"}, {"ArnNotLike": {"aws:PrincipalArn": ANY}})],
)
def test_a_policys_choices_are_made_by_the_parameters_it_is_deployed_with(chosen, refused):
    changed, _ = conditions.rehearsable(template.load(), chosen)
    document = changed["Resources"]["UploadsBucketPolicy"]["Properties"]["PolicyDocument"]
    (found,) = [one for one in document["Statement"] if one["Sid"] == "RefuseDisposal"]
    assert found.get("Condition", {}) == refused


def test_what_the_emulator_does_not_know_is_left_out_and_told():
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}
    math = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": []}}
    selection = {"Type": "AWS::Backup::BackupSelection"}
    changed, told = conditions.rehearsable({"Resources": {"One": alarm, "Two": math, "Three": selection}})
    assert changed["Resources"] == {"One": alarm}
    assert told == ["Two: AWS::CloudWatch::Alarm, over more than one metric", "Three: AWS::Backup::BackupSelection"]


def test_an_apis_binary_media_types_are_those_of_its_document():
    types = ["image/png", "*/*"]
    api = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": {conditions.BINARY_TYPES: types}}}
    changed, told = conditions.rehearsable({"Resources": {"Api": api}})
    assert (changed["Resources"]["Api"]["Properties"]["BinaryMediaTypes"], told) == (types, [])
    assert "BinaryMediaTypes" not in api["Properties"]


def test_cloudfront_goes_to_another_port_for_the_api_and_nowhere_else_otherwise():
    given = template.load(Path(__file__).parents[2] / "infra/front.yaml")
    changed = conditions.near(given, 1234)
    pages, api = changed["Resources"]["Front"]["Properties"]["DistributionConfig"]["Origins"]
    assert api["CustomOriginConfig"].pop("HTTPSPort") == 1234
    before = given["Resources"]["Front"]["Properties"]["DistributionConfig"]["Origins"]
    assert before[1]["CustomOriginConfig"].pop("HTTPSPort") == 443
    assert (changed, pages) == (given, before[0])


def test_china_is_rehearsed_by_its_condition_in_a_bucket_of_its_own():
    given = template.load(Path(__file__).parents[2] / "infra/front.yaml")
    changed = conditions.near(given, 1234, china=True)
    name = changed["Resources"]["PagesBucket"]["Properties"]["BucketName"]
    resources = made_of(changed, ELSEWHERE)
    assert (name, "PagesIdentity" in resources, "PagesAccess" in resources) == (
        "imaging-cloud-pages-china",
        True,
        False,
    )
    assert made_of(given, CHINA).keys() == resources.keys() - {one for one in resources if one.startswith("Edge")}


def test_an_origin_access_identity_is_named_by_its_user():
    user = {"CanonicalUser": {"Fn::GetAtt": ["PagesIdentity", "S3CanonicalUserId"]}}
    allow = {"Effect": "Allow", "Action": ["s3:GetObject"], "Principal": user}
    (changed,) = statements(conditions.rehearsable(policy_of(allow))[0])
    named = "arn:${AWS::Partition}:iam::cloudfront:user/CloudFront Origin Access Identity ${PagesIdentity}"
    assert changed["Principal"] == {"AWS": {"Fn::Sub": named}}
