"""Consent, its limits, and what strangers are told, over real HTTP."""

from __future__ import annotations

import itertools

import pytest

from infra.local import samples
from infra.local.client import fetch, until
from tests.support.dicom_files import instance

numbers = itertools.count(1)


def uid():
    return f"1.2.156.{next(numbers)}"


def manifest(hospital, study, token=""):
    return f"/hospitals/{hospital}/studies/{study}/manifest" + (f"?token={token}" if token else "")


@pytest.fixture
def scene(town):
    """A study at one hospital, its patient, and a doctor at another with an open visit of that patient."""
    here, there = town.hospital(), town.hospital()
    patient_id, study = f"P{town.new()}", uid()
    patient = town.patient(here, patient_id)
    town.put(here, "1.dcm", instance(study=study, series=study + ".1", sop=study + ".1.1", patient_id=patient_id))
    town.study(here, study, served=1)
    doctor = town.doctor(here)
    return {
        "hospital": here,
        "elsewhere": there,
        "study": study,
        "patient": patient,
        "doctor": doctor,
        "visit": town.visit(here, patient_id, doctor),
    }


def ask_consent(town, scene):
    """(request id, the right code)"""
    before = len(town.client.codes())
    asked = {"encounter_id": scene["visit"], "purpose": "treatment"}
    given = scene["doctor"].ask("POST", "/consent-requests", asked).of(202)
    until(lambda: len(town.client.codes()) > before, "an SMS arrives", 10)
    return given["request_id"], town.client.codes()[-1]["values"]["code"]


def guess(scene, request_id, code):
    said = {"encounter_id": scene["visit"], "request_id": request_id, "code": code}
    return scene["doctor"].ask("POST", "/consent-requests/verify", said)


def test_five_wrong_codes_lock_the_right_one_too(town, scene):
    request_id, right = ask_consent(town, scene)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    answers = [guess(scene, request_id, wrong) for _ in range(5)]
    assert [one.json.get("attempts_left") for one in answers] == [4, 3, 2, 1, 0]
    locked = guess(scene, request_id, right)
    assert (locked.status, locked.json["error"]) == (403, "code_locked")
    assert scene["doctor"].ask("GET", manifest(scene["hospital"], scene["study"])).json == {"error": "no_grant"}


def test_a_consent_opens_and_its_revocation_closes(town, scene):
    request_id, right = ask_consent(town, scene)
    consent = guess(scene, request_id, right).of(200)
    opened = scene["doctor"].ask("GET", manifest(scene["hospital"], scene["study"])).of(200)
    (one,) = opened["series"][0]["instances"]
    assert fetch(one["url"]).status == 200
    scene["patient"].ask("POST", "/me/consents/revoke", {"consent_id": consent["consent_id"]}).of(200)
    closed = scene["doctor"].ask("GET", manifest(scene["hospital"], scene["study"]))
    assert (closed.status, closed.json["error"]) == (403, "consent_revoked")
    seen = scene["patient"].all("/me/accesses", "accesses")
    assert {one["reason"] for one in seen if one["action"] == "view_study"} >= {"sms_code", "consent_revoked"}


def test_a_code_of_one_doctor_is_nothing_to_another(town, scene):
    request_id, right = ask_consent(town, scene)
    other = town.doctor(scene["hospital"])
    refused = other.ask(
        "POST",
        "/consent-requests/verify",
        {"encounter_id": scene["visit"], "request_id": request_id, "code": right},
    )
    assert (refused.status, refused.json["error"]) == (403, "code_locked")


@pytest.mark.parametrize("who", ["doctor", "stranger"])
def test_forbidden_and_unknown_are_the_same_to_the_byte(town, scene, who):
    caller = scene["doctor"] if who == "doctor" else town.patient(scene["elsewhere"], "X1")
    forbidden = caller.ask("GET", manifest(scene["hospital"], scene["study"]))
    unknown = [
        caller.ask("GET", manifest(scene["hospital"], "1.2.3.999999")),
        caller.ask("GET", manifest(scene["elsewhere"], scene["study"])),
        caller.ask("GET", manifest("NOSUCH", scene["study"])),
    ]
    assert (forbidden.status, forbidden.body) == (403, b'{"error":"no_grant"}')
    for answer in unknown:
        assert (answer.status, answer.body) == (forbidden.status, forbidden.body)
        assert _without_date(answer) == _without_date(forbidden)


