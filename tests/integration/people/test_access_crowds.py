"""Crowds at the code, against moto's conditional writes; and what a decision costs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from chalicelib.services.verify_code import CodeLocked, CodeRefused
from tests.support.clinic import NOW


def crowd(number, work):
    """Everyone at once; what each got, exceptions as their type."""
    start = threading.Barrier(min(number, 16))

    def one(index):
        if index < 16:
            start.wait()
        try:
            return work(index)
        except (CodeLocked, CodeRefused) as refused:
            return type(refused)

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(one, range(number)))


def test_of_many_right_codes_at_once_exactly_one_wins(moto_clinic):
    clinic = moto_clinic
    doctor = clinic.doctor()
    patient = clinic.patient()
    clinic.visit()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    code = clinic.code()
    answers = crowd(16, lambda _: clinic.verify(doctor, "E1", asked.request_id, code, NOW))
    assert len([answer for answer in answers if not isinstance(answer, type)]) == 1
    assert len(clinic.read_consents(patient, NOW)) == 1


def test_two_hundred_guesses_at_once_get_five_looks(moto_clinic):
    clinic = moto_clinic
    doctors = [clinic.doctor(f"d{number}") for number in range(4)]
    clinic.patient()
    clinic.visit()
    asked = [clinic.request(doctor, "E1", "treatment", NOW).request_id for doctor in doctors]

    def guess(index):
        which = index % len(doctors)
        return clinic.verify(doctors[which], "E1", asked[which], f"guess{index}", NOW)

    answers = crowd(200, guess)
    assert answers.count(CodeRefused) <= 5
    assert answers.count(CodeLocked) == 200 - answers.count(CodeRefused)


def test_two_hundred_requests_at_once_send_three_codes(moto_clinic):
    clinic = moto_clinic
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    crowd(200, lambda _: clinic.request(doctor, "E1", "treatment", NOW))
    assert len(clinic.sms.sent) == 3


def test_a_decision_takes_at_most_four_reads_beside_the_audit_put(moto_clinic):
    clinic = moto_clinic
    doctor = clinic.doctor()
    patient = clinic.patient()
    clinic.visit()
    ref = clinic.study()
    clinic.consent(doctor)
    calls = []
    events = clinic.people._client.meta.events  # noqa: SLF001 - counting calls needs the client itself
    events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name), unique_id="count")
    try:
        clinic.authorize(doctor, ref, NOW)
        assert sorted(calls) == ["BatchGetItem", "GetItem", "GetItem", "PutItem", "Query"]
        calls.clear()
        clinic.authorize(patient, ref, NOW)
        assert sorted(calls) == ["BatchGetItem", "GetItem", "PutItem"]
    finally:
        events.unregister("before-call.dynamodb", unique_id="count")
