"""A child, their mother and her claim, as the desk sees them."""

from __future__ import annotations

from chalicelib.domain.access import Caller
from chalicelib.services.prove_guardian import Card, Claim
from tests.support.clinic import CLERK, NOW, national_id, zhang

CHILD_ID = national_id("20180601", "022")
TEEN_ID = national_id("20110601", "024")
MOTHER_ID = national_id("19880101", "066")


def child(patient_id="K1", number=CHILD_ID, **changes):
    details = {"name": "张小", "sex": "", "birth_date": "", "national_id": number, "phone": "13800138111"}
    return zhang(patient_id, **{**details, **changes})


def mother(clinic):
    details = zhang("M1", name="王母", sex="F", birth_date="", national_id=MOTHER_ID, phone="13700137000")
    person_id = clinic.patient("H1", details).person_id
    return Caller("guardian", "mother", person_id=person_id)


def claim(ward_number=CHILD_ID, kind="minor", document="birth_certificate", **changes):
    return Claim(Card(ward_number, "张小"), Card(MOTHER_ID, "王母"), kind, document, **changes)


def told_of_guardians(clinic, ward):
    return [one.kind for one in clinic.read_notices(ward, NOW).items if one.kind.startswith("guardian_")]


def family(clinic, number=CHILD_ID):
    """A doctor, a child with a study and an open visit, their mother and how she names the child."""
    doctor = clinic.doctor()
    ward = clinic.patient(patient=child(number=number))
    guardian = mother(clinic)
    held = clinic.prove_guardian(CLERK, claim(number), NOW)
    clinic.visit(patient=child(number=number))
    return doctor, ward, guardian, held, clinic.study(patient_id="K1")
