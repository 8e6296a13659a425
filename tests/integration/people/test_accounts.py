"""Doctors' and persons' accounts: one to a licence, and what ends a session ends it at the next decision."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.domain.access import AuditFailed, Caller
from chalicelib.domain.consent import Doctor
from chalicelib.domain.licence import normal_licence
from chalicelib.domain.linking import RegistrationRefused
from chalicelib.domain.review import cleared, stopped
from chalicelib.services.prove_guardian import Card
from chalicelib.services.register_doctor import LicenceTaken, UnknownDoctor
from infra.local.whole_writes import make_writes_whole
from tests.support.clinic import ADMIN, CLERK, NOW, clinic_in_memory, clinic_on, national_id, zhang
from tests.support.clinic_acts import denied

LICENCE = "110320000000001"


def account(doctor_id="li", licence=LICENCE, **changes):
    return Doctor(doctor_id, changes.pop("hospital_id", "H1"), licence, "李医生", **changes)


def register(clinic, *args, **changes):
    return clinic.register_doctor(ADMIN, account(*args, **changes), NOW)


def taken_by(clinic, *args, **changes):
    with pytest.raises(LicenceTaken) as caught:
        register(clinic, *args, **changes)
    return caught.value.doctor_id


# Licences


@pytest.mark.parametrize(
    "same", [LICENCE, "1103 2000 0000 001", "１１０３２００００００００" + "０１", "110320-000000001"]
)
def test_a_licence_has_one_account_however_it_is_typed(clinic, same):
    assert normal_licence(same) == LICENCE
    register(clinic)
    assert taken_by(clinic, "wang", same) == "li"
    assert clinic.doctors.get("wang") is None


def test_the_same_account_keeps_its_licence_through_changes(clinic):
    register(clinic)
    register(clinic, hospital_id="H2")
    register(clinic, status="suspended")
    assert taken_by(clinic, "wang") == "li", "a suspended doctor still has it"
    register(clinic)
    assert clinic.doctors.holder(LICENCE) == "li"


def test_who_left_gives_the_licence_back_and_must_win_it_again(clinic):
    register(clinic)
    clinic.change_doctor.set_status(ADMIN, "li", "left", NOW)
    register(clinic, "wang")
    with pytest.raises(LicenceTaken):
        clinic.change_doctor.set_status(ADMIN, "li", "active", NOW)
    assert clinic.doctors.get("li").status == "left"


def test_no_new_account_for_the_same_licence_escapes_a_suspended_right(clinic):
    """An administrator gives no right back (CONSENT.md): neither by closing the account, nor by another number."""
    register(clinic)
    assert clinic.doctors.put(stopped(clinic.doctors.get("li"), "review-1"))
    clinic.change_doctor.set_status(ADMIN, "li", "left", NOW)
    assert taken_by(clinic, "wang") == "li"
    register(clinic, licence="999")
    assert taken_by(clinic, "wang") == "li"
    register(clinic)
    assert clinic.doctors.get("li").break_glass_suspended
    clinic.change_doctor.set_status(ADMIN, "li", "left", NOW)
    assert clinic.doctors.put(cleared(clinic.doctors.get("li"), "review-1"))  # the officer looked
    clinic.change_doctor.set_status(ADMIN, "li", "left", NOW)
    assert register(clinic, "wang").doctor_id == "wang"
    clinic.change_doctor.end_sessions(ADMIN, "li", NOW)
    assert clinic.doctors.holder(LICENCE) == "wang"


def test_a_corrected_licence_frees_the_wrong_one(clinic):
    register(clinic, licence="999")
    register(clinic)
    assert register(clinic, "wang", "999").doctor_id == "wang"
    assert (clinic.doctors.holder("999"), clinic.doctors.holder(LICENCE)) == ("wang", "li")


def test_an_account_from_before_licences_were_held_holds_its_own_when_it_is_next_saved(clinic):
    assert clinic.doctors.put(account())
    assert clinic.doctors.holder(LICENCE) == ""
    clinic.change_doctor.end_sessions(ADMIN, "li", NOW)
    assert taken_by(clinic, "wang") == "li"


def test_of_many_accounts_for_one_licence_at_once_one_is_made(cloud):
    make_writes_whole()
    clinic, start = clinic_on(cloud), threading.Barrier(8)

    def make(number):
        start.wait()
        try:
            return register(clinic, f"d{number}").doctor_id
        except LicenceTaken:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [doctor_id for doctor_id in pool.map(make, range(8)) if doctor_id]
    assert made == [clinic.doctors.holder(LICENCE)]
    assert [one for one in range(8) if clinic.doctors.get(f"d{one}")] == [int(made[0][1:])]


# Doctors' sessions


@pytest.fixture
def reader(clinic):
    """A doctor who reads a study by a consent, and the study."""
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    ref = clinic.study()
    clinic.consent(doctor)
    assert clinic.authorize(doctor, ref, NOW)
    return doctor, ref


def test_a_suspension_and_its_end_count_at_the_next_decision(clinic, reader):
    doctor, ref = reader
    clinic.change_doctor.set_status(ADMIN, "li", "suspended", NOW)
    for call, *args in (
        (clinic.authorize, doctor, ref, NOW),
        (clinic.request, doctor, "E1", "treatment", NOW),
        (clinic.read_encounter, doctor, "E1", NOW),
    ):
        assert denied(call, *args) == "doctor_inactive"
    back = clinic.change_doctor.set_status(ADMIN, "li", "active", NOW)
    assert denied(clinic.authorize, doctor, ref, NOW) == "session_ended", "the token from before stays worth nothing"
    assert clinic.authorize(replace(doctor, session_epoch=back.session_epoch), ref, NOW)


def test_the_status_that_stands_already_ends_no_session(clinic, reader):
    doctor, ref = reader
    clinic.change_doctor.set_status(ADMIN, "li", "active", NOW)
    assert clinic.authorize(doctor, ref, NOW)


def test_a_raised_epoch_ends_every_session_and_no_consent(clinic, reader):
    doctor, ref = reader
    ended = clinic.change_doctor.end_sessions(ADMIN, "li", NOW)
    assert denied(clinic.authorize, doctor, ref, NOW) == "session_ended"
    assert denied(clinic.request, doctor, "E1", "treatment", NOW) == "session_ended"
    assert clinic.authorize(replace(doctor, session_epoch=ended.session_epoch), ref, NOW)


def test_what_an_officer_holds_against_a_doctor_outlasts_an_administrators_change(clinic):
    register(clinic)
    read = clinic.doctors.get("li")
    assert clinic.doctors.put(replace(read, break_glass_stops=("R1",)))
    for change in (
        lambda: register(clinic, hospital_id="H2"),
        lambda: clinic.change_doctor.set_status(ADMIN, "li", "suspended", NOW),
        lambda: clinic.change_doctor.end_sessions(ADMIN, "li", NOW),
    ):
        change()
        assert clinic.doctors.get("li").break_glass_stops == ("R1",)


def test_an_account_that_is_none_is_said_to_be_none(clinic):
    for change in (
        lambda: clinic.change_doctor.set_status(ADMIN, "nobody", "active", NOW),
        lambda: clinic.change_doctor.end_sessions(ADMIN, "nobody", NOW),
    ):
        with pytest.raises(UnknownDoctor):
            change()


# Persons' sessions


def test_a_person_signs_out_everywhere_here_too(clinic):
    patient = clinic.patient()
    stolen = patient
    ended = clinic.end_sessions.own(patient, NOW)
    for session in (patient, stolen):
        assert denied(clinic.read_timeline, session, NOW) == "session_ended"
        assert denied(clinic.end_sessions.own, session, NOW) == "session_ended"
    fresh = replace(patient, session_epoch=ended.session_epoch)
    assert clinic.read_timeline(fresh, NOW).items == ()
    (notice,) = [one for one in clinic.read_notices(fresh, NOW).items if one.kind == "sessions_ended"]
    assert notice.at == NOW


def test_the_same_epoch_ends_a_guardians_sessions(clinic):
    patient = clinic.patient()
    guardian = replace(patient, role="guardian")
    assert clinic.read_wards(guardian, NOW) == ()
    clinic.end_sessions.own(patient, NOW)
    assert denied(clinic.read_wards, guardian, NOW) == "session_ended"


def test_a_desk_with_the_card_ends_them_for_who_lost_the_phone(clinic):
    patient = clinic.patient()
    clinic.end_sessions.at_desk(CLERK, Card(national_id(), "张三"), NOW)
    assert denied(clinic.read_timeline, patient, NOW) == "session_ended"


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (Card(national_id(), "王五"), "name_differs"),
        (Card("320102198001020110", "张三"), "person_national_id_check_digit"),
        (Card(national_id(order="033"), "张三"), "unknown_person"),
    ],
)
def test_a_card_that_does_not_fit_ends_nothing_and_is_on_record(clinic, card, reason):
    patient = clinic.patient()
    with pytest.raises(RegistrationRefused) as caught:
        clinic.end_sessions.at_desk(CLERK, card, NOW)
    assert caught.value.reason == reason
    assert clinic.read_timeline(patient, NOW).items == ()


def test_who_has_no_account_has_no_session_that_could_end(clinic):
    assert denied(clinic.end_sessions.own, Caller("patient", "x", person_id="NOBODYYET"), NOW) == "no_grant"
    assert clinic.people.person("NOBODYYET") is None


def test_without_an_audit_event_no_account_changes():
    clinic = clinic_in_memory()
    patient = clinic.patient()
    register(clinic)
    clinic.audit.broken = True
    for call, *args in (
        (clinic.register_doctor, ADMIN, account(status="left"), NOW),
        (clinic.change_doctor.set_status, ADMIN, "li", "suspended", NOW),
        (clinic.change_doctor.end_sessions, ADMIN, "li", NOW),
        (clinic.end_sessions.own, patient, NOW),
        (clinic.end_sessions.at_desk, CLERK, Card(national_id(), "张三"), NOW),
        (clinic.end_sessions.at_desk, CLERK, Card("1", "张三"), NOW),
    ):
        with pytest.raises(AuditFailed):
            call(*args)
    assert clinic.doctors.get("li") == account()
    assert clinic.people.person(patient.person_id).session_epoch == 0
    assert zhang().name == clinic.people.person(patient.person_id).name
