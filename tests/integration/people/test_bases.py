"""The health app as use cases, the same against fakes and against moto."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import AuditFailed
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.study import StudyRef
from chalicelib.services.decide_request import Choice
from chalicelib.services.verify_code import CodeLocked
from tests.support.clinic import NOW, clinic_in_memory, national_id, zhang
from tests.support.clinic_acts import DAY, SECOND, closed, denied, events, freeze

APPROVE = Choice(approve=True)
DENY = Choice(approve=False)


@pytest.fixture
def asked(clinic):
    """A doctor, a patient with studies at two hospitals, and a request between them."""
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.patient("H2", zhang("B7"))
    clinic.visit()
    refs = clinic.study(), clinic.study("1.2.4", "H2", "B7")
    request = clinic.request(doctor, "E1", "treatment", NOW)
    return doctor, patient, refs, request.request_id


def test_a_request_stands_in_the_patients_list_until_it_is_answered_or_a_day_has_passed(clinic, asked):
    doctor, patient, _, request_id = asked
    (listed,) = clinic.read_requests(patient, NOW)
    assert (listed.request.request_id, listed.outcome, listed.doctor_name) == (request_id, "waiting", "李医生")
    assert clinic.read_requests(patient, NOW + DAY - SECOND)[0].outcome == "waiting"
    assert clinic.read_requests(patient, NOW + DAY)[0].outcome == "expired"
    assert closed(clinic.decide, patient, request_id, APPROVE, NOW + DAY) == "expired"
    assert clinic.read_outcome(doctor, "E1", request_id, NOW + DAY) == ("expired", None)


def test_an_approval_opens_the_chosen_studies_for_the_chosen_time(clinic, asked):
    doctor, patient, (here, there), request_id = asked
    later = NOW + timedelta(hours=3)  # long after the code's five minutes
    choice = Choice(approve=True, studies=frozenset({there}), life=30 * DAY)
    consent = clinic.decide(patient, request_id, choice, later)
    assert (consent.basis, consent.studies, consent.given_by) == ("health_app", {there}, "")
    assert consent.expires_at == later + 30 * DAY
    assert clinic.authorize(doctor, there, later).basis == "health_app"
    assert denied(clinic.authorize, doctor, here, later) == "no_grant"
    assert clinic.authorize(doctor, there, consent.expires_at - SECOND)
    assert denied(clinic.authorize, doctor, there, consent.expires_at) == "consent_expired"
    assert clinic.read_outcome(doctor, "E1", request_id, later) == ("approved", consent)


def test_an_approval_without_choices_opens_all_for_a_day_and_never_more_than_thirty(clinic, asked):
    doctor, patient, refs, request_id = asked
    consent = clinic.decide(patient, request_id, APPROVE, NOW)
    assert (consent.studies, consent.expires_at) == (set(refs), NOW + DAY)
    other = clinic.request(doctor, "E1", "treatment", NOW).request_id
    assert clinic.decide(patient, other, replace(APPROVE, life=99 * DAY), NOW).expires_at == NOW + 30 * DAY


def test_only_ones_own_studies_can_be_chosen_and_unknown_ones_answer_the_same(clinic, asked):
    doctor, patient, _, request_id = asked
    foreign = clinic.study("1.2.9", "H2", "B8")
    for ref in (foreign, StudyRef("H9", "9.9")):
        choice = Choice(approve=True, studies=frozenset({ref}))
        assert denied(clinic.decide, patient, request_id, choice, NOW) == "no_grant"
    assert clinic.read_outcome(doctor, "E1", request_id, NOW) == ("waiting", None)


def test_studies_of_unconfirmed_identities_cannot_be_chosen(clinic, asked):
    _, patient, _, request_id = asked
    clinic.link_from_notice("H3", zhang("C1", name="李四"), NOW)
    maybe = clinic.study("1.2.8", "H3", "C1")
    assert clinic.people.link(IdentityKey("H3", "C1")).person_id == patient.person_id
    choice = Choice(approve=True, studies=frozenset({maybe}))
    assert denied(clinic.decide, patient, request_id, choice, NOW) == "no_grant"


def test_an_answer_that_comes_too_late_is_on_record_as_refused(clinic, asked):
    _, patient, _, request_id = asked
    assert closed(clinic.decide, patient, request_id, APPROVE, NOW + DAY) == "expired"
    clinic.visit(status="closed", at=NOW)
    assert closed(clinic.decide, patient, request_id, APPROVE, NOW) == "visit_closed"
    clinic.decide(patient, request_id, DENY, NOW)
    assert closed(clinic.decide, patient, request_id, APPROVE, NOW) == "denied"
    refused = {one.reason for one in events(clinic, patient.person_id, "decide_request") if not one.allowed}
    assert refused == {"request_expired", "closed_encounter", "already_answered"}


def test_a_denial_stands_against_code_and_second_thoughts_and_the_doctor_learns_of_it(clinic, asked):
    doctor, patient, (here, _), request_id = asked
    assert clinic.decide(patient, request_id, DENY, NOW) is None
    assert clinic.read_outcome(doctor, "E1", request_id, NOW) == ("denied", None)
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E1", request_id, clinic.code(), NOW)
    assert closed(clinic.decide, patient, request_id, APPROVE, NOW) == "denied"
    assert denied(clinic.authorize, doctor, here, NOW) == "no_grant"
    assert clinic.read_consents(patient, NOW) == ()


def test_a_code_and_an_approval_of_one_request_give_one_consent(clinic, asked):
    doctor, patient, _, request_id = asked
    consent = clinic.verify(doctor, "E1", request_id, clinic.code(), NOW)
    assert closed(clinic.decide, patient, request_id, DENY, NOW) == "approved"
    assert clinic.read_consents(patient, NOW) == (consent,)
    other = clinic.request(doctor, "E1", "treatment", NOW).request_id
    clinic.decide(patient, other, APPROVE, NOW)
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E1", other, clinic.code(), NOW)
    assert len(clinic.read_consents(patient, NOW)) == 2


def test_nobody_answers_or_reads_anothers_request(clinic, asked):
    doctor, _, _, request_id = asked
    stranger = clinic.patient("H2", zhang("B2", national_id=national_id(order="033"), phone="13700137000"))
    assert clinic.read_requests(stranger, NOW) == ()
    assert denied(clinic.decide, stranger, request_id, APPROVE, NOW) == "no_grant"
    wang = clinic.doctor("wang")
    clinic.visit("E2")
    assert denied(clinic.read_outcome, wang, "E1", request_id, NOW) == "no_grant"
    assert denied(clinic.read_outcome, doctor, "E2", request_id, NOW) == "no_grant"
    assert denied(clinic.read_outcome, doctor, "E9", request_id, NOW) == "no_encounter"


def test_a_closed_visit_or_a_contested_link_takes_no_approval_but_a_denial(clinic, asked):
    _, patient, _, request_id = asked
    link = clinic.people.link(IdentityKey("H1", "A1"))
    assert clinic.people.save(LinkChange(replace(link, status="contested"), link))
    assert closed(clinic.decide, patient, request_id, APPROVE, NOW) == "link_changed"
    clinic.visit(status="closed", at=NOW)
    assert closed(clinic.decide, patient, request_id, APPROVE, NOW) == "visit_closed"
    assert clinic.decide(patient, request_id, DENY, NOW) is None


def test_a_frozen_person_approves_nothing(clinic, asked):
    _, patient, _, request_id = asked
    freeze(clinic, patient.person_id)
    assert denied(clinic.decide, patient, request_id, APPROVE, NOW) == "frozen"
    assert denied(clinic.show_qr, patient, NOW) == "frozen"


def test_a_hospital_that_names_somebodys_id_cannot_fill_their_list(clinic):
    patient = clinic.patient("H2", zhang("B7"))
    doctor = clinic.doctor()
    clinic.link_from_notice("H1", zhang(name="李四"), NOW)
    clinic.visit()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    assert clinic.read_requests(patient, NOW) == ()
    assert denied(clinic.decide, patient, asked.request_id, APPROVE, NOW) == "no_grant"
    assert clinic.read_outcome(doctor, "E1", asked.request_id, NOW) == ("waiting", None)


def test_asking_too_often_fills_no_list(clinic, asked):
    doctor, patient, _, _ = asked
    for _ in range(5):
        last = clinic.request(doctor, "E1", "treatment", NOW)
    assert len(clinic.read_requests(patient, NOW)) == 3
    assert denied(clinic.decide, patient, last.request_id, APPROVE, NOW) == "no_grant"


def test_who_has_no_phone_can_still_be_asked_in_the_app(clinic):
    doctor, patient = clinic.doctor(), clinic.patient(patient=zhang(phone=""))
    clinic.visit()
    ref = clinic.study()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    assert clinic.sms.sent == []
    clinic.decide(patient, asked.request_id, APPROVE, NOW)
    assert clinic.authorize(doctor, ref, NOW).basis == "health_app"


def test_an_approval_is_revoked_like_any_consent(clinic, asked):
    doctor, patient, (here, _), request_id = asked
    consent = clinic.decide(patient, request_id, replace(APPROVE, life=30 * DAY), NOW)
    clinic.revoke(patient, consent.consent_id, NOW)
    assert denied(clinic.authorize, doctor, here, NOW) == "consent_revoked"


def test_what_cannot_be_recorded_is_not_decided():
    clinic = clinic_in_memory()
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    clinic.study()
    request_id = clinic.request(doctor, "E1", "treatment", NOW).request_id
    shown = clinic.show_qr(patient, NOW)
    clinic.audit.broken = True
    for call, *args in (
        (clinic.decide, patient, request_id, APPROVE, NOW),
        (clinic.decide, patient, request_id, DENY, NOW),
        (clinic.show_qr, patient, NOW),
        (clinic.scan_qr, doctor, "E1", shown.text, "treatment", NOW),
    ):
        with pytest.raises(AuditFailed):
            call(*args)
    clinic.audit.broken = False
    assert clinic.read_consents(patient, NOW) == ()
    assert clinic.read_outcome(doctor, "E1", request_id, NOW) == ("waiting", None)
