"""People and access as use cases, the same against fakes and against moto."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import AccessDenied, AuditFailed, Caller
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.linking import LinkChange, RegistrationRefused
from chalicelib.domain.study import StudyRef
from chalicelib.services.verify_code import CodeLocked, CodeRefused
from infra.local.whole_writes import make_writes_whole
from tests.support.clinic import ADMIN, CLERK, NOW, ZHANG_PHONE, clinic_in_memory, clinic_on, national_id, zhang

SECOND = timedelta(seconds=1)


@pytest.fixture(params=["fake", "moto"])
def clinic(request):
    return clinic_in_memory() if request.param == "fake" else clinic_on(request.getfixturevalue("cloud"))


@pytest.fixture
def moto_clinic(cloud):
    make_writes_whole()
    return clinic_on(cloud)


def denied(call, *args):
    with pytest.raises(AccessDenied) as caught:
        call(*args)
    return caught.value.reason


def freeze(clinic, person_id):
    person = clinic.people.person(person_id)
    link = clinic.people.links(person_id)[0]
    assert clinic.people.save(LinkChange(link, link, replace(person, frozen_at=NOW)))


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


# Codes


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
    clinic.visit()
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


# Registration and links


def test_the_same_person_is_found_from_every_hospital_and_the_answer_masks_the_phone(clinic):
    done = clinic.register(CLERK, zhang(), NOW)
    other = clinic.register(Caller("desk_clerk", "c2", "H2"), zhang("B7", phone=""), NOW)
    assert done.person_id == other.person_id
    assert len(done.person_id) == 26
    assert (done.status, done.phone, other.phone) == ("confirmed", "138****8000", "138****8000")


def test_a_notice_with_a_national_id_links_unconfirmed_and_gives_nothing(clinic):
    link = clinic.link_from_notice("H1", zhang(), NOW)
    assert link.status == "unconfirmed"
    ref = clinic.study()
    patient = Caller("patient", "z", person_id=link.person_id)
    assert denied(clinic.authorize, patient, ref, NOW) == "no_grant"
    assert clinic.read_timeline(patient, NOW).items == ()
    assert clinic.read_identities(patient, NOW)[0].status == "unconfirmed"


def test_a_notice_is_confirmed_by_the_rule_where_all_agrees_with_a_desk(clinic):
    patient = clinic.patient("H2", zhang("B7"))
    link = clinic.link_from_notice("H1", zhang(), NOW)
    assert (link.status, link.confirmed_by) == ("confirmed", "rule")
    assert clinic.authorize(patient, clinic.study(), NOW)


def test_a_desk_confirms_what_a_notice_said(clinic):
    clinic.link_from_notice("H1", zhang(), NOW)
    assert clinic.register(CLERK, zhang(), NOW).status == "confirmed"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"national_id": "320102198001020119"}, "national_id_check_digit"),
        ({"national_id": "320102800102011"}, "national_id_legacy"),
        ({"name": "无名氏"}, "placeholder"),
        ({"name": " "}, "name_missing"),
        ({"birth_date": "1980-01-03"}, "birth_date_differs"),
        ({"sex": "F"}, "sex_differs"),
        ({"phone": "025-8888888"}, "phone"),
    ],
)
def test_a_desk_refuses_what_does_not_agree_with_the_card(clinic, changes, reason):
    with pytest.raises(RegistrationRefused) as refused:
        clinic.register(CLERK, zhang(**changes), NOW)
    assert refused.value.reason == reason
    assert clinic.people.link(IdentityKey("H1", "A1")) is None


def test_a_clerk_cannot_take_a_patients_identity_with_a_card_of_their_own(clinic):
    own_card = zhang(name="王五", national_id=national_id("19900505", "077"), birth_date="", phone="13500135000")
    clinic.link_from_notice("H1", zhang(), NOW)
    for _ in range(2):
        with pytest.raises(RegistrationRefused, match="identity_taken"):
            clinic.register(CLERK, own_card, NOW)
        clinic.register(CLERK, zhang(), NOW)
    clinic.link_from_notice("H1", zhang("A5", national_id=""), NOW)
    with pytest.raises(RegistrationRefused, match="name_differs"):
        clinic.register(CLERK, replace(own_card, patient_id="A5"), NOW)
    assert clinic.register(CLERK, zhang("A5"), NOW).status == "confirmed"


def test_placeholders_get_no_link(clinic):
    assert clinic.link_from_notice("H1", zhang("0"), NOW) is None
    assert clinic.link_from_notice("H1", zhang("A1", name="无名氏"), NOW) is None


def test_one_id_under_three_names_is_contested(clinic):
    for name in ("张三", "李四", "张 三"):
        assert clinic.link_from_notice("H1", zhang(name=name, national_id=""), NOW).status == "unconfirmed"
    link = clinic.link_from_notice("H1", zhang(name="王五", national_id=""), NOW)
    assert (link.status, link.contested_because) == ("contested", "many_names")


def test_a_notice_with_another_national_id_contests_only_what_no_desk_has_seen(clinic):
    other = zhang(national_id=national_id(order="033"))
    clinic.link_from_notice("H1", zhang(), NOW)
    assert clinic.link_from_notice("H1", other, NOW).status == "contested"
    clinic.register(Caller("desk_clerk", "c", "H2"), zhang(), NOW)
    person_id = clinic.people.link(IdentityKey("H2", "A1")).person_id
    link = clinic.link_from_notice("H2", other, NOW)
    assert (link.status, link.person_id) == ("confirmed", person_id)


def test_a_national_id_gives_a_person_to_an_identity_that_had_none(clinic):
    nameless = clinic.link_from_notice("H1", zhang(national_id="", phone="13911112222"), NOW)
    link = clinic.link_from_notice("H1", zhang(phone=""), NOW)
    assert link.person_id != nameless.person_id
    assert clinic.people.links(nameless.person_id) == ()
    assert clinic.people.links(link.person_id) == (link,)


def test_a_repeated_notice_writes_and_audits_nothing(clinic):
    link = clinic.link_from_notice("H1", zhang(), NOW)
    events = clinic.audit.of_person(link.person_id, "", 100).items
    assert clinic.link_from_notice("H1", zhang(), NOW) == link
    assert clinic.audit.of_person(link.person_id, "", 100).items == events


# Lists


def test_a_persons_timeline_merges_all_hospitals_newest_first_over_pages(clinic):
    patient = clinic.patient("H1")
    clinic.patient("H2", zhang("B7"))
    refs = {}
    for number in range(7):
        hospital, local = (("H1", "A1"), ("H2", "B7"))[number % 3 == 0]
        date = f"2026010{number + 1}"
        refs[date] = clinic.study(f"1.2.{number}", hospital, local, study_date=date)
    clinic.study("1.3", "H2", "B8")
    seen, token = [], ""
    while True:
        page = clinic.read_timeline(patient, NOW, token, 2)
        assert len(page.items) <= 2
        seen += [item.ref for item in page.items]
        token = page.next_token
        if not token:
            break
    assert seen == [refs[date] for date in sorted(refs, reverse=True)]


def test_a_study_that_arrives_while_paging_repeats_and_hides_nothing(clinic):
    patient = clinic.patient()
    refs = [clinic.study(f"1.2.{number}", study_date=f"2026010{number}") for number in range(1, 6)]
    first = clinic.read_timeline(patient, NOW, "", 2)
    clinic.study("1.9", study_date="20260601")
    seen = [item.ref for item in first.items]
    token = first.next_token
    while token:
        page = clinic.read_timeline(patient, NOW, token, 2)
        seen += [item.ref for item in page.items]
        token = page.next_token
    assert seen == refs[::-1]


def test_two_hospitals_growing_while_paging_repeat_and_hide_nothing(clinic):
    patient = clinic.patient("H1")
    clinic.patient("H2", zhang("B7"))
    old = [
        clinic.study(f"1.2.{number}", *(("H1", "A1"), ("H2", "B7"))[number % 4 == 0], study_date=f"202601{number:02}")
        for number in range(1, 10)
    ]
    seen, token, arrived = [], "", 0
    while True:
        page = clinic.read_timeline(patient, NOW, token, 1)
        seen += [item.ref for item in page.items]
        token = page.next_token
        if not token:
            break
        for hospital, local in (("H1", "A1"), ("H2", "B7")):
            arrived += 1
            clinic.study(
                f"1.9.{arrived}", hospital, local, study_date=f"2026{6 + arrived // 28:02}{arrived % 28 + 1:02}"
            )
    assert seen == old[::-1]


def test_a_visit_of_an_unknown_patient_lists_nothing(clinic):
    doctor = clinic.doctor()
    clinic.visit(patient=zhang("A3"))
    clinic.study(patient_id="A3")
    assert clinic.read_encounter(doctor, "E1", NOW).items == ()


def test_a_doctor_lists_only_what_a_live_consent_covers(clinic):
    doctor, other = clinic.doctor(), clinic.doctor("wang")
    clinic.patient()
    clinic.visit()
    refs = [clinic.study(f"1.2.{number}", study_date=f"2026010{number}") for number in range(1, 4)]
    assert clinic.read_encounter(doctor, "E1", NOW).items == ()
    consent = clinic.consent(doctor)
    clinic.study("1.9", study_date="20260601")
    first = clinic.read_encounter(doctor, "E1", NOW, "", 2)
    second = clinic.read_encounter(doctor, "E1", NOW, first.next_token, 2)
    assert [item.ref for item in first.items + second.items] == refs[::-1]
    assert second.next_token == ""
    assert clinic.read_encounter(other, "E1", NOW).items == ()
    assert clinic.read_encounter(doctor, "E1", consent.expires_at).items == ()


def test_an_empty_or_foreign_token_is_refused_clearly(clinic):
    patient = clinic.patient()
    for token in ("x", "!!", "e30", "WzEsMiwzXQ"):
        with pytest.raises(ValueError, match="token"):
            clinic.read_timeline(patient, NOW, token)


def test_a_person_reads_who_looked_what_they_allowed_and_who_they_are_said_to_be(clinic):
    doctor = clinic.doctor()
    patient = clinic.patient()
    clinic.link_from_notice("H1", zhang(phone="13911112222"), NOW)
    clinic.visit()
    ref = clinic.study()
    denied(clinic.authorize, doctor, ref, NOW)
    consent = clinic.consent(doctor, now=NOW + SECOND)
    clinic.authorize(doctor, ref, NOW + 2 * SECOND)
    assert clinic.read_consents(patient, NOW) == (consent,)
    (identity,) = clinic.read_identities(patient, NOW)
    assert (identity.identity, identity.phone) == (IdentityKey("H1", "A1"), "139****2222")
    events, token = [], ""
    while True:
        page = clinic.read_accesses(patient, NOW, token, 2)
        events += page.items
        token = page.next_token
        if not token:
            break
    looks = [event for event in events if event.action == "view_study"]
    assert [(event.allowed, event.reason, event.study, event.subject) for event in looks] == [
        (True, "sms_code", ref, "li"),
        (False, "no_consent", ref, "li"),
    ]
    assert looks[0].consent_id == consent.consent_id
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)


def test_an_ended_session_of_a_person_reads_nothing(clinic):
    patient = clinic.patient()
    stale = replace(patient, session_epoch=4)
    for call in (clinic.read_timeline, clinic.read_accesses, clinic.read_consents, clinic.read_identities):
        assert denied(call, stale, NOW) == "session_ended"
        assert denied(call, Caller("patient", "z"), NOW) == "no_grant"
    assert denied(clinic.authorize, stale, clinic.study(), NOW) == "session_ended"


# Audit


def test_unknown_and_ungranted_studies_are_denied_alike_with_an_event_each(clinic):
    doctor = clinic.doctor()
    patient = clinic.patient()
    ref = clinic.study()
    errors = []
    for study in (ref, StudyRef("H1", "9.9")):
        with pytest.raises(AccessDenied) as caught:
            clinic.authorize(doctor, study, NOW)
        errors.append(caught.value)
    assert errors[0].args == errors[1].args == ("no_grant",)
    assert len([e for e in clinic.audit.of_person(patient.person_id, "", 50).items if e.action == "view_study"]) == 1


def test_without_an_audit_event_nothing_is_allowed():
    clinic = clinic_in_memory()
    doctor = clinic.doctor()
    patient = clinic.patient()
    clinic.visit()
    ref = clinic.study()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    code = clinic.code()
    consent = clinic.verify(doctor, "E1", asked.request_id, code, NOW)
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    clinic.audit.broken = True
    calls = [
        (clinic.authorize, doctor, ref, NOW),
        (clinic.authorize, doctor, StudyRef("H1", "9.9"), NOW),
        (clinic.request, doctor, "E1", "treatment", NOW),
        (clinic.verify, doctor, "E1", asked.request_id, clinic.code(), NOW),
        (clinic.read_timeline, patient, NOW),
        (clinic.read_encounter, doctor, "E1", NOW),
        (clinic.register, CLERK, zhang("A9"), NOW),
        (clinic.register_doctor, ADMIN, clinic.doctors.get("li"), NOW),
        (clinic.link_from_notice, "H2", zhang("B9"), NOW),
        (clinic.revoke, patient, consent.consent_id, NOW),
    ]
    sent = len(clinic.sms.sent)
    for call, *args in calls:
        with pytest.raises(AuditFailed):
            call(*args)
    assert len(clinic.sms.sent) == sent
    assert len(clinic.consents.given) == 1
    assert clinic.people.link(IdentityKey("H1", "A9")) is None
    clinic.audit.broken = False
    assert denied(clinic.authorize, doctor, ref, NOW) == "consent_revoked"


# Crowds, against moto's conditional writes


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
