"""An ordering system, as CDS Hooks 2.0 has it: its tokens, what it sends, and the published shapes of what it gets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
from jsonschema import Draft202012Validator

from chalicelib.domain.alert import Alert, Prior, alert_id
from chalicelib.domain.hospital_key import issuer_of
from chalicelib.domain.similarity import exam_of
from tests.support import tokens
from tests.support.hospital_keys import public_key, times

SHAPES = json.loads(Path("tests/data/cds_hooks.schema.json").read_text("utf-8"))
SELECT, SIGN = "similar-exam-order-select", "similar-exam-order-sign"
HOOKS = {SELECT: "order-select", SIGN: "order-sign"}
DCM = "http://dicom.nema.org/resources/ontology/DCM"
NO_CARDS = b'{"cards":[]}'


def client_token(hospital_id, name, url, *, now=None, algorithm="RS384", headers=None, **claims):  # noqa: PLR0913 - a token
    at = now or datetime.now(UTC)
    made = {"iss": issuer_of(hospital_id), "aud": url, "jti": f"{at.timestamp()}-{id(claims)}", **times(at), **claims}
    payload = {claim: value for claim, value in made.items() if value is not None}
    header = {"kid": public_key(name).kid, "typ": "JWT", **(headers or {})}
    return jwt.encode(payload, tokens.private_key(name), algorithm=algorithm, headers=header)


def order(text, number="o1", **changes):
    """A draft ServiceRequest (R4)."""
    return {
        "resourceType": "ServiceRequest",
        "id": number,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/Q1"},
        "code": {"text": text},
        **changes,
    }


def call(service, *orders, patient="Q1", encounter="E1", doctor="d1", **changes):
    entries = [{"resource": one} for one in orders]
    context = {"userId": f"Practitioner/{doctor}", "patientId": patient, "encounterId": encounter}
    context |= {"draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": entries}}
    if service == SELECT:
        context["selections"] = [f"ServiceRequest/{one.get('id')}" for one in orders]
    instance = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    return {"hook": HOOKS[service], "hookInstance": instance, "context": {**context, **changes}}


def reminder(prior, asker, patient_id, shown_at):
    """As a card for a chest CT leaves it. `asker`: hospital, doctor, encounter."""
    exam = exam_of("CT", "胸部CT平扫")
    name = alert_id((shown_at + timedelta(hours=8)).date(), asker, exam, prior)
    return Alert(name, *asker, patient_id, exam, (Prior(prior, "duplicate", 3, recognisable=True),), shown_at)


def faults(shape, told):
    """What is wrong with an answer, as the published shapes have it."""
    validator = Draft202012Validator({**SHAPES, "$ref": f"#/$defs/{shape}"})
    return [error.message for error in validator.iter_errors(told)]
