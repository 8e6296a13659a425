"""The health app, the QR and guardians over the served API: shapes, refusals, and silence."""

import json
from datetime import UTC, datetime

import pytest

import app
from chalicelib.http.role_table import ROUTES
from infra.local.poller import Functions, QueuePoller
from tests.support.served_app import NAME, NO_GRANT, REF, jwks_url, national_id, served
from tests.support.settle_samples import entry

__all__ = ["jwks_url", "served"]

ONE = [{"hospital_id": REF.hospital_id, "study_instance_uid": REF.study_instance_uid}]
CHILD = national_id("32010220180601002")
MOTHER = national_id("32010219880101006")
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def ask_consent(served):
    body = {"encounter_id": "E1", "purpose": "treatment"}
    return served.ask("POST", "/consent-requests", "doctor", body).json_body


def outcome(served, request_id, **claims):
    body = {"encounter_id": "E1", "request_id": request_id}
    return served.ask("POST", "/consent-requests/outcome", "doctor", body, **claims)


def decide(served, person_id, request_id, **more):
    body = {"request_id": request_id, "decision": "approve", **more}
    return served.ask("POST", "/me/requests/decide", "patient", body, person_id=person_id)


def test_a_patient_approves_in_the_app_and_the_polling_doctor_sees_it(served):
    person_id = served.prepare()
    asked = ask_consent(served)
    assert sorted(asked) == ["expires_at", "open_until", "request_id"]
    request_id = asked["request_id"]
    assert outcome(served, request_id).json_body == {"state": "waiting", "consent": None}
    mine = served.ask("GET", "/me/requests", "patient", person_id=person_id).json_body
    assert [(one["request_id"], one["state"], one["doctor_name"]) for one in mine["requests"]] == [
        (request_id, "waiting", "李医生")
    ]
    assert "5分钟" in mine["notice"]["zh"]
    assert "5 minutes" in mine["notice"]["en"]
    given = decide(served, person_id, request_id, studies=ONE, days=30).json_body
    assert (given["state"], given["consent"]["basis"], given["consent"]["studies"]) == ("approved", "health_app", ONE)
    life = datetime.fromisoformat(given["consent"]["expires_at"]) - datetime.fromisoformat(
        given["consent"]["granted_at"]
    )
    assert life.days == 30
    seen = outcome(served, request_id).json_body
    assert (seen["state"], seen["consent"]["studies"]) == ("approved", ONE)
    assert served.manifest().status_code == 200
    again = decide(served, person_id, request_id)
    assert (again.status_code, again.json_body["error"], again.json_body["state"]) == (
        409,
        "request_closed",
        "approved",
    )


def test_a_denial_in_the_app_stands_against_the_code(served):
    person_id = served.prepare()
    request_id = ask_consent(served)["request_id"]
    assert decide(served, person_id, request_id, decision="deny").json_body == {"state": "denied", "consent": None}
    body = {"encounter_id": "E1", "request_id": request_id, "code": served.code()}
    assert served.ask("POST", "/consent-requests/verify", "doctor", body).json_body["error"] == "code_locked"
    assert outcome(served, request_id).json_body == {"state": "denied", "consent": None}
    assert served.manifest().body == NO_GRANT


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": 31}, "days"),
        ({"days": "7"}, "days"),
        ({"studies": []}, "studies"),
        ({"studies": [{"hospital_id": "H1"}]}, "studies"),
        ({"studies": ["1.2"]}, "studies"),
        ({"studies": {}}, "studies"),
        ({"studies": [{"hospital_id": "h1", "study_instance_uid": "1.2"}]}, "studies"),
        ({"decision": "maybe"}, "decision"),
    ],
)
def test_a_decision_that_says_too_much_or_nothing_names_its_field(served, more, field):
    answer = decide(served, "NOBODYYET", UNKNOWN, **more)
    assert (answer.status_code, answer.json_body["field"]) == (400, field)


def test_strangers_requests_and_foreign_studies_answer_as_unknown_ones(served):
    person_id = served.prepare()
    request_id = ask_consent(served)["request_id"]
    foreign = [{"hospital_id": "H1", "study_instance_uid": "1.2.840.404"}]
    for answer in (
        decide(served, person_id, UNKNOWN),
        decide(served, "SOMEBODYELSE", request_id),
        decide(served, person_id, request_id, studies=foreign),
        outcome(served, UNKNOWN),
    ):
        assert (answer.status_code, answer.body) == (403, NO_GRANT)


