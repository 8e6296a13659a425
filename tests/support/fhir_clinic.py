"""FHIR over a whole cloud: a clinic, and how to ask it. Every answer is held against fhir.resources' R4B."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from fhir.resources.R4B import get_fhir_model_class

from chalicelib import wiring
from chalicelib.domain.exam import Report
from chalicelib.domain.study import StudyRef
from tests.support.ledger_world import notice
from tests.support.served_app import ORIGIN, PATIENT_ID, jwks_url, served
from tests.support.settle_samples import T0, entry

__all__ = ["jwks_url", "served"]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OTHERS = StudyRef("H1", "1.2.840.77")
UNKNOWN = StudyRef("H1", "1.2.840.404")
DIGEST = "d" * 32
OF_H2 = {"patient:identifier": "urn:imaging-cloud:hospital:H2:patient|Q1"}


@pytest.fixture
def clinic(served):
    """P1's CT with a report, an MR and a study of H2; another patient's CT; a doctor who may see all of P1's."""
    person_id = served.prepare()
    second, third = StudyRef("H1", "1.2.840.2"), StudyRef("H2", "1.2.840.3")
    served.receive(entry(1, "b", ref=second, modality="MR", study_date="20250301", accession_number=""), ref=second)
    served.receive(entry(1, "c", ref=third, patient_id="Q1", accession_number="A3"), ref=third)
    served.receive(entry(1, "d", ref=OTHERS, patient_id="P77", accession_number="A77"), ref=OTHERS)
    report = Report(DIGEST, "application/pdf", "reports/H1/2026-11-24/r.pdf", "v1", 1234)
    told = notice(at=T0, patient_id=PATIENT_ID, accession_number="A1", procedure="胸部CT平扫", report=report)
    wiring.derive_exams().notice_recorded("H1", told)
    served.consent()
    served.person_id = person_id
    return served


def get(served, path, role="doctor", **claims):
    if role == "patient":
        claims = {"person_id": served.person_id, **claims}
    return served.ask("GET", f"/fhir/{path}", role, **claims)


def post(served, kind, fields, role="doctor", **claims):
    return served.ask("POST", f"/fhir/{kind}/_search", role, urlencode(fields).encode(), dict(FORM), **claims)


def valid(answer, status=200):
    """The answer's resource, held against the model; and what it holds."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/fhir+json; charset=utf-8")
    body = answer.json_body
    get_fhir_model_class(body["resourceType"]).model_validate(body)
    return body


def found(answer):
    bundle = valid(answer)
    return [one["resource"] for one in bundle.get("entry", [])]


def next_of(answer):
    urls = [link["url"] for link in valid(answer)["link"] if link["relation"] == "next"]
    return urls[0].removeprefix(f"{ORIGIN}/fhir/") if urls else ""


def uids(answer):
    return [one["identifier"][0]["value"].removeprefix("urn:oid:") for one in found(answer)]
