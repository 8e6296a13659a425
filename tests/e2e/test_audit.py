"""The audit of the local cloud, sealed by its own schedule and verified by the operator's own command."""

from __future__ import annotations

import json
import sys

import pytest

from infra.local.provision import clients
from tests.support.local_cloud import run_to_end


@pytest.fixture
def local_json(town, tmp_path):
    path = tmp_path / "local.json"
    path.write_text(json.dumps(town.client.told), encoding="utf-8")
    return path


def verify(local_json, *arguments):
    command = [sys.executable, "-m", "infra.verify_audit", "--local", str(local_json), "--json", *arguments]
    done = run_to_end(command)
    return done.returncode, json.loads(done.stdout)


def test_an_hour_that_was_sealed_verifies_until_somebody_adds_to_it(town, local_json):
    sealed = town.client.run("seal")
    assert (sealed["left"], len(sealed["head"])) == (0, 64)
    code, told = verify(local_json)
    assert (code, told["findings"], set(told["head"].values())) == (0, [], {sealed["head"]})
    hour = sealed["last"][:13]
    forged = {"PK": {"S": f"{hour}#07"}, "SK": {"S": "01KB0000000000000000000000"}, "allowed": {"BOOL": True}}
    dynamodb = clients(town.client.told["s3_endpoint"])("dynamodb")
    dynamodb.put_item(TableName=town.client.told["audit_table"], Item=forged)
    code, told = verify(local_json)
    ((kind, event_id),) = [(one["kind"], one["event_id"]) for one in told["findings"]]
    assert (code, kind, event_id) == (1, "added", forged["SK"]["S"])
    assert verify(local_json, "--archive-only")[0] == 0


def test_the_comparison_with_s3s_log_can_be_run_at_once(town):
    assert [day["unexplained"] for day in town.client.run("check_reads")["days"]] == [{}, {}]