OF_PERSONS = [route for route, allowed in ROUTES.items() if allowed.whose in ("self", "ward")]


@pytest.mark.parametrize(("method", "path"), OF_PERSONS)
def test_a_persons_routes_need_a_token_bound_to_one(served, method, path):
    for role in ROUTES[method, path].roles:
        answer = served.ask(method, path, role, body={} if method == "POST" else None, person_id="")
        assert (answer.status_code, answer.json_body["error"]) == (403, "not_allowed")


# The QR


def show(served, person_id):
    return served.ask("POST", "/me/qr", "patient", person_id=person_id).json_body


def scan(served, qr, encounter_id="E1"):
    return served.ask("POST", "/consent-requests/qr", "doctor", {"encounter_id": encounter_id, "qr": qr})


def test_a_doctor_scans_the_patients_qr_once(served):
    person_id = served.prepare()
    shown = show(served, person_id)
    seconds = (datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC)).total_seconds()
    assert 50 < seconds <= 60
    given = scan(served, shown["qr"])
    assert (given.json_body["basis"], given.json_body["studies"]) == ("dynamic_qr", ONE)
    assert served.manifest().status_code == 200
    refused = [scan(served, shown["qr"]), scan(served, "IC1.nothing"), scan(served, show(served, "ELSE")["qr"])]
    assert {(one.status_code, one.body) for one in refused} == {(403, refused[0].body)}
    assert refused[0].json_body["error"] == "qr_refused"


def test_a_visit_without_a_linked_patient_is_sent_to_the_desk(served):
    person_id = served.prepare()
    served.open_encounter(encounter_id="E2", patient_id="NEVERSEEN")
    answer = scan(served, show(served, person_id)["qr"], "E2")
    assert (answer.status_code, answer.json_body["error"]) == (409, "identity_unlinked")
    assert "desk" in answer.json_body["message"]["en"]
    assert "窗口" in answer.json_body["message"]["zh"]


# Guardians


def prove(served, **changes):
    body = {
        "ward": {"national_id": CHILD, "name": "欧阳小"},
        "guardian": {"national_id": MOTHER, "name": "王母"},
        "kind": "minor",
        "document": "birth_certificate",
    }
    return served.ask("POST", "/desk/guardians", "desk_clerk", {**body, **changes})


def family(served):
    """Hospitals, a child with a study at H1 and a visit at H2, and the mother: both persons."""
    served.open_hospitals()
    card = {"national_id": CHILD, "name": "欧阳小", "birth_date": "2018-06-01", "sex": "", "phone": ""}
    ward = served.register("H1", "P1", **card)
    assert served.register("H2", "Q1", **card) == ward
    mother = {"national_id": MOTHER, "name": "王母", "birth_date": "", "sex": "", "phone": ""}
    guardian = served.register("H1", "M1", **mother)
    served.open_encounter()
    served.receive(entry(1, patient_name="欧阳小", patient_birth_date="20180601"))
    assert prove(served).status_code == 201
    return ward, guardian


def as_guardian(served, route, guardian, ward="", body=None):
    token = served.token("guardian", person_id=guardian)
    headers = {"Authorization": f"Bearer {token}", **({"X-Ward": ward} if ward else {})}
    return served.ask(*route.split(" "), headers=headers, body=body)


