"""Played as the attacker: a clerk, a spouse with the card in hand, a gateway that reads every SMS, and two together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.access import Caller
from chalicelib.domain.linking import RegistrationRefused
from chalicelib.domain.pair import Pair
from chalicelib.domain.phone import PHONE_WAIT, WITNESS_AGE
from chalicelib.services.prove_guardian import Card, Claim
from chalicelib.services.verify_code import CodeLocked, CodeRefused
from tests.support.clinic import CLERK, NOW, ZHANG_PHONE, national_id, zhang
from tests.support.clinic_acts import SECOND, denied
from tests.support.emergency_room import room_in_memory

EVIL = "13911112222"
EVIL_CLERK = Caller("desk_clerk", "clerk-evil", "H9")


def victim(clinic, phone=ZHANG_PHONE):
    """Zhang with a study each at H1 and H2, which both tell the phone in their notices."""
    here, there = clinic.study("1.2.3", "H1", "A1"), clinic.study("1.2.4", "H2", "B7")
    patient = clinic.patient("H1", zhang("A1", phone=""))
    clinic.patient("H2", zhang("B7", phone=""))
    for hospital_id, patient_id in (("H1", "A1"), ("H2", "B7")):
        clinic.link_from_notice(hospital_id, zhang(patient_id, phone=phone), NOW - WITNESS_AGE)
    return patient, here, there


def attack(clinic, at=NOW, hospital_id="H9", phone=EVIL):
    """The card number typed beside an own phone at one desk; a visit there, and a doctor who plays along."""
    clerk = Caller("desk_clerk", f"clerk-{hospital_id}", hospital_id)
    registered = clinic.register(clerk, zhang("Z9", phone=phone), at)
    clinic.visit("E9", hospital_id, zhang("Z9"))
    return clinic.doctor("wu", hospital_id), registered


def consent_later(clinic, doctor, later):
    """The same after a while; by then they have told of the visit again, for an old one admits nobody."""
    clinic.visit("E9", doctor.hospital_id, zhang("Z9"), at=later)
    return clinic.consent(doctor, "E9", later)


def told(clinic):
    return [(phone, values) for phone, template, values in clinic.sms.sent if template == "phone_change"]


def notices(clinic, patient, now=NOW):
    return [one.kind for one in clinic.read_notices(patient, now).items]


# The clerk


def test_a_clerk_who_registers_a_victims_id_with_an_own_phone_gains_nothing(clinic):
    patient, here, there = victim(clinic)
    doctor, registered = attack(clinic)
    assert registered.phone_waits
    consent = clinic.consent(doctor, "E9")
    assert consent.studies == frozenset()
    for ref in (here, there):
        assert denied(clinic.authorize, doctor, ref, NOW) == "no_grant"
    assert clinic.read_encounter(doctor, "E9", NOW).items == ()
    assert [phone for phone, _ in told(clinic)] == [ZHANG_PHONE]
    assert {"phone_new", "identity_linked"} <= set(notices(clinic, patient))


def test_the_victim_voids_the_number_in_time_and_nothing_ever_opens(clinic):
    patient, here, _ = victim(clinic)
    doctor, _ = attack(clinic)
    assert not clinic.read_phone(patient, NOW).opens_all
    clinic.void_phone(patient, NOW + SECOND)
    later = NOW + PHONE_WAIT + timedelta(days=1)
    sent = len(clinic.sms.sent)
    clinic.request(doctor, "E9", "treatment", later)
    assert not [one for one in clinic.sms.sent[sent:] if one[0] == EVIL]
    assert denied(clinic.authorize, doctor, here, later) == "no_grant"


def test_a_code_on_its_way_to_the_voided_number_is_void_too(clinic):
    patient, _, _ = victim(clinic)
    doctor, _ = attack(clinic)
    asked = clinic.request(doctor, "E9", "treatment", NOW)
    clinic.void_phone(patient, NOW + SECOND)
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E9", asked.request_id, clinic.code(), NOW + 2 * SECOND)
    assert clinic.read_consents(patient, NOW) == ()


def test_not_me_voids_it_as_well_and_a_clerk_cannot_open_what_is_frozen_without_the_name(clinic):
    patient, here, _ = victim(clinic)
    doctor, _ = attack(clinic)
    clinic.freeze(patient, NOW)
    assert clinic.people.person(patient.person_id).phone == ""
    with pytest.raises(RegistrationRefused, match="name_differs"):
        clinic.unfreeze(EVIL_CLERK, national_id(), "李四", NOW)
    assert denied(clinic.authorize, doctor, here, NOW) == "no_grant"


def test_a_victim_without_any_phone_is_safe_for_ever_not_for_three_days(clinic):
    _, here, there = victim(clinic, phone="")
    doctor, registered = attack(clinic)
    assert (registered.phone_waits, registered.phone_opens_at) == (True, None)
    later = NOW + 100 * PHONE_WAIT
    assert consent_later(clinic, doctor, later).studies == frozenset()
    for ref in (here, there):
        assert denied(clinic.authorize, doctor, ref, later) == "no_grant"


def test_a_clerk_who_takes_a_verified_phones_place_only_closes_and_the_owner_is_told(clinic):
    patient, here, _ = victim(clinic)
    clinic.change_phone(by_app(patient), ZHANG_PHONE, NOW)
    doctor, _ = attack(clinic, NOW + SECOND)
    assert clinic.consent(doctor, "E9", NOW + SECOND).studies == frozenset()
    assert told(clinic)[-1][0] == ZHANG_PHONE
    clinic.void_phone(patient, NOW + 2 * SECOND)
    own = clinic.doctor()
    clinic.visit()
    assert here in clinic.consent(own, now=NOW + 3 * SECOND).studies
    assert clinic.sms.sent[-1][0] == ZHANG_PHONE


def test_a_clerk_cannot_move_a_victims_identity_to_an_own_card(clinic):
    victim(clinic)
    clerk = Caller("desk_clerk", "clerk-H1", "H1")
    own_card = zhang("A1", name="李四", national_id=national_id(order="055"), phone=EVIL)
    with pytest.raises(RegistrationRefused, match="identity_taken"):
        clinic.register(clerk, own_card, NOW)
    clinic.undo.contest(clerk, "A1", NOW)
    with pytest.raises(RegistrationRefused, match="same_clerk"):
        clinic.register(clerk, own_card, NOW)
    with pytest.raises(RegistrationRefused, match="name_differs"):
        clinic.register(Caller("desk_clerk", "friend", "H1"), own_card, NOW)


@pytest.mark.parametrize("known", ["app", "hospital"])
def test_an_own_number_beside_the_victims_id_does_not_hide_an_emergency_access(known):
    room = room_in_memory()
    patient = room.patient("H1", zhang(phone=""))
    if known == "app":
        room.change_phone(by_app(patient), ZHANG_PHONE, NOW)
    else:
        room.link_from_notice("H2", zhang("B7", phone=ZHANG_PHONE), NOW)
    room.register(CLERK, zhang(phone=EVIL), NOW)
    room.emergency()
    room.broken(room.doctor())
    assert {phone for phone, what, _ in room.sms.sent if what == "emergency_access"} == {EVIL, ZHANG_PHONE}


def test_many_tries_send_the_victim_few_sms(clinic):
    victim(clinic)
    for number in range(9):
        attack(clinic, NOW + number * SECOND, phone=f"1391111222{number}")
    assert len(told(clinic)) <= 5 * 9
    assert len([phone for phone, _ in told(clinic) if phone == ZHANG_PHONE]) == 5


def test_a_pair_that_works_together_is_counted_for_the_privacy_officer(clinic):
    victim(clinic)
    doctor, _ = attack(clinic)
    clinic.consent(doctor, "E9")
    clinic.consent(doctor, "E9", NOW + timedelta(hours=1))
    officer = Caller("privacy_officer", "o9", "H9")
    assert clinic.read_pairs(officer, "2026-11", NOW) == ((Pair("phone", "clerk-H9", "wu"), 2),)
    assert clinic.read_pairs(Caller("privacy_officer", "o1", "H1"), "2026-11", NOW) == ()


# The spouse: the card in hand, an own phone, time to walk from desk to desk


def test_a_spouse_at_two_desks_opens_nothing_of_a_third_hospital(clinic):
    _, here, there = victim(clinic, phone="")
    attack(clinic, hospital_id="H8")
    doctor, _ = attack(clinic, NOW + SECOND)
    own = clinic.study("1.2.8", "H8", "Z9")
    assert clinic.consent(doctor, "E9", NOW + SECOND).studies == {own}
    for ref in (here, there):
        assert denied(clinic.authorize, doctor, ref, NOW + SECOND) == "no_grant"


def test_a_spouses_second_number_is_no_witness_for_the_first(clinic):
    _, here, _ = victim(clinic, phone="")
    attack(clinic, hospital_id="H8", phone="13922223333")
    doctor, registered = attack(clinic, NOW + SECOND)
    assert registered.phone_opens_at is None
    assert here not in consent_later(clinic, doctor, NOW + 10 * PHONE_WAIT).studies


def test_a_spouse_who_takes_over_the_victims_own_number_gets_a_new_number_of_it(clinic):
    """The spouse verifies the victim's number for themself: it lapses for the victim, and opens nothing of theirs."""
    patient, _, _ = victim(clinic)
    clinic.change_phone(by_app(patient), ZHANG_PHONE, NOW)
    spouse = zhang("S1", name="李四", national_id=national_id(order="055"))
    clinic.register(Caller("desk_clerk", "c1", "H1"), spouse, NOW + SECOND)
    assert "phone_lapsed" in notices(clinic, patient, NOW + SECOND)
    assert told(clinic)[-1][0] == ZHANG_PHONE
    doctor = clinic.doctor()
    clinic.visit()
    sent = len(clinic.sms.sent)
    clinic.request(doctor, "E1", "treatment", NOW + 2 * SECOND)
    request = clinic.consents.requests(patient.person_id)[0]
    assert (len(clinic.sms.sent) - sent, request.scope) == (1, "identity")  # as H1's own number, for H1's own studies


