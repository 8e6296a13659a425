"""A person's copy of their record: asked for, built by the queue's function, fetched by a link, and readable."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

import app
from chalicelib import wiring
from chalicelib.domain.access import AccessDenied
from chalicelib.domain.consent import Consent
from chalicelib.domain.exam import NoticeFact
from chalicelib.domain.export import EXPORT_KEPT, EXPORT_NAME
from chalicelib.domain.hand_over import HandOver
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.study import StudyRef
from chalicelib.events.exports import exports
from chalicelib.wiring.exceptions import hand_overs
from infra.local.poller import Functions, QueuePoller
from tests.support.served_app import NAME, PHONE, jwks_url, national_id, served

__all__ = ["jwks_url", "served"]

SECTIONS = (
    "person",
    "identities",
    "former_links",
    "visits",
    "exams",
    "exam_notices",
    "studies",
    "consents",
    "requests",
    "accesses",
    "guardians",
    "wards",
    "notices",
    "reviews",
    "hand_overs",
)


def build(cloud):
    functions = Functions(app)
    source = functions.queues()["imaging-cloud-exports"]
    return QueuePoller(cloud.client("sqs"), "imaging-cloud-exports", source, functions).poll()


def asked(served, person_id, method="POST"):
    body = {"confirm": "yes"} if method == "POST" else None
    return served.ask(method, "/me/export", "patient", body, person_id=person_id)


def fetched(served, cloud, person_id):
    assert asked(served, person_id).status_code == 202
    assert build(cloud)
    told = asked(served, person_id, "GET").json_body
    got = requests.get(told["url"], timeout=5)
    assert (got.status_code, got.headers["Content-Type"]) == (200, "application/zip")
    return zipfile.ZipFile(io.BytesIO(got.content)), told


@pytest.fixture
def lived(served):
    """A person with identities, studies, a consent used and taken back, something hidden, and their id."""
    person_id = served.prepare()
    served.manifest()
    consent = served.consent()
    served.manifest()
    mine = {"person_id": person_id}
    served.ask("POST", "/me/consents/revoke", "patient", {"consent_id": consent["consent_id"]}, **mine)
    study = {"hospital_id": "H1", "study_instance_uid": "1.2.840.1"}
    served.ask("POST", "/me/studies/hide", "patient", study, **mine)
    return person_id


def test_the_archive_holds_all_that_the_persons_own_routes_tell_and_names_nobody_else(served, cloud, lived):
    archive, _ = fetched(served, cloud, lived)
    assert archive.testzip() is None
    assert archive.namelist() == ["index.html", *(f"data/{section}.json" for section in SECTIONS)]
    told = {section: json.loads(archive.read(f"data/{section}.json")) for section in SECTIONS}
    assert (told["person"]["name"], told["person"]["phone"]) == (NAME, "139****5678")
    assert {(one["hospital_id"], one["patient_id"]) for one in told["identities"]} == {("H1", "P1"), ("H2", "Q1")}
    (study,) = told["studies"]
    assert (study["study_instance_uid"], study["hidden"], study["hospital"]["zh"]) == ("1.2.840.1", True, "H1医院")
    assert study["images_at"] == "/hospitals/H1/studies/1.2.840.1/manifest"
    (consent,) = told["consents"]
    assert consent["revoked_at"]
    assert [one["outcome"] for one in told["requests"]] == ["approved"]
    accesses = served.ask("GET", "/me/accesses", "patient", person_id=lived).json_body["accesses"]
    seen = [one["sentence"] for one in told["accesses"]]
    assert all(one["sentence"] in seen for one in accesses if one["action"] != "export_record")
    assert [one["kind"] for one in told["notices"]]


def test_the_page_reads_in_both_languages_and_runs_and_loads_nothing(served, cloud, lived):
    archive, _ = fetched(served, cloud, lived)
    page = archive.read("index.html").decode()
    for said in (NAME, "您是谁", "Who you are", "检查", "Studies", "139****5678", "谁看过", "已隐藏", "hidden"):
        assert said in page
    for danger in ("<script", "http://", "https://", "src=", "@import", "url("):
        assert danger not in page
    everything = page + "".join(archive.read(name).decode() for name in archive.namelist())
    assert national_id() not in everything
    assert PHONE not in everything


def test_what_hospitals_write_cannot_become_markup(served, cloud):
    served.open_hospitals()
    person_id = served.register(patient_id="<img src=x onerror=alert(1)>", name="<b>王</b>&'\"")
    archive, _ = fetched(served, cloud, person_id)
    page = archive.read("index.html").decode()
    assert "<img" not in page
    assert "<b>王" not in page
    assert "&lt;img src=x" in page


def test_the_link_names_nobody_lives_five_minutes_and_never_past_the_archive(served, cloud, lived):
    _, told = fetched(served, cloud, lived)
    parts = urlsplit(told["url"])
    assert parts.path.endswith(f"/{EXPORT_NAME}")
    for planted in (lived, PHONE, national_id()):
        assert planted not in told["url"]
    assert parse_qs(parts.query)["X-Amz-Expires"] == ["300"]
    assert told["state"] == "ready"
    export = wiring.read_export().exports.get(lived)
    signer = wiring.read_export().signer
    late = parse_qs(urlsplit(signer.sign_export(export, export.expires_at - timedelta(seconds=90))).query)
    assert late["X-Amz-Expires"] == ["90"]
    with pytest.raises(AccessDenied):
        signer.sign_export(export, export.expires_at)
    assert export.state(export.ready_at + EXPORT_KEPT) == "expired"


def test_only_the_person_gets_it_and_each_step_is_on_record(served, cloud, lived):
    assert asked(served, lived, "GET").json_body["state"] == "none"
    fetched(served, cloud, lived)
    assert asked(served, "SOMEBODYELSE", "GET").json_body == {
        "state": "none",
        "asked_at": None,
        "expires_at": None,
        "url": "",
    }
    accesses = served.ask("GET", "/me/accesses", "patient", person_id=lived).json_body["accesses"]
    assert [one["reason"] for one in accesses if one["action"] == "export_record"] == ["fetched", "asked"]


def test_asking_twice_while_it_is_built_builds_one_and_three_a_day_are_enough(served, cloud, lived):
    for _ in range(2):
        assert asked(served, lived).json_body["state"] == "building"
    assert build(cloud)
    assert not build(cloud)
    for _ in range(2):
        assert asked(served, lived).status_code == 202
        build(cloud)
    refused = asked(served, lived)
    assert (refused.status_code, refused.json_body["error"]) == (429, "export_limit")


def test_a_frozen_record_is_neither_built_nor_fetched(served, cloud, lived):
    assert asked(served, lived).status_code == 202
    served.ask("POST", "/me/freeze", "patient", {"confirm": "yes"}, person_id=lived)
    assert build(cloud)
    assert wiring.read_export().exports.get(lived).place is None
    for method in ("GET", "POST"):
        assert asked(served, lived, method).json_body["error"] == "frozen"


def test_a_link_undone_takes_back_the_copy_made_under_it_at_once(served, cloud, lived):
    fetched(served, cloud, lived)
    assert asked(served, lived, "GET").json_body["url"]
    served.register("H1", "P9")  # another number of theirs takes nothing back
    assert asked(served, lived, "GET").json_body["url"]
    body = {"hospital_id": "H2", "patient_id": "Q1"}
    assert served.ask("POST", "/me/identities/contest", "patient", body, person_id=lived).status_code == 200
    told = asked(served, lived, "GET").json_body
    assert (told["state"], told["url"]) == ("expired", "")


def test_a_message_that_is_overtaken_or_broken_builds_nothing(served, cloud, lived):
    assert asked(served, lived).status_code == 202
    now = datetime.now(UTC)
    assert not wiring.build_export()(lived, "ANOTHER", now)
    assert not wiring.build_export()("NOBODY", "ANOTHER", now)
    assert not wiring.build_export()(lived, wiring.read_export().exports.get(lived).export_id, now + timedelta(hours=1))
    assert exports({"Records": [{"messageId": "m", "body": "{}"}]}) == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def test_a_study_of_another_patients_images_is_left_out(served, cloud, lived):
    ref = StudyRef("H1", "1.2.840.1")
    known = wiring.studies().summary(ref)
    assert wiring.studies().flip(replace(known, state="conflicted"), known.revision)
    archive, _ = fetched(served, cloud, lived)
    assert json.loads(archive.read("data/studies.json")) == []


def told(served, cloud, person_id):
    archive, _ = fetched(served, cloud, person_id)
    return {section: json.loads(archive.read(f"data/{section}.json")) for section in SECTIONS}


def exam_told(hospital_id, patient_id, accession, procedure):
    now = datetime.now(UTC)
    fact = NoticeFact(
        f"N-{procedure}", "performed", now, now, accession, patient_id, modality="CT", procedure=procedure
    )
    wiring.derive_exams().notice_recorded(hospital_id, replace(fact, performed_at=now, declared_instances=3))


def test_visits_and_exams_are_told_also_of_exams_that_never_were_uploaded(served, cloud, lived):
    exam_told("H1", "P1", "A7", "胸部平扫")
    exam_told("H1", "P2", "A7", "别人的检查")
    record = told(served, cloud, lived)
    assert [(one["encounter_id"], one["status"]) for one in record["visits"]] == [("E1", "open")]
    unheld = [one for one in record["exams"] if one["accession_number"] == "A7"]
    stands = [(one["procedure"], one["standing"], one["images_received"]) for one in unheld]
    assert stands == [("胸部平扫", "pending", 0)]
    assert [one["study_instance_uids"] for one in record["exams"] if one not in unheld] == [["1.2.840.1"]]
    assert [one["procedure"] for one in record["exam_notices"]] == ["胸部平扫"]
    assert "别人的检查" not in json.dumps(record, ensure_ascii=False)


@pytest.mark.parametrize("unlinked", [False, True])
def test_of_a_number_contested_or_unlinked_nothing_medical_is_told(served, cloud, lived, unlinked):
    exam_told("H2", "Q1", "SECRET7", "别人的检查")
    number = {"hospital_id": "H2", "patient_id": "Q1"}
    assert served.ask("POST", "/me/identities/contest", "patient", number, person_id=lived).status_code == 200
    if unlinked:
        own = {"patient_id": "Q1"}
        assert served.ask("POST", "/desk/identities/unlink", "desk_clerk", own, hospital_id="H2").status_code == 200
    record = told(served, cloud, lived)
    assert record["visits"] == record["exam_notices"] == []
    assert "SECRET7" not in json.dumps(record, ensure_ascii=False)
    assert {one["hospital_id"] for one in record["exams"]} == {"H1"}
    assert [one["hospital_id"] for one in record["former_links"]] == ["H2"] * unlinked
    if unlinked:
        (former,) = record["former_links"]
        assert set(former) == {"hospital_id", "hospital", "linked_at", "until"}
        assert former["linked_at"] < former["until"]
        assert "Q1" not in {one["patient_id"] for one in record["identities"]}


def test_papers_of_access_without_a_phone_are_told_with_who_gave_them(served, cloud, lived):
    now = datetime.now(UTC)
    identity = IdentityKey("H2", "Q1")
    told_of = (lived, "d1", "H2", "E1", "assisted", "person", identity, "treatment", "1", frozenset())
    assert wiring.consents().put(Consent("C9", *told_of, now, now + timedelta(hours=24)))
    papers = hand_overs()
    papers.open(HandOver("C9", "H2", "Q1", "E1", "d1", "c8", "no_phone", now))
    papers.open(HandOver("C8", "H2", "Q2", "E2", "d1", "c8", "no_phone", now))
    (paper,) = told(served, cloud, lived)["hand_overs"]
    assert (paper["consent_id"], paper["witness"], paper["how"]) == ("C9", "c8", "")