def test_a_guardian_acts_for_a_child_named_by_a_header_that_says_nothing(served):
    ward_id, guardian = family(served)
    (ward,) = as_guardian(served, "GET /wards", guardian).json_body["wards"]
    assert (ward["name"], ward["kind"], ward["is_live"]) == ("欧阳小", "minor", True)
    assert ward_id not in json.dumps(ward)
    reference = ward["ward"]
    studies = as_guardian(served, "GET /wards/studies", guardian, reference).json_body["studies"]
    assert [one["study_instance_uid"] for one in studies] == [REF.study_instance_uid]
    assert served.manifest("guardian", person_id=guardian).status_code == 200
    request_id = ask_consent(served)["request_id"]
    refused = decide(served, ward_id, request_id)
    assert (refused.status_code, refused.json_body["error"]) == (403, "guardian_needed")
    (listed,) = as_guardian(served, "GET /wards/requests", guardian, reference).json_body["requests"]
    body = {"request_id": listed["request_id"], "decision": "approve", "days": 2}
    given = as_guardian(served, "POST /wards/requests/decide", guardian, reference, body).json_body["consent"]
    assert (given["basis"], given["guardian_id"]) == ("guardian", guardian)
    assert served.manifest().status_code == 200
    accesses = as_guardian(served, "GET /wards/accesses", guardian, reference).json_body["accesses"]
    acts = {(one["action"], one["subject"], one["guardian_id"]) for one in accesses if one["role"] == "guardian"}
    assert ("decide_request", "g1", guardian) in acts
    assert ("view_study", "g1", guardian) in acts
    consents = as_guardian(served, "GET /wards/consents", guardian, reference).json_body["consents"]
    assert [one["consent_id"] for one in consents] == [given["consent_id"]]
    body = {"consent_id": given["consent_id"]}
    assert as_guardian(served, "POST /wards/consents/revoke", guardian, reference, body).json_body["revoked_at"]
    assert served.manifest().json_body["error"] == "consent_revoked"
    qr = as_guardian(served, "POST /wards/qr", guardian, reference).json_body["qr"]
    assert scan(served, qr).json_body["basis"] == "dynamic_qr"
    (mine,) = served.ask("GET", "/me/guardians", "patient", person_id=ward_id).json_body["guardians"]
    assert (mine["name"], mine["document"], mine["hospital_id"]) == ("王母", "birth_certificate", "H1")
    told = served.ask("GET", "/me/notices", "patient", person_id=ward_id).json_body["notices"]
    assert "guardian_proven" in {one["kind"] for one in told}
    assert all(one["message"]["zh"] and one["message"]["en"] for one in told)


def test_a_guardian_gets_the_copy_of_a_wards_record_on_record(served, cloud):
    ward_id, guardian = family(served)
    (ward,) = as_guardian(served, "GET /wards", guardian).json_body["wards"]
    asked = as_guardian(served, "POST /wards/export", guardian, ward["ward"], {"confirm": "yes"})
    assert (asked.status_code, asked.json_body["state"]) == (202, "building")
    functions = Functions(app)
    source = functions.queues()["imaging-cloud-exports"]
    assert QueuePoller(cloud.client("sqs"), "imaging-cloud-exports", source, functions).poll()
    told = as_guardian(served, "GET /wards/export", guardian, ward["ward"]).json_body
    assert (told["state"], told["url"].startswith("http")) == ("ready", True)
    seen = served.ask("GET", "/me/accesses", "patient", person_id=ward_id).json_body["accesses"]
    deeds = [(one["reason"], one["guardian_id"]) for one in seen if one["action"] == "export_record"]
    assert deeds == [("fetched", guardian), ("asked", guardian)]


def test_a_guardian_stops_another_who_still_waits(served):
    _, guardian = family(served)
    (ward,) = as_guardian(served, "GET /wards", guardian).json_body["wards"]
    assert prove(served, guardian={"national_id": national_id(), "name": NAME}).status_code == 201
    known = as_guardian(served, "GET /wards/guardians", guardian, ward["ward"]).json_body["guardians"]
    (waiting,) = [one for one in known if not one["is_live"]]
    body = {"ward": waiting["ward"]}
    answer = as_guardian(served, "POST /wards/guardians/object", guardian, ward["ward"], body)
    assert answer.json_body["objected_at"]


WARD_ROUTES = [
    ("GET /wards/studies", None),
    ("GET /wards/requests", None),
    ("GET /wards/consents", None),
    ("GET /wards/accesses", None),
    ("POST /wards/qr", None),
    ("POST /wards/export", {"confirm": "yes"}),
    ("GET /wards/export", None),
    ("GET /wards/guardians", None),
    ("POST /wards/guardians/object", {"ward": UNKNOWN}),
    ("POST /wards/requests/decide", {"request_id": UNKNOWN, "decision": "deny"}),
    ("POST /wards/consents/revoke", {"consent_id": UNKNOWN}),
]


