"""Crowds at approvals, QRs and objections, against moto's conditional writes; and what a decision costs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.access import AccessDenied
from chalicelib.services.decide_request import Choice, RequestClosed
from chalicelib.services.register_patient import Contended
from chalicelib.services.scan_qr import QrRefused
from chalicelib.services.verify_code import CodeLocked
from tests.support.clinic import NOW
from tests.support.clinic_acts import denied
from tests.support.wards import TEEN_ID, family

APPROVE = Choice(approve=True)
DENY = Choice(approve=False)


def crowd(works):
    """Everyone at once; what each got, exceptions as their type."""
    start = threading.Barrier(len(works))

    def one(work):
        start.wait()
        try:
            return work()
        except (CodeLocked, QrRefused, RequestClosed, AccessDenied, Contended) as refused:
            return type(refused)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


@pytest.mark.parametrize("turn", range(3))
def test_of_codes_approvals_and_denials_at_once_exactly_one_answers(moto_clinic, turn):
    clinic = moto_clinic
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    clinic.study()
    request_id = clinic.request(doctor, "E1", "treatment", NOW).request_id
    code = clinic.code()
    works = [
        *[lambda: clinic.verify(doctor, "E1", request_id, code, NOW)] * 4,
        *[lambda: clinic.decide(patient, request_id, APPROVE, NOW)] * 4,
        *[lambda: clinic.decide(patient, request_id, DENY, NOW)] * 4,
    ]
    won = [answer for answer in crowd(works[turn:] + works[:turn]) if not isinstance(answer, type)]
    assert len(won) == 1
    outcome, consent = clinic.read_outcome(doctor, "E1", request_id, NOW)
    assert (outcome, consent) == ("approved" if won[0] else "denied", won[0])
    assert clinic.read_consents(patient, NOW) == ((consent,) if consent else ())


def test_of_many_scans_of_one_qr_at_once_exactly_one_wins(moto_clinic):
    clinic = moto_clinic
    patient = clinic.patient()
    clinic.visit()
    clinic.study()
    doctors = [clinic.doctor(f"d{number}") for number in range(12)]
    text = clinic.show_qr(patient, NOW).text
    works = [lambda doctor=doctor: clinic.scan_qr(doctor, "E1", text, "treatment", NOW) for doctor in doctors]
    assert crowd(works).count(QrRefused) == 11
    assert len(clinic.read_consents(patient, NOW)) == 1


def test_a_hundred_made_up_qrs_at_once_get_ten_looks(moto_clinic):
    clinic = moto_clinic
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    looked = []
    really = clinic.qrs.spend

    def counting(key, now):
        looked.append(key)
        return really(key, now)

    clinic.qrs.spend = counting
    forged = [f"IC1.{number:043d}" for number in range(100)]
    for start in range(0, 100, 20):
        crowd([lambda text=text: clinic.scan_qr(doctor, "E1", text, "treatment", NOW) for text in forged[start:][:20]])
    assert len(looked) == 10


def test_an_objection_and_an_approval_at_once_leave_no_consent_of_the_guardians(moto_clinic):
    clinic = moto_clinic
    doctor, ward, guardian, held, ref = family(clinic, TEEN_ID)
    request_id = clinic.request(doctor, "E1", "treatment", NOW).request_id
    crowd(
        [
            *[lambda: clinic.decide(guardian, request_id, APPROVE, NOW, held.ward)] * 3,
            lambda: clinic.object_to_guardian(ward, held.ward, NOW),
        ]
    )
    assert all(one.revoked_at for one in clinic.read_consents(ward, NOW))
    assert denied(clinic.authorize, doctor, ref, NOW) in ("no_grant", "consent_revoked")


def test_a_guardians_decision_takes_four_reads_beside_the_audit_put_and_telling_the_ward(moto_clinic):
    clinic = moto_clinic
    _, _, guardian, _, ref = family(clinic, TEEN_ID)
    calls = []
    events = clinic.people._client.meta.events  # noqa: SLF001 - counting calls needs the client itself
    events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name), unique_id="count")
    try:
        clinic.authorize(guardian, ref, NOW)
    finally:
        events.unregister("before-call.dynamodb", unique_id="count")
    assert sorted(calls) == ["BatchGetItem", "GetItem", "GetItem", "GetItem", "PutItem", "PutItem"]
