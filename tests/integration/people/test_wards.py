"""What a guardian may do and for how long, the same against fakes and against moto."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import Caller
from chalicelib.domain.guardian import GuardianRefused, birthday
from chalicelib.domain.page import opaque
from chalicelib.services.decide_request import Choice
from chalicelib.services.prove_guardian import Card
from chalicelib.services.scan_qr import QrRefused
from tests.support.clinic import CLERK, NOW, clinic_in_memory
from tests.support.clinic_acts import DAY, SECOND, closed, denied, events, freeze
from tests.support.wards import CHILD_ID, MOTHER_ID, TEEN_ID, child, claim, family, told_of_guardians

APPROVE = Choice(approve=True)
DENY = Choice(approve=False)


def test_a_guardian_reads_the_wards_studies_and_nobody_elses(clinic):
    _, ward, guardian, held, ref = family(clinic)
    other = clinic.study("1.2.9", patient_id="A9")
    assert [one.held.ward for one in clinic.read_wards(guardian, NOW)] == [held.ward]
    assert clinic.read_wards(guardian, NOW)[0].name == "张小"
    assert [item.ref for item in clinic.read_timeline(guardian, NOW, ward=held.ward).items] == [ref]
    assert clinic.authorize(guardian, ref, NOW).basis == "guardian"
    for call, *args in (
        (clinic.authorize, guardian, other, NOW),
        (clinic.authorize, replace(guardian, person_id="ELSE"), ref, NOW),
        (clinic.authorize, Caller("guardian", "g"), ref, NOW),
        (clinic.revoke, guardian, "C", NOW, held.ward),
        (clinic.read_consents, guardian, NOW, "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        (clinic.read_consents, guardian, NOW),
        (clinic.read_consents, replace(guardian, person_id=ward.person_id), NOW, held.ward),
    ):
        assert denied(call, *args) == "no_grant"


def test_a_child_under_fourteen_allows_nothing_by_themself_and_the_guardian_does(clinic):
    doctor, ward, guardian, held, ref = family(clinic)
    sent = len(clinic.sms.sent)
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    assert [one[0] for one in clinic.sms.sent[sent:]] == ["13700137000"]  # the mother's, not the child's own
    assert denied(clinic.decide, ward, asked.request_id, APPROVE, NOW) == "guardian_needed"
    assert denied(clinic.show_qr, ward, NOW) == "guardian_needed"
    assert denied(clinic.object_to_guardian, ward, held.ward, NOW) == "guardian_needed"
    (listed,) = clinic.read_requests(guardian, NOW, held.ward)
    consent = clinic.decide(guardian, listed.request.request_id, APPROVE, NOW, held.ward)
    assert (consent.basis, consent.given_by, consent.studies) == ("guardian", guardian.person_id, {ref})
    assert clinic.authorize(doctor, ref, NOW).basis == "guardian"
    (event,) = [one for one in events(clinic, ward.person_id, "decide_request") if one.allowed]
    assert (event.subject, event.person_id, event.guardian_id) == ("mother", ward.person_id, guardian.person_id)
    clinic.revoke(guardian, consent.consent_id, NOW, held.ward)
    assert denied(clinic.authorize, doctor, ref, NOW) == "consent_revoked"


def test_a_child_may_deny_and_revoke(clinic):
    doctor, ward, _, _, _ = family(clinic)
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    assert clinic.decide(ward, asked.request_id, DENY, NOW) is None
    consent = clinic.consent(doctor, now=NOW + SECOND)
    assert clinic.revoke(ward, consent.consent_id, NOW + SECOND).revoked_at


def test_the_code_on_a_guardians_phone_is_the_guardians_consent(clinic):
    doctor, _, guardian, _, ref = family(clinic)
    consent = clinic.consent(doctor)
    assert (consent.basis, consent.given_by) == ("sms_code", guardian.person_id)
    assert clinic.authorize(doctor, ref, NOW)


def test_a_child_without_a_proven_guardian_is_sent_no_code(clinic):
    doctor = clinic.doctor()
    clinic.patient(patient=child())
    clinic.visit(patient=child())
    clinic.request(doctor, "E1", "treatment", NOW)
    assert clinic.sms.sent == []


def test_a_guardian_shows_a_qr_for_the_ward(clinic):
    doctor, _, guardian, held, ref = family(clinic)
    qr = clinic.show_qr(guardian, NOW, held.ward)
    consent = clinic.scan_qr(doctor, "E1", qr.text, "treatment", NOW)
    assert (consent.basis, consent.given_by, consent.studies) == ("dynamic_qr", guardian.person_id, {ref})
    stolen = clinic.show_qr(guardian, NOW, held.ward)
    late = clinic.show_qr(guardian, NOW, held.ward)
    freeze(clinic, guardian.person_id)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E1", stolen.text, "treatment", NOW)
    clinic.end_guardian(CLERK, Card(CHILD_ID), Card(MOTHER_ID), NOW)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E1", late.text, "treatment", NOW)


def test_a_minor_from_fourteen_is_told_of_each_act_and_a_child_is_not(clinic):
    doctor, ward, guardian, held, ref = family(clinic, TEEN_ID)
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    acts = [
        (lambda at: clinic.authorize(guardian, ref, at), "guardian_read"),
        (lambda at: clinic.read_timeline(guardian, at, ward=held.ward), "guardian_read"),
        (lambda at: clinic.read_accesses(guardian, at, ward=held.ward), "guardian_read"),
        (lambda at: clinic.decide(guardian, asked.request_id, APPROVE, at, held.ward), "guardian_answered"),
        (lambda at: clinic.revoke(guardian, asked.request_id, at, held.ward), "guardian_revoked"),
    ]
    told = ["guardian_proven"]
    for number, (act, kind) in enumerate(acts, 1):
        act(NOW + number * SECOND)
        told.insert(0, kind)
        assert told_of_guardians(clinic, ward) == told
    assert clinic.read_notices(ward, NOW).items[0].guardian_id == guardian.person_id
    small = clinic_in_memory()
    _, young, guardian, held, ref = family(small)
    small.authorize(guardian, ref, NOW)
    small.read_timeline(guardian, NOW, ward=held.ward)
    assert told_of_guardians(small, young) == ["guardian_proven"]


def test_a_guardian_who_makes_up_where_the_list_goes_on_is_told_of_too(clinic):
    _, ward, guardian, held, ref = family(clinic, TEEN_ID)
    made_up = opaque("99999999#H1#1")
    assert [one.ref for one in clinic.read_timeline(guardian, NOW + SECOND, made_up, ward=held.ward).items] == [ref]
    assert told_of_guardians(clinic, ward) == ["guardian_read", "guardian_proven"]


def test_a_minor_who_objects_stops_the_guardian_and_what_they_allowed(clinic):
    doctor, ward, guardian, held, ref = family(clinic, TEEN_ID)
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    clinic.decide(guardian, asked.request_id, replace(APPROVE, life=30 * DAY), NOW, held.ward)
    assert clinic.authorize(doctor, ref, NOW)
    (seen,) = clinic.read_guardians(ward, NOW)
    assert (seen.name, seen.is_live, seen.held.document) == ("王母", True, "birth_certificate")
    clinic.object_to_guardian(ward, seen.held.ward, NOW)
    assert denied(clinic.authorize, doctor, ref, NOW) == "consent_revoked"
    assert denied(clinic.authorize, guardian, ref, NOW) == "guardianship_ended"
    assert denied(clinic.read_consents, guardian, NOW, held.ward) == "guardianship_ended"
    assert clinic.read_wards(guardian, NOW)[0].name == ""
    with pytest.raises(GuardianRefused, match="objected"):
        clinic.prove_guardian(CLERK, claim(TEEN_ID), NOW)
    clinic.prove_guardian(CLERK, claim(TEEN_ID, ward_present=True), NOW)
    assert clinic.authorize(guardian, ref, NOW)
    assert denied(clinic.object_to_guardian, ward, "01ARZ3NDEKTSV4RRFFQ69G5FAV", NOW) == "no_grant"


def test_a_minor_from_fourteen_decides_too_and_the_first_answer_stands(clinic):
    doctor, ward, guardian, held, _ = family(clinic, TEEN_ID)
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    assert clinic.decide(ward, asked.request_id, DENY, NOW) is None
    assert closed(clinic.decide, guardian, asked.request_id, APPROVE, NOW, held.ward) == "denied"


def test_everything_ends_with_the_eighteenth_birthday(clinic):
    doctor, _, guardian, held, ref = family(clinic, TEEN_ID)
    grown = birthday("20110601", 18)
    eve = grown - timedelta(hours=2)
    clinic.visit(patient=child(number=TEEN_ID), at=eve)
    asked = clinic.request(doctor, "E1", "treatment", eve)
    consent = clinic.decide(guardian, asked.request_id, replace(APPROVE, life=30 * DAY), eve, held.ward)
    assert consent.expires_at == grown
    assert clinic.authorize(guardian, ref, grown - SECOND).expires_at == grown
    assert denied(clinic.authorize, guardian, ref, grown) == "guardianship_ended"
    assert denied(clinic.read_requests, guardian, grown, held.ward) == "guardianship_ended"
    assert denied(clinic.authorize, doctor, ref, grown) == "consent_expired"
