"""What the README tells people to do after `make run`."""

from __future__ import annotations

import signal

import boto3
import pytest

from infra.local.client import fetch
from infra.local.story_images import today
from tests.support.dicom_files import instance
from tests.support.local_cloud import start


def test_a_login_by_name_opens_what_its_role_may_see(town):
    told = town.client.told
    token = fetch(f"{told['token_url']}?login=regulator").body.decode()
    answer = fetch(f"{told['api_url']}/compliance/flags", {"Authorization": f"Bearer {token}"})
    assert answer.status == 200


def test_the_tokens_in_local_json_are_good(town):
    told = town.client.told
    for login in told["logins"].values():
        answer = fetch(told["api_url"] + "/session", {"Authorization": f"Bearer {login['token']}"}, b"{}", "POST")
        assert answer.status != 401


@pytest.mark.parametrize("function", ["sweep", "reconcile", "report"])
def test_a_schedule_can_be_run_at_once(town, function):
    assert function in fetch(town.client.told["issuer_url"] + "/functions").json
    assert isinstance(town.client.run(function), dict)


def test_a_hospital_uploads_with_the_credentials_it_was_given(town):
    told = town.client.told
    hospital = told["hospitals"][0]
    body = {"hospital_id": hospital["hospital_id"], "name": hospital["name"]}
    town.caller("regulator").ask("POST", "/hospitals", body).of(200, 201)
    s3 = boto3.session.Session(
        hospital["access_key_id"], hospital["secret_access_key"], region_name=told["region"]
    ).client("s3", endpoint_url=told["s3_endpoint"])
    key = hospital["prefixes"]["instances"].replace("{yyyy-mm-dd}", today()) + "look-around.dcm"
    s3.put_object(Bucket=hospital["bucket"], Key=key, Body=instance(study="1.2.9.9"))
    town.study(hospital["hospital_id"], "1.2.9.9", served=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_told_to(tmp_path, number):
    process, client = start(tmp_path)
    process.send_signal(number)
    assert process.wait(30) == 0
    with pytest.raises(OSError, match="refused"):
        fetch(client.told["api_url"] + "/health")