def _without_date(answer):
    return {name: value for name, value in answer.headers.items() if name.lower() != "date"}


@pytest.mark.parametrize("role", ["regulator", "administrator", "hospital-jb001", "clerk-jb001"])
def test_no_other_role_reads_images(town, scene, role):
    assert town.caller(role).ask("GET", manifest(scene["hospital"], scene["study"])).status == 403


def test_a_long_study_comes_in_pages_and_none_is_missing(town, scene):
    patient_id, study = f"P{town.new()}", uid()
    patient = town.patient(scene["hospital"], patient_id)
    sops = [f"{study}.1.{number}" for number in range(1, 1051)]
    files = [
        instance(study=study, series=f"{study}.1", sop=sop, patient_id=patient_id, number=str(number))
        for number, sop in enumerate(sops, 1)
    ]
    town.put(scene["hospital"], "long.zip", samples.make_pack(files), kind="archives")
    town.study(scene["hospital"], study, served=1050)
    first = patient.ask("GET", manifest(scene["hospital"], study)).of(200)
    second = patient.ask("GET", manifest(scene["hospital"], study, first["next_token"])).of(200)
    pages = [[one["sop_instance_uid"] for one in page["series"][0]["instances"]] for page in (first, second)]
    assert [len(page) for page in pages] == [1000, 50]
    assert pages[0] + pages[1] == sops
    assert second["next_token"] == ""
    last = second["series"][0]["instances"][-1]
    assert fetch(last["url"], {"Range": last["range"]}).body == files[-1]


def test_the_first_of_two_different_images_of_one_uid_is_served(town, scene):
    first, second = (
        instance(study=scene["study"], series=f"{scene['study']}.1", sop=f"{scene['study']}.1.9", number=number)
        for number in ("1", "2")
    )
    hospital, study = town.hospital(), scene["study"]
    town.put(hospital, "a.dcm", first)
    town.study(hospital, study, served=1)
    town.put(hospital, "b.dcm", second)
    town.put(hospital, "c.dcm", first)
    town.study(hospital, study, served=1, divergent=1, duplicate=1)


def test_a_study_of_two_patients_is_withheld_until_the_hospital_resolves_it(town, scene):
    hospital, study = scene["hospital"], scene["study"]
    key = town.put(
        hospital, "2.dcm", instance(study=study, series=study + ".1", sop=study + ".1.2", patient_id="OTHER")
    )
    found = town.study(hospital, study, served=2)
    assert found["study"]["state"] == "conflicted"
    assert scene["patient"].ask("GET", manifest(hospital, study)).json["error"] == "study_conflicted"
    (foreign,) = [one for one in found["entries"] if one["key"] == key]
    exclude = {"kind": "exclude", "version_id": foreign["version_id"], "offset": 0, "reason": "wrong patient"}
    town.of_hospital(hospital).ask("POST", f"/hospital/studies/{study}/amendments", exclude).of(202)
    resolved = town.study(hospital, study, served=1, excluded=1)
    assert resolved["study"]["state"] == "served"
    assert scene["patient"].ask("GET", manifest(hospital, study)).status == 200


def test_one_study_of_two_hospitals_is_two_studies(town, scene):
    other = scene["elsewhere"]
    town.put(other, "1.dcm", instance(study=scene["study"], patient_id="ELSE"))
    town.study(other, scene["study"], served=1)
    assert scene["patient"].ask("GET", manifest(scene["hospital"], scene["study"])).status == 200
    assert scene["patient"].ask("GET", manifest(other, scene["study"])).json == {"error": "no_grant"}
