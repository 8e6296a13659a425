"""`make run ONCE=1`, and what it leaves behind."""

from __future__ import annotations

import json
import socket

import pytest

from infra.local.personas import LOGINS, PATIENT
from infra.local.story_text import TEXTS
from tests.support.local_cloud import command, run_to_end


@pytest.fixture(scope="session")
def told(tmp_path_factory):
    """(what the terminal showed, the directory) of one run in Chinese."""
    directory = tmp_path_factory.mktemp("story")
    done = run_to_end(command("--once", "--port", 0, "--directory", directory, "--lang", "zh"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, directory


def test_every_step_of_the_story_holds(told):
    shown, _ = told
    assert shown.count("✓") == len(TEXTS)
    for text in TEXTS.values():
        assert text.zh in shown


def test_local_json_says_all_that_a_client_needs(told):
    _, directory = told
    said = json.loads((directory / "local.json").read_text(encoding="utf-8"))
    assert {"api_url", "s3_endpoint", "region", "issuer_url", "sms_outbox"} <= set(said)
    assert set(said["buckets"]) == {"uploads", "reports", "quarantine", "audit_archive"}
    assert {one["role"] for one in said["logins"].values()} == {login.role for login in LOGINS}
    assert all(one["token"] and one["how"] for one in said["logins"].values())
    assert len(said["hospitals"]) == 2
    assert all(one["access_key_id"] and one["secret_access_key"] for one in said["hospitals"])


def test_no_log_holds_anything_of_the_patient(told):
    """DESIGN §3, STYLE 12: the main paths have run; their logs are read."""
    _, directory = told
    outbox = (directory / "sms-outbox.jsonl").read_text(encoding="utf-8").splitlines()
    codes = [json.loads(line)["values"]["code"] for line in outbox]
    assert codes
    names = [PATIENT.name, "Zhang^XiaoMing", PATIENT.national_id, PATIENT.phone, *PATIENT.patient_ids.values()]
    for log in ("local.log", "functions.log"):
        text = (directory / log).read_text(encoding="utf-8")
        assert text
        for secret in [*names, "X-Amz-Signature", "eyJ"]:
            assert secret not in text, f"{log} holds {secret}"
        assert not any(f'"{code}"' in text for code in codes)


def test_a_port_in_use_is_told_with_what_to_do(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_to_end(command("--once", "--port", port, "--directory", tmp_path), 60)
    assert done.returncode == 2
    assert f"port {port} for the API is taken" in done.stderr
    assert "PORT=" in done.stderr