def test_a_mothers_number_opens_of_her_child_what_saw_it_and_no_more(clinic):
    mother = zhang("M1", name="王母", sex="F", birth_date="", national_id=national_id("19880101", "066"))
    child_id = national_id("20180601", "022")
    child = zhang("K1", name="张小", sex="", birth_date="", national_id=child_id, phone="")
    clinic.patient("H1", mother)
    for hospital_id in ("H1", "H2", "H3"):
        clinic.patient(hospital_id, child)
    clinic.link_from_notice("H2", zhang("K1", name="张小", phone=ZHANG_PHONE), NOW)
    seen = {clinic.study(f"1.2.{n}", f"H{n}", "K1") for n in (1, 2)}
    clinic.study("1.2.3", "H3", "K1")
    cards = (Card(child_id, "张小"), Card(mother.national_id, "王母"))
    clinic.prove_guardian(CLERK, Claim(*cards, "minor", "birth_certificate"), NOW)
    clinic.visit(patient=child)
    assert clinic.consent(clinic.doctor()).studies == seen


def test_a_gateway_that_swallows_the_warning_ends_no_wait(clinic):
    _, here, _ = victim(clinic)
    clinic.sms.broken = True
    doctor, registered = attack(clinic)
    assert (registered.phone_waits, registered.phone_opens_at) == (True, None)
    clinic.sms.broken = False
    assert here not in consent_later(clinic, doctor, NOW + 10 * PHONE_WAIT).studies


