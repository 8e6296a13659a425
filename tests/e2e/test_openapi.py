"""The API's own document, asked for as any tool would, and tried by schemathesis on the running local cloud: whatever
the document allows or forbids is answered as it says, and never with a 5xx."""

from __future__ import annotations

import io
import json

import pydicom
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from chalicelib.http.openapi import document
from infra.local import samples
from tests.support import tokens
from tests.support.hospital_keys import key_proof
from tests.support.local_cloud import Town, start
from tests.support.ordering import client_token

EXAMPLES = (2, pytest.param(25, marks=pytest.mark.exhaustive))  # of each operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
OPERATIONS = [(method.upper(), path) for path, methods in document()["paths"].items() for method in methods]


@schemathesis.serializer("application/dicom", "multipart/related")
def _bytes(_context, value):
    """Bodies of which the document says only that they are bytes."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


class World:
    """A hospital; and for each operation a new patient, visit and doctor, for the last may have ended theirs."""

    def __init__(self, client):
        self.town = Town(client)
        self.document = client.call("", "GET", "/openapi.json").of(200)
        self.schema = schemathesis.openapi.from_dict(self.document)
        self.url = client.told["api_url"]
        self.hospital_id = self.town.hospital()
        self.origin = self._join(client)
        self.read = self._with_study(self.town.patient(self.hospital_id, "P0"))

    def _join(self, client):
        """The hospital's own key, with which its ordering system signs; our address, for which it signs."""
        regulator = self.town.caller("regulator")
        issued = regulator.ask("POST", f"/hospitals/{self.hospital_id}/joining-code").of(201)
        body = {"hospital_id": self.hospital_id, "code": issued["code"], "public_key": tokens.jwk("h1")}
        body["proof"] = key_proof(self.hospital_id, "h1", issued["audience"])
        client.call("", "POST", "/joining", body).of(201)
        return issued["audience"]

    def _with_study(self, patient):
        """A patient whose record is read, never written; and how their image is named."""
        (file,) = samples.chest_ct(hospital=self.hospital_id, accession_number="A1", slices=1)
        image = pydicom.dcmread(io.BytesIO(file))
        image.PatientID = "P0"
        image.save_as(sent := io.BytesIO(), enforce_file_format=True)
        self.town.put(self.hospital_id, "ct.dcm", sent.getvalue())
        self.town.study(self.hospital_id, image.StudyInstanceUID, served=1)
        uids = {"studyUID": image.StudyInstanceUID, "seriesUID": image.SeriesInstanceUID}
        named = {"uid": uids["studyUID"], "series": uids["seriesUID"], "instance": image.SOPInstanceUID, "frames": "1"}
        return patient, {**named, **uids, "study_instance_uid": named["uid"], "objectUID": named["instance"]}

    def people(self, method):
        """What is known to one operation's callers, by the names that fields have; and the callers."""
        at, town, (patient, image) = self.hospital_id, self.town, self.read
        patient_id = "P0"
        if method != "GET":
            patient_id = f"P{town.new()}"
            patient = town.patient(at, patient_id)
        doctor = town.doctor(at)
        person_id = patient.client.claims[patient.login]["person_id"]
        known = {
            "hospital_id": at,
            "encounter_id": town.visit(at, patient_id, doctor),
            "patient_id": patient_id,
            "person_id": person_id,
            "doctor_id": doctor.client.claims[doctor.login]["sub"],
            **image,
            "service_id": "similar-exam-order-sign",
        }
        callers = {
            "patient": patient,
            "doctor": doctor,
            "guardian": town.caller("guardian-zhang", person_id=person_id),
            "hospital": town.of_hospital(at),
            "desk_clerk": town.caller("clerk-jb001", hospital_id=at),
            "privacy_officer": town.caller("officer-jb001", hospital_id=at),
            "regulator": town.caller("regulator"),
            "administrator": town.caller("administrator"),
        }
        return known, callers

    def bearer(self, path, caller):
        if path.startswith("/cds-services/"):
            return {"Authorization": f"Bearer {client_token(self.hospital_id, 'h1', self.origin + path)}"}
        return {"Authorization": f"Bearer {caller.client.token(caller.login)}"} if caller else {}


def told_of(case, known, draw):
    """Half of what the case makes up becomes what is there, or the names would never be right."""
    for place in (case.path_parameters, case.query, case.body):
        for name in known.keys() & place.keys() if isinstance(place, dict) else ():
            if draw(st.booleans()):
                place[name] = known[name]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    directory = tmp_path_factory.mktemp("openapi")
    process, client = start(directory)
    yield World(client)
    process.terminate()
    assert process.wait(30) == 0, (directory / "stdout.txt").read_text()


def test_the_served_document_is_the_one_made_from_the_routes(world):
    assert world.document == json.loads(json.dumps(document()))


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_the_document_says(world, method, path, examples):
    operation = world.schema[path][method]
    roles = world.document["paths"][path][method.lower()]["x-roles"]
    modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if _can_be_wrong(operation) else [])]

    known, callers = world.people(method)

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,  # who changes a route sees what the change did
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def ask(data):
        mode = data.draw(st.sampled_from(modes))
        case = data.draw(operation.as_strategy(mode))
        if mode is GenerationMode.POSITIVE:
            told_of(case, known, data.draw)
        caller = callers[data.draw(st.sampled_from(roles))] if roles else None
        sent = world.bearer(case.formatted_path, caller)
        answer = case.call(base_url=world.url, headers=sent, allow_redirects=False)
        case.validate_response(answer, checks=CHECKS)

    ask()


def _can_be_wrong(operation):
    return bool(operation.body or operation.query or operation.path_parameters)
