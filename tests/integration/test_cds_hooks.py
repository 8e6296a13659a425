"""Reminders of similar exams, asked over HTTP as ordering systems ask them, on moto."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import jwt
import pytest

from chalicelib import wiring
from chalicelib.domain.alert import day_of
from chalicelib.domain.study import StudyRef
from tests.support.hospital_keys import own_token, registered
from tests.support.ordering import DCM, NO_CARDS, SELECT, SIGN, call, client_token, faults, order
from tests.support.served_app import NAME, ORIGIN, REF, jwks_url, served
from tests.support.settle_samples import entry

__all__ = ["jwks_url", "served"]

JTI = count()
CHEST = "胸部CT平扫"


@pytest.fixture
def clinic(served):
    """A chest CT at H1 a week ago; an open visit of the same person at H2, whose key is registered."""
    served.open_hospitals()
    served.person_id = served.register()
    assert served.register("H2", "Q1") == served.person_id
    served.open_encounter()
    assert wiring.hospital_keys().add(registered("H2", "h2"))
    put(served, REF)
    return served


def put(served, ref, patient_id="P1", days=7, description=CHEST, **changes):
    made = f"{datetime.now(UTC) + timedelta(hours=8) - timedelta(days=days):%Y%m%d}"  # the hospitals' own day
    said = {"patient_id": patient_id, "patient_name": NAME, "study_date": made, "modality": "CT", **changes}
    made_of = entry(1, ref=ref, study_description=description, **said)
    header = replace(made_of.header, times=replace(made_of.header.times, acquired_at=None, step_ended_at=None))
    return served.receive(replace(made_of, header=header), ref=ref)


def ask(served, service, body, path="", **token):
    url = f"/cds-services/{service}{path}"
    given = {"hospital_id": "H2", "name": "h2", "url": ORIGIN + url, "jti": f"j{next(JTI)}", **token}
    headers = {"Authorization": f"Bearer {client_token(**given)}"}
    return served.ask("POST", url, body=body, headers=headers)


def cards(answer):
    assert answer.status_code == 200, answer.body
    assert not faults("answer", answer.json_body)
    return answer.json_body["cards"]


def events(served):
    """The newest of what the audit has of the person, as they read it."""
    claims = {"person_id": served.person_id}
    return served.ask("GET", "/me/accesses", "patient", **claims).json_body["accesses"]


# What a doctor is reminded of


def test_anybody_may_ask_which_services_there_are(served):
    told = served.ask("GET", "/cds-services").json_body
    assert not faults("discovery", told)
    assert {one["id"]: one["hook"] for one in told["services"]} == {SELECT: "order-select", SIGN: "order-sign"}


def test_a_client_may_show_its_token_to_discover_too(clinic):
    """The specification wants one with every call; here nobody needs it, and nobody is refused for it."""
    token = client_token("H2", "h2", f"{ORIGIN}/cds-services")
    for given in (token, "nonsense"):
        told = clinic.ask("GET", "/cds-services", headers={"Authorization": f"Bearer {given}"})
        assert (told.status_code, faults("discovery", told.json_body)) == (200, [])


@pytest.mark.parametrize("service", [SELECT, SIGN])
def test_what_this_system_sends_has_the_published_shapes_itself(service):
    assert not faults("request", call(service, order(CHEST)))
    token = client_token("H2", "h2", URL, headers={"jku": "https://his.example.test/jwks.json"}, tenant="H2")
    assert not faults("tokenHeader", jwt.get_unverified_header(token))
    assert not faults("tokenPayload", jwt.decode(token, options={"verify_signature": False}))


def test_a_token_by_the_letter_of_the_specification_opens(clinic):
    """Audience in a list, a tenant and a `jku`; the last two count for nothing."""
    body, more = call(SIGN, order(CHEST)), {"tenant": "H1", "headers": {"jku": "http://127.0.0.1:9/jwks.json"}}
    assert len(cards(ask(clinic, SIGN, body, aud=[URL], **more))) == 1
    assert ask(clinic, SIGN, body, headers={"typ": "key-proof+jwt"}).status_code == 401


@pytest.mark.parametrize("service", [SELECT, SIGN])
def test_a_similar_exam_elsewhere_makes_a_card_that_does_not_say_where(clinic, service):
    (card,) = cards(ask(clinic, service, call(service, order(CHEST))))
    assert card["summary"] == "7天前已做胸部CT平扫检查，可互认。CT of chest, plain 7 days ago; can be recognised."[
        :139
    ] or (card["summary"].startswith("7天前已做胸部CT"))
    assert set(ask(clinic, service, call(service, order(CHEST))).json_body) == {"cards"}, "nothing is done by itself"
    assert card["indicator"] == "warning"
    assert [one["code"] for one in card["overrideReasons"]] == list("123456")
    assert card["links"][0]["url"] == f"{ORIGIN}/#/encounters/E1/similar/{card['uuid']}"
    told = json.dumps(card, ensure_ascii=False)
    assert not [word for word in ("H1", REF.study_instance_uid, NAME, "P1", "Q1") if word in told]


def test_with_the_patients_consent_the_card_says_where(clinic):
    clinic.consent()
    (card,) = cards(ask(clinic, SIGN, call(SIGN, order(CHEST))))
    assert "H1医院" in card["detail"]
    other = {"doctor_id": "d2", "hospital_id": "H2", "licence_number": "111", "name": "王医生"}
    assert clinic.ask("POST", "/doctors", "administrator", other).status_code == 201
    (card,) = cards(ask(clinic, SIGN, call(SIGN, order(CHEST), doctor="d2")))
    assert "H1医院" not in card["detail"]


UNDERSTOOD = [
    order("胸部CT平扫"),
    order("CT CHEST W/O CONTRAST"),
    order("胸部平扫", code={"text": "胸部平扫", "coding": [{"system": DCM, "code": "CT"}]}),
    order("CT平扫", bodySite=[{"text": "胸部"}]),
    order("CT平扫", bodySite=[{"coding": [{"system": "http://snomed.info/sct", "code": "51185008"}]}]),
    order("", code={"coding": [{"system": "urn:local", "code": "X1", "display": "胸部CT平扫"}]}),
    order("胸部平扫", category=[{"coding": [{"system": DCM, "code": "CT"}]}]),
]


def test_an_order_is_understood_by_its_words_or_its_codes(clinic):
    wrong = [wanted for wanted in UNDERSTOOD if len(cards(ask(clinic, SIGN, call(SIGN, wanted)))) != 1]
    assert not wrong


def test_another_machine_is_only_told_for_reference(clinic):
    (card,) = cards(ask(clinic, SIGN, call(SIGN, order("胸部正位DR"))))
    assert card["indicator"] == "info"
    assert "供参考" in card["detail"]


def test_each_order_that_has_something_similar_gets_its_own_card(clinic):
    put(clinic, StudyRef("H1", "1.2.840.2"), description="左膝关节MR平扫", modality="MR")
    both = (order(CHEST), order("左膝关节MR", "o2"), order("右膝关节MR", "o3"), order("会诊", "o4"))
    told = cards(ask(clinic, SIGN, call(SIGN, *both)))
    assert len({card["uuid"] for card in told}) == len(told) == 2


def test_at_selection_only_what_was_selected_counts(clinic):
    body = call(SELECT, order(CHEST), order("头颅CT", "o2"), selections=["ServiceRequest/o2"])
    assert ask(clinic, SELECT, body).body == NO_CARDS


def test_systems_that_number_in_their_own_way_are_understood_by_what_they_prefetch(clinic):
    body = call(SIGN, order(CHEST), patient="fhir-7", encounter="fhir-8")
    assert ask(clinic, SIGN, body).body == NO_CARDS
    body["prefetch"] = {
        "patient": {"resourceType": "Patient", "id": "fhir-7", "identifier": [{"value": "Q1"}]},
        "encounter": {"resourceType": "Encounter", "id": "fhir-8", "identifier": [{"value": "E1"}]},
    }
    assert len(cards(ask(clinic, SIGN, body))) == 1


# Where there is nothing to tell, and where nothing may be told


def closed(clinic):
    assert clinic.ask("POST", "/me/freeze", "patient", {"confirm": "yes"}, person_id=clinic.person_id).status_code < 300


def hidden(clinic):
    body = {"hospital_id": REF.hospital_id, "study_instance_uid": REF.study_instance_uid}
    assert clinic.ask("POST", "/me/studies/hide", "patient", body, person_id=clinic.person_id).status_code < 300


def contested(clinic):
    body = {"patient_id": "Q1"}
    assert clinic.ask("POST", "/desk/identities/contest", "desk_clerk", body, hospital_id="H2").status_code < 300


def suspended(clinic):
    body = {"doctor_id": "d1", "status": "suspended"}
    assert clinic.ask("POST", "/doctors/status", "administrator", body).status_code < 300


@pytest.mark.parametrize(
    "before",
    [
        closed,
        hidden,
        contested,
        suspended,
    ],
)
def test_what_may_not_be_told_looks_as_if_there_were_nothing(clinic, before):
    assert cards(ask(clinic, SIGN, call(SIGN, order(CHEST))))
    before(clinic)
    assert ask(clinic, SIGN, call(SIGN, order(CHEST))).body == NO_CARDS


def test_who_is_not_known_looks_as_if_there_were_nothing(clinic):
    for changes in ({"patient": "Q2"}, {"encounter": "E404"}, {"encounterId": None}, {"doctor": "d404"}):
        assert ask(clinic, SIGN, call(SIGN, order(CHEST), **changes)).body == NO_CARDS


NEED_NONE = [
    order("头颅CT平扫"),
    order("会诊"),
    order("胸部"),
    order("胸部CT平扫 术后复查"),
    order(CHEST, reasonCode=[{"text": "化疗后随访"}]),
    order(CHEST, priority="stat"),
    {"resourceType": "MedicationRequest", "id": "o1"},
    order(CHEST, code="x", bodySite="y", category={}, identifier=[1], priority=7),
]


def test_an_order_that_needs_no_reminder_gets_none(clinic):
    wrong = [wanted for wanted in NEED_NONE if ask(clinic, SIGN, call(SIGN, wanted)).body != NO_CARDS]
    assert not wrong


def test_an_emergency_is_not_held_up(clinic):
    from chalicelib.domain.identity import PatientDetails
    from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter

    patient = PatientDetails("Q1", NAME)
    notice = EncounterNotice("H2", "E9", "open", patient, "emergency", datetime.now(UTC), "d1")
    RecordEncounter(wiring.encounters())(notice)
    assert ask(clinic, SIGN, call(SIGN, order(CHEST), encounter="E9")).body == NO_CARDS


def test_the_order_s_own_exam_is_no_earlier_one(clinic):
    hidden(clinic)
    ref = StudyRef("H2", "1.2.840.5")
    put(clinic, ref, "Q1", days=1, accession_number="A77")
    assert len(cards(ask(clinic, SIGN, call(SIGN, order(CHEST))))) == 1
    mine = order(CHEST, identifier=[{"value": "A77"}])
    assert ask(clinic, SIGN, call(SIGN, mine)).body == NO_CARDS


def test_a_study_that_cannot_be_served_is_not_told_of(clinic):
    put(clinic, REF, "other")  # two patients in one study
    assert ask(clinic, SIGN, call(SIGN, order(CHEST))).body == NO_CARDS


# Who may ask


URL = f"{ORIGIN}/cds-services/{SIGN}"


BAD_TOKENS = [
    {"url": ORIGIN},
    {"url": f"{ORIGIN}/cds-services/{SELECT}"},
    {"hospital_id": "H1"},
    {"name": "h1"},
    {"jti": None},
    {"jti": ""},
    {"jti": 7},
    {"iat": 0},
    {"exp": 0},
    {"exp": None},
    {"iss": "https://id.example.test"},
    {"algorithm": "PS256"},
    {"headers": {"kid": "x"}},
    {"now": datetime(2020, 1, 1, tzinfo=UTC)},
    {"now": datetime(2040, 1, 1, tzinfo=UTC)},
]


def test_a_token_that_was_not_made_for_this_call_is_refused(clinic):
    right = call(SIGN, order(CHEST))
    wrong = [token for token in BAD_TOKENS if ask(clinic, SIGN, right, **token).status_code != 401]
    assert not wrong


def test_a_token_is_good_once_and_for_nothing_else(clinic):
    assert ask(clinic, SIGN, call(SIGN, order(CHEST)), jti="once").status_code == 200
    assert ask(clinic, SIGN, call(SIGN, order(CHEST)), jti="once").status_code == 401
    own = {"Authorization": f"Bearer {own_token('H2', 'h2', URL)}"}
    assert clinic.ask("GET", "/hospital/keys", headers=own).status_code == 401
    named = {"Authorization": f"Bearer {client_token('H2', 'h2', URL)}"}
    assert clinic.ask("GET", "/hospital/keys", headers=named).status_code == 401
    assert clinic.ask("POST", f"/cds-services/{SIGN}", "doctor", call(SIGN)).status_code == 401


def test_an_unknown_service_is_not_there(clinic):
    assert ask(clinic, "similar-exam", {}).status_code == 404
    assert ask(clinic, "similar-exam", {}, path="/feedback").status_code == 404


NO_CALLS = [
    {"hook": "patient-view"},
    {"hook": None},
    {"hookInstance": ""},
    {"context": None},
    {"context": {"userId": "Practitioner/d1", "patientId": "Q1"}},
]


def test_a_call_that_is_none_of_the_hook_is_a_bad_request(clinic):
    right = call(SIGN, order(CHEST))
    wrong = [change for change in NO_CALLS if ask(clinic, SIGN, {**right, **change}).status_code != 400]
    assert not wrong


def test_selections_must_be_there_at_selection(clinic):
    body = call(SELECT, order(CHEST))
    del body["context"]["selections"]
    assert ask(clinic, SELECT, body).status_code == 400


def test_no_address_in_a_call_is_ever_fetched(clinic):
    """A server of the caller's choice: nothing listens there, and nobody asks."""
    body = {**call(SIGN, order(CHEST)), "fhirServer": "http://127.0.0.1:9", "fhirAuthorization": {"access_token": "t"}}
    assert len(cards(ask(clinic, SIGN, body, headers={"jku": "http://127.0.0.1:9/jwks.json"}))) == 1


