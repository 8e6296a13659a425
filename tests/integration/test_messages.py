"""How long a doctor waits says nothing of the patient: the same calls in every case, and the queue tells the phone."""

import json
from datetime import UTC, datetime, timedelta

import pytest

import app
from chalicelib import wiring
from chalicelib.domain.identity import PatientDetails
from chalicelib.domain.message import Message
from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter
from chalicelib.store import clients
from chalicelib.store.messages import QueuedSms
from infra.local.poller import Functions
from tests.support import recorder
from tests.support.cloud import forget_cached
from tests.support.served_app import NAME, PHONE, jwks_url, national_id, served

__all__ = ["jwks_url", "served"]

AGED_NINE = datetime.now(UTC).date() - timedelta(days=9 * 366)
CHILD = {"national_id": national_id(f"320102{AGED_NINE:%Y%m%d}001"), "name": "欧阳小", "birth_date": str(AGED_NINE)}
CHILD["phone"] = ""


def visit(served, encounter_id, **details):
    """As H2 tells of it."""
    patient = PatientDetails(**{"patient_id": f"N-{encounter_id}", "name": "某人", **details})
    notice = EncounterNotice("H2", encounter_id, "open", patient, "outpatient", datetime.now(UTC), "d1")
    wiring.record_notice().link("H2", patient, datetime.now(UTC))
    RecordEncounter(wiring.encounters())(notice)
    return encounter_id


def ask(served, encounter_id):
    return served.ask("POST", "/consent-requests", "doctor", {"encounter_id": encounter_id, "purpose": "treatment"})


def asked_of_aws(served, encounter_id):
    """The calls of one request, and to which phone its message goes."""
    with recorder.watch() as calls:
        answer = ask(served, encounter_id)
    assert answer.status_code == 202, answer.body
    (body,) = [json.loads(one.parameters["MessageBody"]) for one in calls if one.operation == "SendMessage"]
    return [(one.service, one.operation, one.parameters.get("TableName")) for one in calls], body["phone"]


def registered(served, encounter_id, **changes):
    served.register("H2", f"N-{encounter_id}", **{"sex": "", **changes})
    return visit(served, encounter_id)


def a_child(served, encounter_id, **changes):
    return registered(served, encounter_id, **{**CHILD, **changes})


def a_ward(served):
    a_child(served, "ward")
    cards = {
        "ward": {"national_id": CHILD["national_id"], "name": CHILD["name"]},
        "guardian": {"national_id": national_id(), "name": NAME},
    }
    body = {**cards, "kind": "minor", "document": "birth_certificate"}
    assert served.ask("POST", "/desk/guardians", "desk_clerk", body).status_code == 201
    return "ward"


def one_too_many(served):
    """Three an hour; seven are too many even where the hour ends meanwhile."""
    for _ in range(7):
        ask(served, visit(served, "often", patient_id="Q1"))
    return "often"


@pytest.fixture
def case(served):
    """Calls and phone of a request, by what is known of its patient."""
    served.prepare()
    ask(served, visit(served, "first"))  # what a container reads once
    nobody = national_id("32010219750101002")
    kinds = {
        "own phone": "E1",
        "a hospital's number": visit(served, "told", national_id=national_id("32010219800101004"), phone="13911110000"),
        "no phone": registered(served, "none", national_id=nobody, phone="", birth_date="1975-01-01", name="王无"),
        "unknown": visit(served, "unknown"),
        "a child without a guardian": a_child(
            served, "child", national_id=national_id(f"320102{AGED_NINE:%Y%m%d}003"), name="王小"
        ),
        "a child": a_ward(served),
    }
    seen = {kind: asked_of_aws(served, encounter_id) for kind, encounter_id in kinds.items()}
    return seen | {"asked too often": asked_of_aws(served, one_too_many(served))}


