"""The app over a moto cloud, called as API Gateway would call it, with one way to speak for every role."""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from chalice.test import Client

from chalicelib import wiring
from chalicelib.domain.identity import PatientDetails
from chalicelib.domain.study import StudyRef
from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter
from chalicelib.store import clients
from infra.local.poller import Functions, QueuePoller
from tests.support import tokens
from tests.support.cloud import forget_cached
from tests.support.contract import hold
from tests.support.settle_samples import entry

ORIGIN = "https://yun.example.test"
REF = StudyRef("H1", "1.2.840.1")
NAME = "欧阳慧敏"
PHONE = "13912345678"
PATIENT_ID = "P1"
NO_GRANT = b'{"error":"no_grant"}'
# Claims that bind each role as its tokens are bound in the province.
BOUND = {
    "doctor": {"subject": "d1", "hospital_id": "H2"},
    "patient": {"subject": "p1", "person_id": "NOBODYYET"},
    "guardian": {"subject": "g1", "person_id": "NOBODYYET"},
    "hospital": {"subject": "H1", "hospital_id": "H1"},
    "desk_clerk": {"subject": "c1", "hospital_id": "H1"},
    "privacy_officer": {"subject": "o1", "hospital_id": "H1"},
    "regulator": {"subject": "r1"},
    "administrator": {"subject": "a1"},
}


def national_id(seventeen="32010219700101001"):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, seventeen, strict=True))
    return seventeen + "10X98765432"[total % 11]


class Jwks(BaseHTTPRequestHandler):
    """What the tests' issuer publishes; a test may rotate `names` and must put them back."""

    names = ("k1",)

    def do_GET(self):
        body = tokens.jwks(*self.names)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def jwks_url():
    served = ThreadingHTTPServer(("127.0.0.1", 0), Jwks)
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}/jwks.json"
    served.shutdown()
    thread.join()
    served.server_close()


@dataclass
class Served:
    """`ask` a route as somebody. What was said to anyone is kept in `bodies`."""

    http: Any
    written: Any  # the file of the outbox
    said: list[Any] = field(default_factory=list)

    def ask(self, method, path, role="", body=None, headers=None, **claims):
        """`claims` change what the role's token says."""
        given = dict(headers or {})
        if role:
            given["Authorization"] = f"Bearer {self.token(role, **claims)}"
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.http.request(method, path, headers=given, body=raw)
        hold(method, path, answer)
        self.said.append(answer)
        return answer

    def token(self, role, **claims):
        return tokens.token(role=role, now=datetime.now(UTC), **{**BOUND[role], **claims})

    @property
    def outbox(self):
        """With all that was asked to be sent, as the queue delivers it."""
        import app

        queue, functions = "imaging-cloud-messages", Functions(app)
        poller = QueuePoller(clients.sqs(), queue, functions.queues()[queue], functions)
        while poller.poll():
            pass
        return self.written

    def code(self):
        return json.loads(self.outbox.read_text(encoding="utf-8").splitlines()[-1])["values"]["code"]

    # The story so far, step by step

    def open_hospitals(self):
        for hospital_id in ("H1", "H2"):
            body = {"hospital_id": hospital_id, "name": f"{hospital_id}医院"}
            assert self.ask("POST", "/hospitals", "regulator", body).status_code == 201
        doctor = {"doctor_id": "d1", "hospital_id": "H2", "licence_number": "110", "name": "李医生"}
        assert self.ask("POST", "/doctors", "administrator", doctor).status_code == 201

    def register(self, hospital_id="H1", patient_id=PATIENT_ID, **changes):
        body = {
            "patient_id": patient_id,
            "national_id": national_id(),
            "name": NAME,
            "sex": "M",
            "birth_date": "1970-01-01",
            "phone": PHONE,
        }
        answer = self.ask("POST", "/desk/registrations", "desk_clerk", {**body, **changes}, hospital_id=hospital_id)
        assert answer.status_code == 201, answer.body
        return answer.json_body["person_id"]

    def open_encounter(self, hospital_id="H2", encounter_id="E1", patient_id="Q1"):
        patient = PatientDetails(patient_id, NAME)
        notice = EncounterNotice(hospital_id, encounter_id, "open", patient, "outpatient", datetime.now(UTC), "d1")
        RecordEncounter(wiring.encounters())(notice)

    def receive(self, *entries, ref=REF):
        wiring.journal().write({ref: list(entries or (entry(1), entry(2)))}, datetime.now(UTC))
        return wiring.settle_study()(ref, datetime.now(UTC))

    def prepare(self):
        """Hospitals, a doctor, a person known to both hospitals, an open visit at H2 and a study at H1."""
        self.open_hospitals()
        person_id = self.register()
        assert self.register("H2", "Q1") == person_id
        self.open_encounter()
        self.receive()
        return person_id

    def consent(self):
        """A doctor asks, the patient tells the code: the consent as answered."""
        asked = self.ask("POST", "/consent-requests", "doctor", {"encounter_id": "E1", "purpose": "treatment"})
        assert asked.status_code == 202, asked.body
        body = {"encounter_id": "E1", "request_id": asked.json_body["request_id"], "code": self.code()}
        answer = self.ask("POST", "/consent-requests/verify", "doctor", body)
        assert answer.status_code == 200, answer.body
        return answer.json_body

    def manifest(self, role="doctor", ref=REF, token="", **claims):
        query = f"?token={token}" if token else ""
        path = f"/hospitals/{ref.hospital_id}/studies/{ref.study_instance_uid}/manifest{query}"
        return self.ask("GET", path, role, **claims)


@pytest.fixture
def served(cloud_settings, monkeypatch, jwks_url):
    monkeypatch.setenv("ISSUERS", tokens.setting(jwks_url=jwks_url))
    monkeypatch.setenv("ORIGIN", ORIGIN)
    forget_cached()
    import app

    return Served(Client(app.app).http, cloud_settings.outbox)


def error_of(answer):
    """The word for what went wrong, in our own form or in FHIR's; "" for nothing."""
    told = answer.json_body if "json" in answer.headers.get("Content-Type", "") and answer.body else None
    if not isinstance(told, dict):
        return ""
    if told.get("resourceType") == "OperationOutcome":
        return told["issue"][0]["details"]["coding"][0]["code"]
    return told.get("error", "")
