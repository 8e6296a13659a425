"""A doctor, a patient and a hospital meet over the API: what is seen with a consent, and what without one."""

from urllib.parse import parse_qs, urlsplit

import requests

from chalicelib.domain.study import StudyRef
from tests.support.served_app import NO_GRANT, jwks_url, served
from tests.support.settle_samples import entry

__all__ = ["jwks_url", "served"]


def test_a_doctor_sees_nothing_then_asks_and_sees_what_the_patient_allowed(served):
    served.prepare()
    assert served.manifest().body == NO_GRANT
    consent = served.consent()
    assert consent["studies"] == [{"hospital_id": "H1", "study_instance_uid": "1.2.840.1"}]
    seen = served.manifest()
    assert seen.status_code == 200
    study = seen.json_body["study"]
    assert (study["patient_name"], study["instances"], study["state"]) == ("张三", 2, "served")
    (series,) = seen.json_body["series"]
    assert [one["instance_number"] for one in series["instances"]] == [1, 2]
    assert series["metadata"]["Rows"] == 512
    assert series["instances"][1]["metadata"] == {"ImagePositionPatient": ["0", "0", "2"]}
    query = parse_qs(urlsplit(series["instances"][0]["url"]).query)
    assert (query["versionId"], query["X-Amz-Expires"]) == (["v1-1"], ["300"])
    timeline = served.ask("GET", "/encounters/E1/timeline", "doctor").json_body
    assert [one["study_instance_uid"] for one in timeline["studies"]] == ["1.2.840.1"]


def test_the_signed_url_gives_the_very_bytes(served, cloud):
    served.open_hospitals()
    key = "instances/H1/2026-11-24/影像 1+2%.dcm"
    bucket = cloud.settings["UPLOADS_BUCKET"]
    put = cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=b"pixels" * 100)
    served.receive(entry(1, put["VersionId"], key=key, length=600))
    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=b"a later version")
    person_id = served.register()
    answer = served.manifest("patient", person_id=person_id)
    (instance,) = answer.json_body["series"][0]["instances"]
    got = requests.get(instance["url"], timeout=5)
    assert (got.status_code, got.content) == (200, b"pixels" * 100)
    assert got.headers["Content-Type"] == "application/dicom"


def test_an_unknown_study_and_a_forbidden_one_are_told_apart_by_nobody(served):
    served.prepare()
    forbidden = served.manifest()
    unknown = served.manifest(ref=StudyRef("H1", "1.2.840.404"))
    elsewhere = served.manifest(ref=StudyRef("H9", "1.2.840.1"))
    stranger = served.manifest("patient", person_id="SOMEBODYELSE")
    for other in (unknown, elsewhere, stranger):
        assert (forbidden.status_code, forbidden.body) == (403, NO_GRANT) == (other.status_code, other.body)
        assert forbidden.headers == other.headers


def test_an_unknown_patient_is_asked_with_the_same_answer_as_a_known_one(served):
    served.prepare()
    served.open_encounter(encounter_id="E2", patient_id="NEVERSEEN")
    shapes = []
    for encounter_id in ("E1", "E2"):
        body = {"encounter_id": encounter_id, "purpose": "treatment"}
        answer = served.ask("POST", "/consent-requests", "doctor", body)
        shapes.append((answer.status_code, sorted(answer.json_body), len(answer.body), answer.headers))
    assert shapes[0] == shapes[1]


def test_a_wrong_code_is_counted_and_five_lock(served):
    served.prepare()
    asked = served.ask("POST", "/consent-requests", "doctor", {"encounter_id": "E1", "purpose": "treatment"})
    right = served.code()
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    body = {"encounter_id": "E1", "request_id": asked.json_body["request_id"], "code": wrong}
    left = []
    for _ in range(5):
        answer = served.ask("POST", "/consent-requests/verify", "doctor", body)
        assert answer.status_code == 403
        left.append(answer.json_body.get("attempts_left", answer.json_body["error"]))
    assert left[:4] == [4, 3, 2, 1]
    locked = served.ask("POST", "/consent-requests/verify", "doctor", {**body, "code": right})
    assert (locked.status_code, locked.json_body["error"]) == (403, "code_locked")


def test_a_revoked_consent_is_told_to_its_former_holder_only(served):
    person_id = served.prepare()
    consent = served.consent()
    mine = served.ask("GET", "/me/consents", "patient", person_id=person_id).json_body["consents"]
    assert [one["consent_id"] for one in mine] == [consent["consent_id"]]
    body = {"consent_id": consent["consent_id"]}
    revoked = served.ask("POST", "/me/consents/revoke", "patient", body, person_id=person_id)
    assert revoked.json_body["revoked_at"]
    assert served.manifest().json_body["error"] == "consent_revoked"
    other = {"doctor_id": "d2", "hospital_id": "H2", "licence_number": "111", "name": "王医生"}
    served.ask("POST", "/doctors", "administrator", other)
    assert served.manifest(subject="d2").body == NO_GRANT


def test_a_patient_sees_their_studies_identities_and_who_looked(served):
    person_id = served.prepare()
    served.manifest()
    served.consent()
    served.manifest()
    mine = {"role": "patient", "person_id": person_id}
    studies = served.ask("GET", "/me/studies", **mine).json_body
    assert [one["study_instance_uid"] for one in studies["studies"]] == ["1.2.840.1"]
    identities = served.ask("GET", "/me/identities", **mine).json_body["identities"]
    assert {(one["hospital_id"], one["patient_id"]) for one in identities} == {("H1", "P1"), ("H2", "Q1")}
    accesses = served.ask("GET", "/me/accesses", **mine).json_body["accesses"]
    views = [(one["allowed"], one["subject"]) for one in accesses if one["action"] == "view_study"]
    assert views == [(True, "d1"), (False, "d1")]
    assert served.ask("GET", "/me/accesses?token=x", **mine).json_body["field"] == "token"
    assert served.ask("GET", "/me/studies?token=x", **mine).json_body["field"] == "token"


def test_a_study_that_two_patients_share_is_served_to_nobody(served):
    person_id = served.prepare()
    served.receive(entry(1), entry(2), entry(3, patient_id="P2", patient_name="李四"))
    answer = served.manifest("patient", person_id=person_id)
    assert (answer.status_code, answer.json_body["error"]) == (409, "study_conflicted")


def test_a_long_study_comes_in_pages_that_never_mix_two_manifests(served):
    served.open_hospitals()
    person_id = served.register()
    served.receive(*(entry(sop) for sop in range(1, 1202)))
    first = served.manifest("patient", person_id=person_id).json_body
    assert len(first["series"][0]["instances"]) == 1000
    second = served.manifest("patient", token=first["next_token"], person_id=person_id).json_body
    assert [one["instance_number"] for one in second["series"][0]["instances"]] == list(range(1001, 1202))
    assert second["next_token"] == ""
    served.receive(entry(5000))
    changed = served.manifest("patient", token=first["next_token"], person_id=person_id)
    assert (changed.status_code, changed.json_body["error"]) == (409, "manifest_changed")
    bad = served.manifest("patient", token="x.7", person_id=person_id)
    assert (bad.status_code, bad.json_body["field"]) == (400, "token")