def test_a_request_asks_the_same_of_aws_whoever_the_patient_is(case):
    phones = {kind: phone for kind, (_, phone) in case.items()}
    reached = {"own phone": PHONE, "a hospital's number": "13911110000", "a child": PHONE}
    assert phones == dict.fromkeys(case, "") | reached
    known, _ = case["own phone"]
    assert {kind: calls for kind, (calls, _) in case.items() if calls != known} == {}
    assert known[-1] == ("sqs", "SendMessage", None)


def broken(**_):
    raise ConnectionError("the queue does not answer")


def test_a_queue_that_fails_fails_every_request_alike(served):
    served.prepare()
    registered(served, "none", national_id=national_id("32010219750101002"), phone="", birth_date="", name="王无")
    visit(served, "unknown")
    clients.sqs().meta.events.register("before-call.sqs.SendMessage", broken)
    answers = [ask(served, encounter_id) for encounter_id in ("E1", "none", "unknown")]
    assert {(one.status_code, one.body) for one in answers} == {(500, answers[0].body)}


# The queue's end


@pytest.fixture
def queued(served, cloud):
    """What lies in the queue after a code was asked for: one record, as Lambda gets it."""
    served.prepare()
    ask(served, "E1")
    (one,) = cloud.client("sqs").receive_message(QueueUrl=cloud.queue_url("messages"))["Messages"]
    return {"messageId": one["MessageId"], "body": one["Body"]}


def sent(*records):
    event = {"Records": [{**one, "attributes": {}, "messageAttributes": {}} for one in records]}
    return Functions(app)("send", event)["batchItemFailures"]


def lines(served):
    return served.written.read_text(encoding="utf-8").splitlines() if served.written.exists() else []


def changed(record, **changes):
    return {**record, "body": json.dumps({**json.loads(record["body"]), **changes})}


def test_a_code_brought_twice_has_one_id(served, queued):
    assert sent(queued) == sent(queued) == []
    first, second = (json.loads(line) for line in lines(served))
    assert first["message_id"] == second["message_id"] == json.loads(queued["body"])["message_id"]
    assert (first["phone"], set(first["values"])) == (PHONE, {"code"})


def test_a_code_that_has_run_out_is_dropped_and_not_brought_again(served, queued):
    assert sent(changed(queued, useless_at=datetime.now(UTC).isoformat())) == []
    assert lines(served) == []


def test_a_message_for_nobody_ends_there(served, queued):
    assert sent(changed(queued, phone="")) == []
    assert lines(served) == []


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"phone": "1"}'])
def test_what_is_no_message_is_left_to_the_dead_letters(served, body):
    assert sent({"messageId": "m1", "body": body}) == [{"itemIdentifier": "m1"}]


def test_what_the_gateway_does_not_take_is_brought_again_until_it_has_run_out(served, queued, monkeypatch, caplog):
    monkeypatch.setenv("SMS_GATEWAY", "nowhere")
    forget_cached()
    assert sent(queued) == [{"itemIdentifier": queued["messageId"]}]
    assert PHONE not in caplog.text
    assert json.loads(queued["body"])["values"]["code"] not in caplog.text


def test_a_code_is_worth_nothing_from_the_end_of_its_five_minutes_on():
    class Queue:
        def send_message(self, **asked):
            self.body = json.loads(asked["MessageBody"])

    now, queue = datetime(2026, 11, 24, 9, tzinfo=UTC), Queue()
    sms = QueuedSms(queue, "https://queue.example.test", lambda: now)
    sms.send(PHONE, "consent_code", {"code": "482913"})
    end = datetime.fromisoformat(queue.body["useless_at"])
    assert end == now + timedelta(minutes=5)
    message = Message("m", PHONE, "consent_code", {}, end)
    assert [message.is_useless(end - timedelta(microseconds=1)), message.is_useless(end)] == [False, True]
    sms.send(PHONE, "guardian_new", {})
    assert queue.body["useless_at"] == ""
    assert "482913" not in repr(message)