# What is kept


def test_a_reminder_is_kept_once_however_often_it_is_shown(clinic):
    shown = {cards(ask(clinic, service, call(service, order(CHEST))))[0]["uuid"] for service in (SELECT, SIGN, SIGN)}
    (card,) = shown
    ((alert, answers),) = wiring.alerts().of_day("H2", day_of(card))
    assert (alert.alert_id, alert.doctor_id, alert.encounter_id, alert.patient_id) == (card, "d1", "E1", "Q1")
    assert [(one.study, one.likeness, one.days, one.recognisable) for one in alert.priors] == [
        (REF, "duplicate", 7, True)
    ]
    assert answers == ()
    assert wiring.alerts().of_visit("H2", "E1") == (card,)


def test_what_a_doctor_answers_is_kept_once_with_its_reason(clinic):
    card = cards(ask(clinic, SIGN, call(SIGN, order(CHEST))))[0]["uuid"]
    why = {"reason": {"code": "3", "system": "urn:imaging-cloud:repeat-reason"}, "userComment": "张三要手术"}
    one = {"card": card, "outcome": "overridden", "overrideReason": why, "outcomeTimestamp": "2026-11-24T08:00:00Z"}
    assert not faults("feedbackRequest", {"feedback": [one]})
    for _ in range(2):
        assert ask(clinic, SIGN, {"feedback": [one]}, path="/feedback").status_code == 200
    ((_, answers),) = wiring.alerts().of_day("H2", day_of(card))
    assert [(outcome, reason) for outcome, reason, _ in answers] == [("overridden", "3")]


