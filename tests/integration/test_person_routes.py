"""What people, desks and privacy officers are told by the routes on links, freezing, hiding and phones."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from chalicelib import wiring
from chalicelib.domain.identity import PatientDetails
from chalicelib.services.register_patient import LinkFromNotice
from tests.support import tokens
from tests.support.cloud import forget_cached
from tests.support.served_app import NAME, NO_GRANT, PHONE, jwks_url, national_id, served

__all__ = ["jwks_url", "served"]

STUDY = {"hospital_id": "H1", "study_instance_uid": "1.2.840.1"}
NUMBER = {"hospital_id": "H1", "patient_id": "P1"}
CARD = {"national_id": national_id(), "name": NAME}


@pytest.fixture
def person_id(served):
    return served.prepare()


def me(served, person_id, method, path, body=None, **claims):
    return served.ask(method, path, "patient", body, person_id=person_id, **claims)


def sms(served):
    return [json.loads(line) for line in served.outbox.read_text(encoding="utf-8").splitlines()]


def test_not_me_is_told_in_clear_words_of_both_languages_and_a_desk_opens_again(served, person_id):
    served.consent()
    frozen = me(served, person_id, "POST", "/me/freeze", {"confirm": "yes"}).json_body
    assert frozen["frozen_at"]
    assert "身份证" in frozen["message"]["zh"]
    assert "card" in frozen["message"]["en"]
    for answer in (served.manifest(), me(served, person_id, "GET", "/me/studies")):
        assert answer.json_body["error"] == "frozen"
        assert set(answer.json_body["message"]) == {"en", "zh"}
    assert me(served, person_id, "GET", "/me/accesses").status_code == 200
    wrong = served.ask("POST", "/desk/persons/unfreeze", "desk_clerk", {**CARD, "name": "李四"})
    assert (wrong.status_code, wrong.json_body["reason"]) == (422, "name_differs")
    assert served.ask("POST", "/desk/persons/unfreeze", "desk_clerk", CARD).json_body["person_id"] == person_id
    assert me(served, person_id, "GET", "/me/studies").status_code == 200
    assert served.manifest().json_body["error"] == "consent_revoked", "what was allowed before does not come back"
    assert me(served, person_id, "POST", "/me/freeze", {"confirm": "perhaps"}).json_body["field"] == "confirm"


def test_a_hidden_study_says_who_holds_it_still(served, person_id):
    consent = served.consent()
    hidden = me(served, person_id, "POST", "/me/studies/hide", STUDY).json_body
    assert [one["consent_id"] for one in hidden["still_open_to"]] == [consent["consent_id"]]
    assert me(served, person_id, "GET", "/me/studies/hidden").json_body == {"studies": [STUDY]}
    assert served.consent()["studies"] == []
    assert me(served, person_id, "POST", "/me/studies/show", STUDY).json_body["hidden"] is False
    assert served.consent()["studies"] == [STUDY]
    for body, field in (({**STUDY, "study_instance_uid": "x"}, "study_instance_uid"), ({}, "hospital_id")):
        assert me(served, person_id, "POST", "/me/studies/hide", body).json_body["field"] == field
    assert me(served, "SOMEBODYELSE", "POST", "/me/studies/hide", STUDY).body == NO_GRANT


def test_a_contested_number_goes_from_person_to_desk_to_officer_and_back(served, person_id):
    served.consent()
    contested = me(served, person_id, "POST", "/me/identities/contest", NUMBER).json_body
    assert contested == {**NUMBER, "status": "contested"}
    assert served.manifest().body == NO_GRANT
    again = served.ask("POST", "/desk/identities/contest", "desk_clerk", NUMBER)
    assert (again.status_code, again.json_body["reason"]) == (422, "already")
    unlinked = served.ask("POST", "/desk/identities/unlink", "desk_clerk", NUMBER).json_body
    assert unlinked["person_id"] != person_id
    history = served.ask("POST", "/privacy/identities/history", "privacy_officer", NUMBER).json_body["links"]
    assert [one["contested_because"] for one in history] == ["unlinked", "person", ""]
    assert not {"name", "names", "phone"} & set(history[0])
    back = {**NUMBER, "person_id": person_id}
    assert served.ask("POST", "/privacy/identities/relink", "privacy_officer", back).json_body["status"] == "contested"
    served.register()
    assert served.manifest().status_code == 200
    assert served.ask("POST", "/privacy/identities/contest", "privacy_officer", NUMBER).status_code == 200
    assert served.ask("POST", "/privacy/identities/unlink", "privacy_officer", NUMBER).status_code == 200
    assert served.manifest().body == NO_GRANT
    elsewhere = served.ask("POST", "/desk/identities/contest", "desk_clerk", NUMBER, hospital_id="H2")
    assert elsewhere.json_body["reason"] == "unknown_identity"


def test_a_number_of_the_app_needs_the_issuers_word(served, person_id, monkeypatch, jwks_url):
    new = {"phone": "13700137000"}
    refused = me(served, person_id, "POST", "/me/phone", new, phone=new["phone"])  # a claim that ISSUERS does not map
    assert (refused.status_code, refused.json_body["error"]) == (422, "phone_not_vouched")
    mapped = tokens.setting(jwks_url=jwks_url, claims={"subject": "sub", "phone": "phone_number"})
    monkeypatch.setenv("ISSUERS", mapped)
    forget_cached()
    other = me(served, person_id, "POST", "/me/phone", new, phone_number=PHONE)
    assert other.json_body["error"] == "phone_not_vouched"
    told = me(served, person_id, "POST", "/me/phone", new, phone_number=new["phone"]).json_body
    assert (told["phone"], told["opens_all"], told["hospitals"]) == ("137****7000", True, [])
    assert [(one["phone"], one["template"]) for one in sms(served)] == [(PHONE, "phone_change")]
    assert me(served, person_id, "POST", "/me/phone/void", {"confirm": "yes"}).json_body["phone"] == ""
    assert me(served, person_id, "POST", "/me/phone", new, phone_number=7).status_code == 401


def test_a_desk_and_the_person_see_what_a_new_number_opens(served, person_id):
    own = me(served, person_id, "GET", "/me/phone").json_body
    assert (own["opens_all"], own["opens_all_at"], own["hospitals"]) == (False, None, ["H1", "H2"])
    body = {**CARD, "patient_id": "R1", "phone": "13700137000"}
    desk = served.ask("POST", "/desk/registrations", "desk_clerk", body, hospital_id="H3").json_body
    assert (desk["phone"], desk["phone_waits"], desk["phone_opens_at"]) == ("137****7000", True, None)
    assert me(served, person_id, "GET", "/me/phone").json_body["hospitals"] == ["H3"]
    kinds = [one["kind"] for one in me(served, person_id, "GET", "/me/notices").json_body["notices"]]
    assert "phone_new" in kinds
    assert [(one["phone"], one["values"]) for one in sms(served)] == [(PHONE, {"hospital": "H3"})]


def test_pairs_are_counted_by_month_for_the_officer_of_that_hospital(served, person_id):
    served.consent()
    told = served.ask("GET", "/privacy/pairs", "privacy_officer", hospital_id="H2").json_body
    assert told["month"] == f"{datetime.now(UTC):%Y-%m}"
    assert told["pairs"] == [{"kind": "phone", "helper": "c1", "doctor_id": "d1", "count": 1}]
    assert (
        served.ask("GET", "/privacy/pairs?month=2020-01", "privacy_officer", hospital_id="H2").json_body["pairs"] == []
    )
    assert served.ask("GET", "/privacy/pairs", "privacy_officer").json_body["pairs"] == []
    assert served.ask("GET", "/privacy/pairs?month=2020-13", "privacy_officer").json_body["field"] == "month"


def test_a_notices_number_opens_its_own_hospital_only_and_changes_no_verified_one(served, person_id):
    from secrets import token_bytes

    link = LinkFromNotice(wiring.people(), wiring.mac(), token_bytes, wiring.record_decision())
    link("H2", PatientDetails("Q1", NAME, national_id=national_id(), phone="13711112222"), datetime.now(UTC))
    assert me(served, person_id, "GET", "/me/phone").json_body["phone"] == "139****5678"
    served.consent()
    assert sms(served)[-1]["phone"] == PHONE
