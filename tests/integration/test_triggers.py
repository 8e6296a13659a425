"""app.py's own triggers, fed by the cloud's own queues: from a PUT to what a doctor, a regulator and a rebuild see."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import requests

import app
from chalicelib import wiring
from chalicelib.domain.study import StudyRef
from infra.local.personas import LAKE, PATIENT, RIVER
from infra.local.poller import scheduled_event
from infra.local.samples import chest_ct, make_pack
from tests.support.country import Country
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]

PDF = b"%PDF-1.7 made up"


@pytest.fixture
def country(cloud, served):
    return Country(cloud, served)


def reference(country):
    """The one study that the patient now has."""
    mine = country.served.ask("GET", "/me/studies", "patient", person_id=country.person_id).json_body["studies"]
    return StudyRef(mine[0]["hospital_id"], mine[0]["study_instance_uid"])


def test_slices_go_in_by_put_and_come_out_byte_identical(country):
    files = chest_ct(slices=3)
    for number, file in enumerate(files):
        country.put("instances", f"第 {number}+%.dcm", file)
    country.drain("instances", "settle.fifo")
    seen = country.seen(reference(country))
    got = [requests.get(one["url"], timeout=5).content for one in seen["series"][0]["instances"]]
    assert got == files
    assert seen["study"]["patient_name"] == f"Zhang^XiaoMing={PATIENT.name}"


def test_a_pack_goes_in_by_one_put_and_comes_out_by_ranges(country):
    files = chest_ct(slices=3)
    country.put("archives", "pack.zip", make_pack(files))
    country.drain("archives", "settle.fifo")
    instances = country.seen(reference(country))["series"][0]["instances"]
    assert len({one["url"] for one in instances}) == 1
    got = [requests.get(one["url"], headers={"Range": one["range"]}, timeout=5).content for one in instances]
    assert got == files


def test_a_visit_a_report_and_a_deadline_come_by_notice(country):
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    patient = {"patient_id": PATIENT.patient_ids[LAKE.hospital_id], "name": PATIENT.name, "sex": "M"}
    visit = {"type": "encounter", "encounter_id": "门诊/1", "status": "open", "patient": patient}
    visit |= {"patient_class": "outpatient", "at": ended.isoformat(), "doctor_id": "d1"}
    country.tell(visit, LAKE.hospital_id)
    at_home = {**patient, "patient_id": PATIENT.patient_ids[RIVER.hospital_id]}
    exam = {"type": "exam", "notice_id": "n1", "status": "performed", "accession_number": "SYN2503100001"}
    exam |= {"patient": at_home, "patient_class": "outpatient", "modality": "CT", "procedure": "胸部CT平扫"}
    report = {"content_type": "application/pdf", "content_base64": base64.b64encode(PDF).decode()}
    country.tell({**exam, "performed_at": ended.isoformat(), "report": report}, RIVER.hospital_id)
    for number, file in enumerate(chest_ct(slices=2)):
        country.put("instances", f"{number}.dcm", file)
    country.drain("notices", "instances", "settle.fifo")
    (told,) = country.seen(reference(country))["reports"]
    assert told["content_type"] == "application/pdf"
    got = requests.get(told["url"], timeout=5)
    assert (got.content, got.headers["Content-Type"]) == (PDF, "application/pdf")
    asked = country.served.ask(
        "POST",
        "/consent-requests",
        "doctor",
        {"encounter_id": "门诊/1", "purpose": "treatment"},
        hospital_id=LAKE.hospital_id,
    )
    assert asked.status_code == 202


def test_what_is_no_dicom_stands_in_the_hospitals_own_quarantine(country):
    key = country.put("instances", "notes.txt", b"not an image" * 100)
    country.drain("instances")
    asked = country.served.ask("GET", "/hospital/quarantine", "hospital", hospital_id=RIVER.hospital_id)
    assert [one["key"] for one in asked.json_body["records"]] == [key]
    other = country.served.ask("GET", "/hospital/quarantine", "hospital", hospital_id=LAKE.hospital_id)
    assert other.json_body["records"] == []


def test_a_study_is_rebuilt_from_the_bucket_alone(country):
    for number, file in enumerate(chest_ct(slices=2)):
        country.put("instances", f"{number}.dcm", file)
    country.drain("instances", "settle.fifo")
    ref = reference(country)
    before = wiring.studies().summary(ref)
    for table in ("JOURNAL_TABLE", "MAIN_TABLE"):
        name = country.cloud.settings[table]
        client = country.cloud.client("dynamodb")
        for item in client.scan(TableName=name)["Items"]:
            if item["PK"]["S"].startswith(("STUDY#", "UID#", RIVER.hospital_id)):
                client.delete_item(TableName=name, Key={"PK": item["PK"], "SK": item["SK"]})
    answer = country.functions("reindex", {"after": ""})
    assert (answer["done"], answer["objects"], answer["settled"], answer["left"]) == (True, 2, 1, 0)
    assert wiring.studies().summary(ref) == before


def test_the_schedules_run_by_their_triggers(country):
    swept = country.run("sweep")
    assert (swept["held"], swept["judged"]) == (False, 0)
    assert country.run("reconcile") == {"pieces": 48}
    country.drain("reconcile")
    made = country.run("report", day="2026-11-23")
    assert (made["day"], made["periods"][0]) == ("2026-11-23", "2026-11-23")
    asked = country.served.ask("GET", "/compliance/reports/2026-11-23", "regulator")
    assert {one["hospital_id"] for one in asked.json_body["hospitals"]} == {RIVER.hospital_id, LAKE.hospital_id}
    yesterday = (datetime.now(UTC) + timedelta(hours=8)).date() - timedelta(days=1)
    assert country.run("report")["day"] == yesterday.isoformat()


def test_a_report_that_ran_out_of_time_says_so(country, monkeypatch):
    class NoTime:
        def get_remaining_time_in_millis(self):
            return 0

    with pytest.raises(TimeoutError):
        app.report(scheduled_event("report"), NoTime())


def test_the_answers_of_triggers_can_be_sent_as_json(country):
    country.put("instances", "notes.txt", b"not an image" * 100)
    for name in ("sweep", "reconcile"):
        json.dumps(country.run(name))
    json.dumps(country.functions("reindex", {}))