# The gateway: it reads every code, and types it nowhere


def test_a_code_is_useless_without_the_session_of_the_doctor_who_asked(clinic):
    patient, here, there = victim(clinic)
    clinic.change_phone(by_app(patient), ZHANG_PHONE, NOW)
    doctor, other, elsewhere = clinic.doctor(), clinic.doctor("wang"), clinic.doctor("zhao", "H2")
    clinic.visit()
    clinic.visit("E2", "H2", zhang("B7"))
    clinic.visit("E3")
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    code = clinic.code()
    for caller, encounter in ((other, "E1"), (elsewhere, "E2"), (other, "E3"), (doctor, "E3")):
        with pytest.raises(CodeLocked):
            clinic.verify(caller, encounter, asked.request_id, code, NOW)
    for caller in (patient, Caller("hospital", "H1", "H1"), Caller("doctor", "nobody", "H1")):
        assert denied(clinic.verify, caller, "E1", asked.request_id, code, NOW) == "doctor_inactive"
    theirs = clinic.request(other, "E3", "treatment", NOW)
    own_code = clinic.code()
    if own_code != code:
        with pytest.raises(CodeRefused):
            clinic.verify(other, "E3", theirs.request_id, code, NOW)
    for ref in (here, there):
        assert denied(clinic.authorize, other, ref, NOW) == "no_grant"
    assert clinic.verify(doctor, "E1", asked.request_id, code, NOW).studies == {here, there}


# The usual patient, who must not pay for this


def test_who_gives_the_number_that_their_hospitals_told_consents_the_same_minute(clinic):
    _, here, there = victim(clinic)
    clinic.register(Caller("desk_clerk", "c3", "H3"), zhang("C5"), NOW)
    clinic.visit("E5", "H3", zhang("C5"))
    assert clinic.consent(clinic.doctor("qian", "H3"), "E5").studies == {here, there}
    assert told(clinic) == []


def test_who_registers_at_two_desks_with_one_number_consents_the_same_minute(clinic):
    clinic.patient("H1")
    clinic.patient("H2", zhang("B7"))
    here, there = clinic.study(), clinic.study("1.2.4", "H2", "B7")
    clinic.visit()
    assert clinic.consent(clinic.doctor()).studies == {here, there}


def test_who_has_a_new_number_waits_three_days_or_uses_the_app(clinic):
    patient, here, there = victim(clinic, phone="13755556666")
    clinic.register(Caller("desk_clerk", "c1", "H1"), zhang(), NOW)
    clinic.visit()
    doctor = clinic.doctor()
    assert clinic.consent(doctor).studies == {here}
    assert clinic.consent(doctor, now=NOW + PHONE_WAIT).studies == {here, there}
    app = clinic.change_phone(by_app(patient), ZHANG_PHONE, NOW + SECOND)
    assert app.phone_rule == "app"
    assert clinic.consent(doctor, now=NOW + 2 * SECOND).studies == {here, there}


def by_app(patient, phone=ZHANG_PHONE):
    """The same person, whose real-name app vouches for a number."""
    return Caller("patient", patient.subject, person_id=patient.person_id, phone=phone)
