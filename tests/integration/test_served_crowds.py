"""Two hundred at once against the served API: guesses, sends and scans beat no counter."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.support.served_app import NO_GRANT, jwks_url, national_id
from tests.support.served_http import over_http

__all__ = ["jwks_url", "over_http"]

CROWD, THREADS = 200, 16
VISIT = {"encounter_id": "E1", "purpose": "treatment"}


def crowd(work):
    """What each of two hundred calls got; the first sixteen start together."""
    start = threading.Barrier(THREADS)

    def one(index):
        if index < THREADS:
            start.wait()
        return work(index)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(CROWD)))


def colleagues(served, count):
    """Doctors of the same hospital, each with a request of their own for the same visit: all guess at one patient."""
    asked = []
    for number in range(count):
        account = {"doctor_id": f"x{number}", "hospital_id": "H2", "licence_number": f"9{number}", "name": "某医生"}
        assert served.ask("POST", "/doctors", "administrator", account).status_code == 201
        request = served.ask("POST", "/consent-requests", "doctor", VISIT, subject=f"x{number}")
        asked.append((f"x{number}", request.json_body["request_id"], served.code()))
    return asked


def guess(served, subject, request_id, code):
    body = {"encounter_id": "E1", "request_id": request_id, "code": code}
    return served.ask("POST", "/consent-requests/verify", "doctor", body, subject=subject)


def test_two_hundred_guesses_at_once_of_four_doctors_get_five_looks(over_http):
    over_http.prepare()
    doctors = colleagues(over_http, 4)

    def wrong(index):
        subject, request_id, right = doctors[index % len(doctors)]
        return guess(over_http, subject, request_id, f"{(int(right) + 1 + index) % 10**6:06}")

    answers = Counter(answer.json_body["error"] for answer in crowd(wrong))
    assert set(answers) == {"code_refused", "code_locked"}
    assert answers["code_refused"] <= 5
    for doctor in doctors:
        assert guess(over_http, *doctor).json_body["error"] == "code_locked", "the right one comes too late today"
    assert over_http.manifest(subject="x0").body == NO_GRANT


def test_two_hundred_guesses_at_once_of_one_doctor_at_many_patients_get_ten_looks(over_http):
    over_http.prepare()
    asked = []
    for number in range(4):
        patient = {
            "national_id": national_id(f"3201021972010100{number}"),
            "name": f"甲{number}",
            "birth_date": "",
            "sex": "",
        }
        over_http.register("H2", f"M{number}", **patient, phone=f"1380000000{number}")
        over_http.open_encounter(encounter_id=f"V{number}", patient_id=f"M{number}")
        body = {**VISIT, "encounter_id": f"V{number}"}
        request = over_http.ask("POST", "/consent-requests", "doctor", body).json_body["request_id"]
        asked.append((f"V{number}", request, over_http.code()))

    def wrong(index):
        visit, request_id, right = asked[index % len(asked)]
        code = f"{(int(right) + 1 + index) % 10**6:06}"
        body = {"encounter_id": visit, "request_id": request_id, "code": code}
        return over_http.ask("POST", "/consent-requests/verify", "doctor", body)

    answers = Counter(answer.json_body["error"] for answer in crowd(wrong))
    assert set(answers) == {"code_refused", "code_locked"}
    assert answers["code_refused"] <= 10


def test_two_hundred_requests_at_once_send_three_codes_and_look_alike(over_http):
    over_http.prepare()
    answers = crowd(lambda _: over_http.ask("POST", "/consent-requests", "doctor", VISIT))
    assert {(answer.status_code, tuple(sorted(answer.json_body))) for answer in answers} == {
        (202, ("expires_at", "open_until", "request_id"))
    }
    assert len({answer.json_body["request_id"] for answer in answers}) == CROWD
    sent = [json.loads(line) for line in over_http.outbox.read_text(encoding="utf-8").splitlines()]
    assert len([one for one in sent if "code" in one["values"]]) == 3


def test_of_two_hundred_scans_of_one_qr_one_is_a_consent(over_http):
    person_id = over_http.prepare()
    qr = over_http.ask("POST", "/me/qr", "patient", person_id=person_id).json_body["qr"]
    for number in range(20):
        account = {"doctor_id": f"x{number}", "hospital_id": "H2", "licence_number": f"9{number}", "name": "某医生"}
        over_http.ask("POST", "/doctors", "administrator", account)
    body = {"encounter_id": "E1", "qr": qr}
    answers = crowd(lambda n: over_http.ask("POST", "/consent-requests/qr", "doctor", body, subject=f"x{n % 20}"))
    assert Counter(answer.status_code for answer in answers)[200] == 1
    assert {answer.json_body.get("error") for answer in answers} <= {None, "qr_refused"}
