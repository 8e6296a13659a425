"""People and access as use cases, the same against fakes and against moto."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import Caller
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.study import StudyRef
from chalicelib.services.verify_code import CodeLocked
from tests.support.clinic import NOW, ZHANG_PHONE, national_id, zhang
from tests.support.clinic_acts import SECOND, denied, freeze

# The main story


def test_a_doctor_is_refused_then_let_in_by_the_code_and_out_again_by_time(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    ref = clinic.study()
    assert denied(clinic.authorize, doctor, ref, NOW) == "no_grant"
    consent = clinic.consent(doctor)
    assert consent.studies == {ref}
    assert consent.expires_at == NOW + timedelta(hours=24)
    assert consent.notice_version
    grant = clinic.authorize(doctor, ref, NOW)
    assert (grant.basis, grant.consent_id, grant.expires_at) == ("sms_code", consent.consent_id, consent.expires_at)
    assert clinic.authorize(doctor, ref, consent.expires_at - SECOND) == grant
    assert denied(clinic.authorize, doctor, ref, consent.expires_at) == "consent_expired"


def test_the_code_goes_to_the_verified_phone_and_opens_all_confirmed_identities(clinic):
    doctor = clinic.doctor()
    clinic.patient("H1")
    clinic.patient("H2", zhang("B7"))
    clinic.visit()
    here, there = clinic.study(), clinic.study("1.2.4", "H2", "B7")
    stranger = clinic.study("1.2.5", "H2", "B8")
    consent = clinic.consent(doctor)
    assert clinic.sms.sent[-1][:2] == (ZHANG_PHONE, "consent_code")
    assert set(clinic.sms.sent[-1][2]) == {"code"}
    assert consent.studies == {here, there}
    assert clinic.authorize(doctor, there, NOW)
    assert denied(clinic.authorize, doctor, stranger, NOW) == "no_grant"


def test_an_unverified_phone_opens_only_that_hospitals_studies(clinic):
    doctor = clinic.doctor()
    clinic.patient("H2", zhang("B7", phone=""))
    clinic.link_from_notice("H1", zhang(phone="139 0013 9000"), NOW)
    clinic.visit()
    here, there = clinic.study(), clinic.study("1.2.4", "H2", "B7")
    consent = clinic.consent(doctor)
    assert clinic.sms.sent[-1][0] == "13900139000"
    assert consent.studies == {here}
    assert clinic.authorize(doctor, here, NOW)
    assert denied(clinic.authorize, doctor, there, NOW) == "no_grant"


def test_a_study_that_arrives_after_the_consent_is_not_in_it(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    clinic.study()
    clinic.consent(doctor)
    later = clinic.study("1.2.9")
    assert denied(clinic.authorize, doctor, later, NOW) == "no_grant"


def test_another_doctor_gets_nothing_from_it(clinic):
    doctor, other = clinic.doctor(), clinic.doctor("wang")
    clinic.patient()
    clinic.visit()
    ref = clinic.study()
    clinic.consent(doctor)
    assert denied(clinic.authorize, other, ref, NOW) == "no_grant"


def test_a_person_reads_their_own_studies_and_nobody_elses(clinic):
    patient = clinic.patient()
    own, other = clinic.study(), clinic.study("1.2.4", patient_id="A2")
    assert clinic.authorize(patient, own, NOW).basis == "self"
    assert denied(clinic.authorize, patient, other, NOW) == "no_grant"
    assert denied(clinic.authorize, patient, StudyRef("H1", "9.9"), NOW) == "no_grant"


@pytest.mark.parametrize("role", ["regulator", "administrator", "hospital", "desk_clerk", "guardian"])
def test_no_other_role_reads_pixels(clinic, role):
    clinic.patient()
    ref = clinic.study()
    assert denied(clinic.authorize, Caller(role, "x", "H1"), ref, NOW) == "no_grant"


# Revocation, freezing, conflicts, accounts


def test_revocation_stands_at_once_and_is_told_to_the_former_holder_only(clinic):
    doctor, other = clinic.doctor(), clinic.doctor("wang")
    patient = clinic.patient()
    clinic.visit()
    ref = clinic.study()
    consent = clinic.consent(doctor)
    revoked = clinic.revoke(patient, consent.consent_id, NOW + SECOND)
    assert revoked.revoked_at == NOW + SECOND
    assert clinic.revoke(patient, consent.consent_id, NOW + 2 * SECOND).revoked_at == NOW + SECOND
    assert denied(clinic.authorize, doctor, ref, NOW + SECOND) == "consent_revoked"
    assert denied(clinic.authorize, other, ref, NOW + SECOND) == "no_grant"


def test_nobody_revokes_a_consent_of_someone_else(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    stranger = clinic.patient("H2", zhang("B2", national_id=national_id(order="033"), phone="13700137000"))
    clinic.visit()
    ref = clinic.study()
    consent = clinic.consent(doctor)
    assert denied(clinic.revoke, stranger, consent.consent_id, NOW) == "no_grant"
    assert clinic.authorize(doctor, ref, NOW)


def test_a_new_consent_after_a_revoked_one_lets_in_again(clinic):
    doctor = clinic.doctor()
    patient = clinic.patient()
    clinic.visit()
    ref = clinic.study()
    clinic.revoke(patient, clinic.consent(doctor).consent_id, NOW)
    later = NOW + timedelta(minutes=1)
    consent = clinic.consent(doctor, now=later)
    assert clinic.authorize(doctor, ref, later).consent_id == consent.consent_id


def test_a_frozen_person_is_read_by_nobody(clinic):
    doctor = clinic.doctor()
    patient = clinic.patient()
    clinic.visit()
    ref = clinic.study()
    clinic.consent(doctor)
    freeze(clinic, patient.person_id)
    assert denied(clinic.authorize, doctor, ref, NOW) == "frozen"
    assert denied(clinic.authorize, patient, ref, NOW) == "frozen"
    assert denied(clinic.read_timeline, patient, NOW) == "frozen"
    assert clinic.read_encounter(doctor, "E1", NOW).items == ()
    sent = len(clinic.sms.sent)
    clinic.request(doctor, "E1", "treatment", NOW)
    assert len(clinic.sms.sent) == sent


def test_a_freeze_between_request_and_code_locks_the_code(clinic):
    doctor = clinic.doctor()
    patient = clinic.patient()
    clinic.visit()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    freeze(clinic, patient.person_id)
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E1", asked.request_id, clinic.code(), NOW)
    assert clinic.read_consents(patient, NOW) == ()


def test_a_conflicted_study_is_served_to_nobody(clinic):
    doctor = clinic.doctor()
    patient = clinic.patient()
    clinic.visit()
    ref = clinic.study()
    clinic.consent(doctor)
    known = clinic.studies.summary(ref)
    assert clinic.studies.flip(replace(known, state="conflicted"), known.revision)
    assert denied(clinic.authorize, doctor, ref, NOW) == "study_conflicted"
    assert denied(clinic.authorize, patient, ref, NOW) == "study_conflicted"
    assert clinic.read_timeline(patient, NOW).items == ()
    assert clinic.read_encounter(doctor, "E1", NOW).items == ()


def test_a_suspended_or_moved_doctor_and_an_ended_session_lose_everything(clinic):
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    ref = clinic.study()
    clinic.consent(doctor)
    assert denied(clinic.authorize, replace(doctor, session_epoch=7), ref, NOW) == "session_ended"
    clinic.doctor(status="suspended")
    assert denied(clinic.authorize, doctor, ref, NOW) == "doctor_inactive"
    assert denied(clinic.request, doctor, "E1", "treatment", NOW) == "doctor_inactive"
    back = clinic.doctor()
    assert back.session_epoch == 2
    assert denied(clinic.authorize, doctor, ref, NOW) == "session_ended"
    assert clinic.authorize(back, ref, NOW)
    moved = clinic.doctor(hospital_id="H2")
    assert denied(clinic.authorize, moved, ref, NOW) == "no_grant"
    assert denied(clinic.authorize, Caller("doctor", "nobody", "H1"), ref, NOW) == "doctor_inactive"


def test_a_contested_link_takes_away_what_it_gave(clinic):
    doctor = clinic.doctor()
    patient = clinic.patient()
    clinic.visit()
    ref = clinic.study()
    clinic.consent(doctor)
    link = clinic.people.link(IdentityKey("H1", "A1"))
    assert clinic.people.save(LinkChange(replace(link, status="contested"), link))
    assert denied(clinic.authorize, doctor, ref, NOW) == "no_grant"
    assert denied(clinic.authorize, patient, ref, NOW) == "no_grant"
