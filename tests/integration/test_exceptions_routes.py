"""Witnesses, emergencies, papers and reviews over the whole app and moto."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.break_glass import CONFIRMATION
from chalicelib.domain.identity import PatientDetails
from chalicelib.domain.record import sections
from chalicelib.domain.record_page import page
from chalicelib.events import sweeps
from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter
from tests.support.served_app import NAME, NO_GRANT, PHONE, REF, jwks_url, national_id, served

__all__ = ["jwks_url", "served"]

AT_H2 = {"hospital_id": "H2"}
STATED = {
    "encounter_id": "X1",
    "reason": "unconscious",
    "text": "车祸昏迷，术前需了解既往影像",
    "confirmation": CONFIRMATION.zh,
}


def error(answer):
    return answer.status_code, answer.json_body.get("error")


@pytest.fixture
def hospital(served):
    """Zhang without a phone at both hospitals, an open and an emergency visit at H2, a study at H1."""
    served.open_hospitals()
    served.person_id = served.register(phone=None)
    served.register("H2", "Q1", phone=None)
    served.open_encounter()
    emergency = EncounterNotice("H2", "X1", "open", PatientDetails("Q1", NAME), "emergency", datetime.now(UTC), "d1")
    RecordEncounter(wiring.encounters())(emergency)
    served.receive()
    return served


def assisted(hospital, **changes):
    body = {"encounter_id": "E1", "national_id": national_id(), "reason": "no_phone", **changes}
    return hospital.ask("POST", "/assisted-requests", "doctor", body)


def confirm(hospital, request_id, role="desk_clerk", **claims):
    body = {"request_id": request_id}
    return hospital.ask("POST", "/assisted-requests/confirm", role, body, **{**AT_H2, **claims})


def test_a_witness_and_then_paper_and_review(hospital):
    made = assisted(hospital)
    assert made.status_code == 202
    assert "见证" in made.json_body["notice"]["zh"]
    assert hospital.manifest().body == NO_GRANT
    waiting = hospital.ask("GET", "/assisted-requests", "desk_clerk", **AT_H2).json_body["requests"]
    assert [(one["doctor_name"], one["encounter_id"], one["patient_id"]) for one in waiting] == [("李医生", "E1", "Q1")]
    assert hospital.ask("GET", "/assisted-requests", "desk_clerk").json_body == {"requests": []}
    mine = {"encounter_id": "E1", "request_id": made.json_body["request_id"]}
    assert hospital.ask("POST", "/assisted-requests/outcome", "doctor", mine).json_body["state"] == "waiting"
    opened = confirm(hospital, made.json_body["request_id"])
    assert opened.status_code == 201
    told = hospital.ask("POST", "/assisted-requests/outcome", "doctor", mine).json_body
    assert (told["state"], told["consent"]["consent_id"]) == ("confirmed", opened.json_body["consent_id"])
    assert hospital.manifest().status_code == 200
    consent_id = opened.json_body["consent_id"]

    papers = hospital.ask("GET", "/desk/hand-overs", "desk_clerk", subject="c2", **AT_H2).json_body["hand_overs"]
    assert [one["consent_id"] for one in papers] == [consent_id]
    body = {"consent_id": consent_id}
    assert error(hospital.ask("POST", "/desk/hand-overs/print", "desk_clerk", body, **AT_H2)) == (
        403,
        "witness_hands_over",
    )
    text = hospital.ask("POST", "/desk/hand-overs/print", "desk_clerk", body, subject="c2", **AT_H2).json_body["text"]
    assert (NAME in text["zh"], NAME in text["en"]) == (True, True)
    done = {**body, "how": "posted"}
    answer = hospital.ask("POST", "/desk/hand-overs/done", "desk_clerk", done, subject="c2", **AT_H2)
    assert (answer.status_code, answer.json_body["how"]) == (200, "posted")

    reviews = hospital.ask("GET", "/privacy/reviews?state=undecided", "privacy_officer", **AT_H2).json_body["reviews"]
    assert [(one["kind"], one["witness"]) for one in reviews] == [("assisted", "c1")]
    verdict = {"review_id": consent_id, "verdict": "not_justified", "note": "患者否认到场"}
    answer = hospital.ask("POST", "/privacy/reviews/verdict", "privacy_officer", verdict, **AT_H2)
    assert answer.json_body["state"] == "not_justified"
    assert error(hospital.manifest()) == (403, "consent_revoked")


def test_a_witness_signs_in_afresh_in_another_role_of_the_same_hospital(hospital):
    request_id = assisted(hospital).json_body["request_id"]
    stale = int((datetime.now(UTC) - timedelta(minutes=5)).timestamp())
    assert error(confirm(hospital, request_id, auth_time=stale)) == (403, "witness_not_fresh")
    assert error(confirm(hospital, request_id, subject="d1")) == (403, "witness_is_doctor")
    assert error(confirm(hospital, request_id, "doctor", subject="d2")) == (403, "not_allowed")
    assert error(confirm(hospital, request_id, hospital_id="H1")) == (409, "assisted_closed")
    assert confirm(hospital, request_id, "privacy_officer").status_code == 201
    assert error(confirm(hospital, request_id)) == (409, "assisted_closed")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"national_id": national_id("32010219700101003")}, (403, "card_refused")),
        ({"national_id": "3201"}, (403, "card_refused")),
        ({"reason": "curious"}, (400, "bad_request")),
        ({"encounter_id": "E9"}, (403, "no_grant")),
    ],
)
def test_what_a_doctor_may_not_ask(hospital, changes, expected):
    assert error(assisted(hospital, **changes)) == expected


def test_who_has_a_phone_is_asked_by_it(hospital):
    hospital.register("H2", "Q1", phone=PHONE)
    assert error(assisted(hospital)) == (409, "phone_exists")


def test_an_emergency_is_told_reviewed_and_objected_to(hospital, cloud):
    hospital.register("H2", "Q1", phone=PHONE)
    opened = hospital.ask("POST", "/break-glass", "doctor", STATED)
    assert (opened.status_code, opened.json_body["basis"]) == (201, "break_glass")
    assert hospital.manifest().status_code == 200
    consent_id = opened.json_body["consent_id"]
    sms = json.loads(hospital.outbox.read_text(encoding="utf-8").splitlines()[-1])
    assert (sms["template"], sms["phone"]) == ("emergency_access", PHONE)
    me = {"person_id": hospital.person_id}
    told = hospital.ask("GET", "/me/notices", "patient", **me).json_body["notices"]
    assert told[0]["kind"] == "break_glass"
    seen = hospital.ask("GET", "/me/accesses", "patient", **me).json_body["accesses"]
    assert {one["basis"] for one in seen if one["action"] == "view_study"} == {"break_glass"}
    assert any("紧急" in one["sentence"]["zh"] for one in seen)
    (review,) = hospital.ask("GET", "/privacy/reviews", "privacy_officer", **AT_H2).json_body["reviews"]
    assert (review["text"], review["due_at"] is not None) == (STATED["text"], True)
    objection = {"consent_id": consent_id, "text": "我没有昏迷"}
    assert hospital.ask("POST", "/me/accesses/object", "patient", objection, **me).status_code == 200
    assert error(hospital.manifest()) == (403, "consent_revoked")
    assert hospital.ask("POST", "/me/accesses/object", "patient", objection).body == NO_GRANT


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"encounter_id": "E1"}, (403, "not_an_emergency")),
        ({"confirmation": "是"}, (422, "not_confirmed")),
        ({"text": "急"}, (422, "not_confirmed")),
        ({"reason": "none"}, (400, "bad_request")),
        ({"encounter_id": "X9"}, (403, "no_grant")),
    ],
)
def test_what_is_no_emergency(hospital, changes, expected):
    assert error(hospital.ask("POST", "/break-glass", "doctor", {**STATED, **changes})) == expected


def test_three_a_day_and_an_unreviewed_one_suspends_until_it_is_lifted(hospital, monkeypatch):
    made = [hospital.ask("POST", "/break-glass", "doctor", STATED) for _ in range(4)]
    assert [error(one) for one in made[3:]] == [(403, "break_glass_quota")]
    swept = wiring.suspend_unreviewed()(datetime.now(UTC) + timedelta(hours=24), lambda: True)
    assert swept.suspended == 3
    assert error(hospital.manifest()) == (403, "break_glass_suspended")
    assert error(hospital.ask("POST", "/break-glass", "doctor", STATED)) == (403, "break_glass_suspended")
    listed = hospital.ask("GET", "/privacy/suspensions", "privacy_officer", **AT_H2).json_body["suspensions"]
    assert [(one["doctor_id"], len(one["reviews"])) for one in listed] == [("d1", 3)]
    lift = {"doctor_id": "d1", "note": "已逐一核对"}
    assert error(hospital.ask("POST", "/privacy/suspensions/lift", "privacy_officer", lift)) == (
        404,
        "unknown_suspension",
    )
    answer = hospital.ask("POST", "/privacy/suspensions/lift", "privacy_officer", lift, **AT_H2)
    assert answer.json_body == {"doctor_id": "d1", "suspended": False}
    assert hospital.manifest().status_code == 200


class Minute:
    def get_remaining_time_in_millis(self):
        return 60_000


def test_the_schedule_suspends_and_a_failure_there_keeps_no_hospital_from_being_judged(hospital, monkeypatch):
    hospital.ask("POST", "/break-glass", "doctor", STATED)
    later = datetime.now(UTC) + timedelta(hours=24)
    monkeypatch.setattr(wiring, "now", lambda: later)
    assert sweeps.sweep(Minute())["reviews"] == {"suspended": 1, "void": 0, "faults": 0, "more": False}

    def gone():
        raise ConnectionError

    monkeypatch.setattr(wiring, "suspend_unreviewed", gone)
    done = sweeps.sweep(Minute())
    assert (done["reviews"], done["held"]) == ({"failed": True}, False)


def test_without_phone_or_app_one_objects_at_any_desk_with_the_card(hospital):
    opened = confirm(hospital, assisted(hospital).json_body["request_id"])
    body = {"national_id": national_id(), "consent_id": opened.json_body["consent_id"]}
    other = {**body, "national_id": national_id("32010219700101003")}
    assert hospital.ask("POST", "/desk/accesses/object", "desk_clerk", other).body == NO_GRANT
    assert error(hospital.ask("POST", "/desk/accesses/object", "desk_clerk", {**body, "national_id": "1"})) == (
        403,
        "card_refused",
    )
    assert hospital.ask("POST", "/desk/accesses/object", "desk_clerk", body).status_code == 200
    assert error(hospital.manifest(ref=REF)) == (403, "consent_revoked")


def test_a_persons_copy_of_their_record_holds_what_was_said_of_them_and_the_verdict(hospital):
    opened = hospital.ask("POST", "/break-glass", "doctor", STATED).json_body
    body = {"consent_id": opened["consent_id"], "text": "我没有昏迷"}
    hospital.ask("POST", "/me/accesses/object", "patient", body, person_id=hospital.person_id)
    verdict = {"review_id": opened["consent_id"], "verdict": "not_justified", "note": "内部意见"}
    hospital.ask("POST", "/privacy/reviews/verdict", "privacy_officer", verdict, **AT_H2)
    now = datetime.now(UTC)
    record = wiring.build_export().gather(wiring.people().person(hospital.person_id), now)
    (told,) = sections(record, now)["reviews"]
    assert (told["text"], told["objection"], told["state"]) == (STATED["text"], "我没有昏迷", "not_justified")
    shown = page(sections(record, now), now)
    for words in (STATED["text"], "我没有昏迷", "认定不合理", "not justified", "昏迷或无法表达"):
        assert words in shown
    assert "内部意见" not in shown


def test_nothing_of_a_patient_reaches_a_log_or_the_officers_topic(hospital, caplog):
    caplog.set_level("DEBUG")
    confirm(hospital, assisted(hospital).json_body["request_id"])
    hospital.ask("POST", "/break-glass", "doctor", STATED)
    hospital.ask("POST", "/break-glass", "doctor", {**STATED, "encounter_id": "E1"})
    wiring.suspend_unreviewed()(datetime.now(UTC) + timedelta(hours=24), lambda: True)
    ours = [record for record in caplog.records if not record.name.startswith(("boto", "urllib3", "moto"))]
    text = "\n".join(record.getMessage() + str(record.exc_info or "") for record in ours)
    for secret in (NAME, national_id(), PHONE, STATED["text"], hospital.person_id):
        assert secret not in text
