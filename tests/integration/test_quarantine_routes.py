"""A quarantine from the hospital's PUT over its questions and corrections to the commission's answer, by HTTP."""

import json

import pytest

from chalicelib.domain.study import StudyRef
from infra.local.personas import LAKE, RIVER
from infra.local.samples import chest_ct
from tests.support.country import Country
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]


@pytest.fixture
def country(cloud, served):
    return Country(cloud, served)


def hospital(country, method, path, body=None):
    answer = country.served.ask(method, f"/hospital/{path}", "hospital", body, hospital_id=RIVER.hospital_id)
    return answer.status_code, answer.json_body


def regulator(country, method, path, body=None):
    answer = country.served.ask(method, f"/compliance/quarantine{path}", "regulator", body)
    return answer.status_code, answer.json_body


def listed(country):
    (found,) = hospital(country, "GET", "quarantine")[1]["records"]
    return found


def test_a_corrected_upload_closes_the_entry_that_its_broken_file_left(country):
    (file,) = chest_ct(slices=1)
    country.put("instances", "cut.dcm", file[:3000])
    country.drain("instances")
    entry = listed(country)
    assert (entry["reason"], entry["state"], entry["replaced_by"]) == ("truncated", "open", None)
    assert entry["remedy"]["zh"].endswith("。")
    key = country.put("instances", "whole.dcm", file)
    country.drain("instances", "settle.fifo")
    uid = uid_of(country)
    receipt = hospital(country, "GET", f"studies/{uid}/receipt")[1]
    (arrived,) = (one["arrived"] for one in receipt["entries"])
    assert (arrived["key"], arrived["sop_instance_uid"]) == (key, entry["sop_instance_uid"])
    sent = {"entry_id": entry["entry_id"], "study_instance_uid": uid, "version_id": arrived["version_id"]}
    status, closed = hospital(country, "POST", "quarantine/replaced", sent)
    assert (status, closed["state"]) == (200, "closed")
    assert listed(country) == closed
    assert closed["replaced_by"]["version_id"] == arrived["version_id"]
    seen = json.dumps(country.seen(StudyRef(RIVER.hospital_id, uid)))  # with every signed URL
    assert (f"versionId={arrived['version_id']}" in seen, entry["version_id"] in seen) == (True, False)
    again = {"entry_id": entry["entry_id"], "ground": "misjudged"}
    status, told = hospital(country, "POST", "quarantine/release", again)
    assert (status, told["error"], told["reason"]) == (409, "quarantine_refused", "entry_closed")


def uid_of(country):
    mine = country.served.ask("GET", "/me/studies", "patient", person_id=country.person_id).json_body["studies"]
    return mine[0]["study_instance_uid"]


def test_a_release_is_asked_for_granted_and_judged_by_the_same_rules(country):
    key = country.put("archives", "张小明.zip", b"PK\x03\x04 broken")
    country.drain("archives")
    entry = listed(country)
    assert (entry["key"], entry["release_grounds"].keys()) == (key, {"misjudged"})
    asked = {"entry_id": entry["entry_id"], "ground": "misjudged"}
    assert hospital(country, "POST", "quarantine/release", asked)[0] == 202
    (waits,) = regulator(country, "GET", "")[1]["requests"]
    assert (waits["entry_id"], waits["hospital_id"], waits["state"]) == (
        entry["entry_id"],
        RIVER.hospital_id,
        "asked",
    )
    (seen,) = regulator(country, "GET", f"/{RIVER.hospital_id}")[1]["records"]
    assert "张小明" not in json.dumps([waits, seen], ensure_ascii=False)
    decision = {"entry_id": entry["entry_id"], "decision": "grant", "note": "再看一次"}
    assert regulator(country, "POST", f"/{RIVER.hospital_id}/decisions", decision)[0] == 200
    country.drain("archives")  # fed again, and still no archive
    entry = listed(country)
    assert (entry["state"], entry["note"], entry["reason"]) == ("granted", "再看一次", "bad_archive")
    assert regulator(country, "GET", "")[1]["requests"] == []
    refused = regulator(country, "POST", f"/{RIVER.hospital_id}/decisions", {**decision, "decision": "refuse"})
    assert (refused[0], refused[1]["reason"]) == (409, "not_asked")


def test_nobody_else_can_touch_a_hospitals_entry(country):
    country.put("instances", "notes.txt", b"not an image" * 100)
    country.drain("instances")
    entry = listed(country)
    body = {"entry_id": entry["entry_id"], "ground": "misjudged"}
    for path in ("release", "replaced"):
        other = country.served.ask(
            "POST", f"/hospital/quarantine/{path}", "hospital", body, hospital_id=LAKE.hospital_id
        )
        assert (other.status_code, other.json_body["error"]) == (404, "not_found")
    decision = {"entry_id": entry["entry_id"], "decision": "grant", "note": "再看一次"}
    assert regulator(country, "POST", f"/{LAKE.hospital_id}/decisions", decision)[0] == 404
    assert regulator(country, "GET", "/H404")[0] == 404
    assert regulator(country, "GET", "?token=nonsense")[0] == 400
    assert regulator(country, "GET", f"/{RIVER.hospital_id}?token=nonsense")[0] == 400
    assert regulator(country, "GET", "/unknown") == (200, {"records": [], "next_token": ""})
    assert hospital(country, "POST", "quarantine/release", body)[1]["reason"] == "not_releasable"
    assert listed(country) == entry