def test_feedback_on_a_card_that_was_not_shown_there_changes_nothing(clinic):
    card = cards(ask(clinic, SIGN, call(SIGN, order(CHEST))))[0]["uuid"]
    assert wiring.hospital_keys().add(registered("H1", "h1"))
    one = {"card": card, "outcome": "accepted"}
    assert ask(clinic, SIGN, {"feedback": [one]}, path="/feedback", hospital_id="H1", name="h1").status_code == 200
    assert ask(clinic, SIGN, {"feedback": [{**one, "card": "none"}]}, path="/feedback").status_code == 200
    ((_, answers),) = wiring.alerts().of_day("H2", day_of(card))
    assert answers == ()


def test_feedback_in_every_published_form_is_taken(clinic):
    card = cards(ask(clinic, SIGN, call(SIGN, order(CHEST))))[0]["uuid"]
    at = {"card": card, "outcomeTimestamp": "2026-11-24T08:00:00.123Z"}
    their_own = {"code": "d7ecf885", "system": "https://his.example.test/reasons"}
    given = [
        {**at, "outcome": "accepted", "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}]},
        {**at, "outcome": "overridden"},
        {**at, "outcome": "overridden", "overrideReason": {"userComment": "……"}},
        {**at, "outcome": "overridden", "overrideReason": {"reason": their_own}},
    ]
    assert not faults("feedbackRequest", {"feedback": given})
    assert ask(clinic, SIGN, {"feedback": given}, path="/feedback").status_code == 200
    ((_, answers),) = wiring.alerts().of_day("H2", day_of(card))
    assert sorted(one[:2] for one in answers) == [("accepted", ""), ("overridden", "")]


NO_FEEDBACK = [{}, {"feedback": []}, {"feedback": [7]}, {"feedback": [{"card": "x", "outcome": "?"}]}]


def test_feedback_that_says_nothing_is_a_bad_request(clinic):
    wrong = [body for body in NO_FEEDBACK if ask(clinic, SIGN, body, path="/feedback").status_code != 400]
    assert not wrong


def test_the_patient_reads_that_a_doctor_was_reminded(clinic):
    cards(ask(clinic, SIGN, call(SIGN, order(CHEST))))
    assert "提醒" in json.dumps(events(clinic), ensure_ascii=False)


def test_who_asks_without_end_is_told_nothing_more(clinic, monkeypatch):
    from chalicelib.domain.code import Limit
    from chalicelib.services import remind_of_similar

    monkeypatch.setattr(remind_of_similar, "REMINDERS", Limit("reminder", 1, "doctor", "day", "a test"))
    assert cards(ask(clinic, SIGN, call(SIGN, order(CHEST))))
    assert ask(clinic, SIGN, call(SIGN, order(CHEST))).body == NO_CARDS
