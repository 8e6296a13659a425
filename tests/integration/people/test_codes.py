"""Codes and the phones they go to, as use cases, the same against fakes and against moto."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.consent import VISIT_LIVES
from chalicelib.services.record_encounter import EncounterNotice
from chalicelib.services.verify_code import CodeLocked, CodeRefused
from tests.support.clinic import NOW, ZHANG_PHONE, national_id, zhang
from tests.support.clinic_acts import SECOND, denied


def test_five_wrong_codes_lock_the_right_one(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(CodeRefused) as refused:
            clinic.verify(doctor, "E1", asked.request_id, clinic.wrong_code(), NOW)
        assert refused.value.attempts_left == left
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E1", asked.request_id, clinic.code(), NOW)


def test_the_patients_day_is_over_after_five_wrong_codes_whoever_tried(clinic):
    doctor, other = clinic.doctor(), clinic.doctor("wang")
    clinic.patient()
    clinic.visit()
    for number in range(5):
        who = (doctor, other)[number % 2]
        asked = clinic.request(who, "E1", "treatment", NOW)
        with pytest.raises(CodeRefused):
            clinic.verify(who, "E1", asked.request_id, clinic.wrong_code(), NOW)
    third = clinic.doctor("zhao")
    asked = clinic.request(third, "E1", "treatment", NOW)
    with pytest.raises(CodeLocked):
        clinic.verify(third, "E1", asked.request_id, clinic.code(), NOW)
    tomorrow = NOW + timedelta(days=1)
    assert clinic.consent(third, now=tomorrow)


def test_the_tries_left_tell_nothing_of_what_another_doctor_tried(clinic):
    doctor, other = clinic.doctor(), clinic.doctor("wang")
    clinic.patient()
    clinic.visit()
    asked = {who: clinic.request(who, "E1", "treatment", NOW) for who in (doctor, other)}
    left = []
    for who in (other, other, doctor):
        with pytest.raises(CodeRefused) as refused:
            clinic.verify(who, "E1", asked[who].request_id, "wrong", NOW)
        left.append(refused.value.attempts_left)
    assert left == [4, 3, 4]


def test_the_doctors_day_is_over_after_ten_wrong_codes_whoever_was_asked(clinic):
    doctor = clinic.doctor()
    for number in range(3):
        patient = zhang(f"P{number}", national_id=national_id(order=f"{number}13"), phone=f"1380013800{number}")
        clinic.patient(patient=patient)
        clinic.visit(f"E{number}", patient=patient)
    for number in range(10):
        encounter = f"E{number // 5}"
        if number % 5 == 0:
            asked = clinic.request(doctor, encounter, "treatment", NOW)
        with pytest.raises(CodeRefused):
            clinic.verify(doctor, encounter, asked.request_id, clinic.wrong_code(), NOW)
    asked = clinic.request(doctor, "E2", "treatment", NOW)
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E2", asked.request_id, clinic.code(), NOW)


def test_a_right_code_costs_no_guess(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    for hour in range(12):
        assert clinic.consent(doctor, now=NOW + timedelta(hours=hour))


def test_a_code_works_once(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    clinic.verify(doctor, "E1", asked.request_id, clinic.code(), NOW)
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E1", asked.request_id, clinic.code(), NOW)


def test_a_code_lives_five_minutes_to_the_second(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    assert asked.expires_at == NOW + timedelta(minutes=5)
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E1", asked.request_id, clinic.code(), asked.expires_at)
    assert clinic.verify(doctor, "E1", asked.request_id, clinic.code(), asked.expires_at - SECOND)


def test_a_code_serves_only_the_doctor_and_the_visit_it_was_asked_for(clinic):
    doctor, other = clinic.doctor(), clinic.doctor("wang")
    clinic.patient()
    clinic.visit()
    clinic.visit("E2")
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    for caller, encounter in ((other, "E1"), (doctor, "E2")):
        with pytest.raises(CodeLocked):
            clinic.verify(caller, encounter, asked.request_id, clinic.code(), NOW)
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E1", "01ARZ3NDEKTSV4RRFFQ69G5FAV", clinic.code(), NOW)
    assert clinic.verify(doctor, "E1", asked.request_id, clinic.code(), NOW)


def test_the_fourth_request_of_an_hour_sends_nothing_and_answers_the_same(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    answers = [clinic.request(doctor, "E1", "treatment", NOW) for _ in range(4)]
    assert len(clinic.sms.sent) == 3
    assert {answer.expires_at for answer in answers} == {NOW + timedelta(minutes=5)}
    with pytest.raises(CodeRefused):
        clinic.verify(doctor, "E1", answers[3].request_id, clinic.code(), NOW)
    clinic.request(doctor, "E1", "treatment", NOW + timedelta(hours=1))
    assert len(clinic.sms.sent) == 4


def answers_to_guesses(clinic, doctor, encounter_id):
    """All a doctor sees of one request and seven guesses."""
    asked = clinic.request(doctor, encounter_id, "treatment", NOW)
    seen = [len(asked.request_id), asked.expires_at]
    for _ in range(7):
        with pytest.raises((CodeRefused, CodeLocked)) as caught:
            clinic.verify(doctor, encounter_id, asked.request_id, "wrong", NOW)
        seen.append((type(caught.value), getattr(caught.value, "attempts_left", None)))
    return seen


def test_unknown_patient_no_phone_contested_and_placeholder_answer_like_a_wrong_code(clinic):
    clinic.patient()
    clinic.link_from_notice("H1", zhang("A2", national_id="", phone=""), NOW)
    clinic.visit("known")
    clinic.visit("no-phone", patient=zhang("A2"))
    clinic.visit("no-link", patient=zhang("A3"))
    clinic.visit("placeholder", patient=zhang("0", name="无名氏"))
    doctors = [clinic.doctor(f"d{number}") for number in range(4)]
    encounters = ["known", "no-phone", "no-link", "placeholder"]
    seen = [answers_to_guesses(clinic, *pair) for pair in zip(doctors, encounters, strict=True)]
    assert all(answers == seen[0] for answers in seen)
    assert len(clinic.sms.sent) == 1


def test_a_request_needs_an_open_encounter_of_the_doctors_own_hospital(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit("closed", at=NOW - timedelta(hours=2))
    clinic.visit("closed", status="closed", at=NOW - timedelta(hours=1))
    clinic.visit("elsewhere", hospital_id="H2")
    for encounter in ("closed", "elsewhere", "never"):
        assert denied(clinic.request, doctor, encounter, "treatment", NOW) == "no_encounter"
        assert denied(clinic.verify, doctor, encounter, "R1", "123456", NOW) == "no_encounter"
        assert denied(clinic.read_encounter, doctor, encounter, NOW) == "no_encounter"


@pytest.mark.parametrize("patient_class", sorted(VISIT_LIVES))
def test_a_visit_that_nobody_closed_carries_no_request_for_ever(clinic, patient_class):
    doctor = clinic.doctor()
    clinic.patient()
    told = NOW - VISIT_LIVES[patient_class]
    clinic.record_encounter(EncounterNotice("H1", "old", "open", zhang(), patient_class, told))
    clinic.record_encounter(EncounterNotice("H1", "fresh", "open", zhang(), patient_class, told + timedelta(seconds=1)))
    assert clinic.request(doctor, "fresh", "treatment", NOW).request_id
    assert denied(clinic.request, doctor, "old", "treatment", NOW) == "no_encounter"
    clinic.record_encounter(EncounterNotice("H1", "old", "open", zhang(), patient_class, NOW))
    assert clinic.request(doctor, "old", "treatment", NOW).request_id


def test_events_of_an_encounter_may_arrive_in_any_order(clinic):
    assert clinic.visit(status="closed", at=NOW)
    assert not clinic.visit(status="open", at=NOW - SECOND)
    assert not clinic.visit(status="open", at=NOW)
    assert clinic.visit(status="closed", at=NOW)
    assert not clinic.encounters.get("H1", "E1").is_open
    assert clinic.visit(status="open", at=NOW + SECOND)
    assert clinic.encounters.get("H1", "E1").is_open


# Phones


def test_a_verified_phone_lapses_after_a_year(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit(at=NOW + timedelta(days=363))
    clinic.request(doctor, "E1", "treatment", NOW + timedelta(days=363))
    assert len(clinic.sms.sent) == 1
    clinic.request(doctor, "E1", "treatment", NOW + timedelta(days=364))
    assert len(clinic.sms.sent) == 1


def test_a_number_verified_for_someone_else_no_longer_answers_for_the_first(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.patient("H2", zhang("B9", name="李四", national_id=national_id(order="055")))
    clinic.visit()
    clinic.request(doctor, "E1", "treatment", NOW)
    assert [template for _, template, _ in clinic.sms.sent] == ["phone_change"]  # told of it, and no code


def test_a_notice_never_changes_a_verified_phone(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.link_from_notice("H1", zhang(phone="13911112222"), NOW)
    clinic.visit()
    clinic.request(doctor, "E1", "treatment", NOW)
    assert clinic.sms.sent[0][0] == ZHANG_PHONE