@pytest.mark.parametrize(("route", "body"), WARD_ROUTES)
def test_no_route_of_wards_answers_a_stranger_a_bad_reference_or_a_former_guardian(served, route, body):
    _, guardian = family(served)
    (ward,) = as_guardian(served, "GET /wards", guardian).json_body["wards"]
    for reference in ("", "../x", "x" * 26):
        answer = as_guardian(served, route, guardian, reference, body)
        assert (answer.status_code, answer.json_body["field"]) == (400, "x-ward")
    for whose, reference in (("STRANGER", ward["ward"]), (guardian, UNKNOWN)):
        answer = as_guardian(served, route, whose, reference, body)
        assert (answer.status_code, answer.body) == (403, NO_GRANT)
    cards = {"ward": {"national_id": CHILD, "name": "欧阳小"}, "guardian": {"national_id": MOTHER, "name": "王母"}}
    assert served.ask("POST", "/desk/guardians/end", "desk_clerk", cards).json_body["ended_at"]
    answer = as_guardian(served, route, guardian, ward["ward"], body)
    assert (answer.status_code, answer.json_body["error"]) == (403, "guardianship_ended")
    assert served.manifest("guardian", person_id=guardian).json_body["error"] == "guardianship_ended"


def test_a_desk_is_told_why_a_guardian_is_refused(served):
    served.open_hospitals()
    for changes, reason in (
        ({"kind": "incapacity", "document": "court_decision"}, "ward_minor"),
        ({"guardian": {"national_id": CHILD, "name": "欧阳小"}}, "same_person"),
        ({"guardian": {"national_id": CHILD[:-1] + "A", "name": "欧阳小"}}, "guardian_national_id_characters"),
    ):
        answer = prove(served, **changes)
        assert (answer.status_code, answer.json_body["error"], answer.json_body["reason"]) == (
            422,
            "guardian_refused",
            reason,
        )
    for changes, field in (({"ward": "x"}, "ward"), ({"document": "letter"}, "document"), ({"kind": "pet"}, "kind")):
        assert prove(served, **changes).json_body["field"] == field


def test_a_ward_old_enough_objects_and_a_child_is_told_who_may(served):
    ward_id, _ = family(served)
    (mine,) = served.ask("GET", "/me/guardians", "patient", person_id=ward_id).json_body["guardians"]
    answer = served.ask("POST", "/me/guardians/object", "patient", {"ward": mine["ward"]}, person_id=ward_id)
    assert answer.json_body["error"] == "guardian_needed"
    adult = {"ward": {"national_id": national_id(), "name": NAME}, "kind": "incapacity", "document": "court_decision"}
    person_id = served.register("H1", "P9")
    assert prove(served, **adult).status_code == 201
    (mine,) = served.ask("GET", "/me/guardians", "patient", person_id=person_id).json_body["guardians"]
    assert not mine["is_live"]
    answer = served.ask("POST", "/me/guardians/object", "patient", {"ward": mine["ward"]}, person_id=person_id)
    assert answer.json_body["objected_at"]


def test_nothing_of_a_qr_a_ward_or_a_card_reaches_a_log_or_a_path(served, caplog, cloud):
    caplog.set_level("DEBUG", logger="imaging_cloud")
    ward_id, guardian = family(served)
    (ward,) = as_guardian(served, "GET /wards", guardian).json_body["wards"]
    qr = as_guardian(served, "POST /wards/qr", guardian, ward["ward"]).json_body["qr"]
    scan(served, qr)
    scan(served, qr)
    as_guardian(served, "GET /wards/consents", guardian, UNKNOWN)
    prove(served, guardian={"national_id": MOTHER, "name": "李四"})
    ours = [record for record in caplog.records if not record.name.startswith(("boto", "urllib3", "moto"))]
    said = "\n".join(record.getMessage() + str(record.exc_info or "") for record in ours)
    held = "\n".join(
        str(item)
        for table in ("MAIN_TABLE", "AUDIT_TABLE")
        for item in cloud.client("dynamodb").scan(TableName=cloud.settings[table])["Items"]
    )
    for planted in (qr, qr.removeprefix("IC1."), CHILD, MOTHER, CHILD[:17], MOTHER[:17]):
        assert planted not in said
        assert planted not in held
    for planted in (ward_id, guardian, ward["ward"], "欧阳小", "王母"):
        assert planted not in said
