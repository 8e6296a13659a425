"""The health app, the QR and guardians as use cases, the same against fakes and against moto."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import AccessDenied, AuditFailed, Caller
from chalicelib.domain.guardian import WAIT, GuardianRefused, birthday
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.study import StudyRef
from chalicelib.domain.timeline import Position
from chalicelib.services.decide_request import Choice, RequestClosed
from chalicelib.services.prove_guardian import Card, Claim
from chalicelib.services.register_patient import Contended
from chalicelib.services.scan_qr import IdentityUnlinked, QrRefused
from chalicelib.services.verify_code import CodeLocked
from infra.local.whole_writes import make_writes_whole
from tests.support.clinic import CLERK, NOW, clinic_in_memory, clinic_on, national_id, zhang

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
APPROVE = Choice(approve=True)
DENY = Choice(approve=False)
CHILD_ID = national_id("20180601", "022")
TEEN_ID = national_id("20110601", "024")
MOTHER_ID = national_id("19880101", "066")
OLD_ID = national_id("19400101", "013")


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


def closed(call, *args):
    with pytest.raises(RequestClosed) as caught:
        call(*args)
    return caught.value.state


def freeze(clinic, person_id):
    person = clinic.people.person(person_id)
    link = clinic.people.links(person_id)[0]
    assert clinic.people.save(LinkChange(link, link, replace(person, frozen_at=NOW)))


def events(clinic, person_id, action):
    found = clinic.audit.of_person(person_id, "", 200).items
    return [event for event in found if event.action == action]


@pytest.fixture
def asked(clinic):
    """A doctor, a patient with studies at two hospitals, and a request between them."""
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.patient("H2", zhang("B7"))
    clinic.visit()
    refs = clinic.study(), clinic.study("1.2.4", "H2", "B7")
    request = clinic.request(doctor, "E1", "treatment", NOW)
    return doctor, patient, refs, request.request_id


# The health app


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


# The QR


@pytest.fixture
def shown(clinic):
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    return doctor, patient, clinic.study()


def test_a_scanned_qr_opens_all_for_a_day(clinic, shown):
    doctor, patient, ref = shown
    qr = clinic.show_qr(patient, NOW)
    assert qr.expires_at == NOW + timedelta(seconds=60)
    assert patient.person_id not in qr.text
    consent = clinic.scan_qr(doctor, "E1", qr.text, "treatment", NOW + timedelta(seconds=59))
    assert (consent.basis, consent.studies, consent.scope) == ("dynamic_qr", {ref}, "person")
    assert consent.expires_at == consent.granted_at + DAY
    assert clinic.authorize(doctor, ref, consent.granted_at).basis == "dynamic_qr"
    (event,) = events(clinic, patient.person_id, "scan_qr")
    assert (event.allowed, event.basis, event.consent_id) == (True, "dynamic_qr", consent.consent_id)


def test_expired_replayed_foreign_and_made_up_qrs_get_one_answer(clinic, shown):
    doctor, patient, _ = shown
    stranger = clinic.patient("H2", zhang("B2", national_id=national_id(order="033"), phone="13700137000"))
    late, used = clinic.show_qr(patient, NOW), clinic.show_qr(patient, NOW)
    clinic.scan_qr(doctor, "E1", used.text, "treatment", NOW)
    foreign = clinic.show_qr(stranger, NOW)
    refused = [(late.text, NOW + timedelta(seconds=60)), (used.text, NOW), (foreign.text, NOW), ("IC1.x", NOW)]
    for text, at in refused:
        with pytest.raises(QrRefused) as caught:
            clinic.scan_qr(doctor, "E1", text, "treatment", at)
        assert (str(caught.value), vars(caught.value)) == ("", {})
    reasons = {event.reason for event in events(clinic, patient.person_id, "scan_qr") if not event.allowed}
    assert reasons == {"qr_unknown", "qr_foreign"}
    assert len(clinic.read_consents(patient, NOW)) == 1
    assert clinic.read_consents(stranger, NOW) == ()


def test_a_foreign_visit_spends_the_qr_too(clinic, shown):
    doctor, patient, _ = shown
    stranger = zhang("B2", national_id=national_id(order="033"), phone="13700137000")
    clinic.register(CLERK, stranger, NOW)
    clinic.visit("E2", patient=stranger)
    qr = clinic.show_qr(patient, NOW)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E2", qr.text, "treatment", NOW)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E1", qr.text, "treatment", NOW)


@pytest.mark.parametrize("linked", ["never", "unconfirmed", "contested"])
def test_presence_does_not_link_the_desk_does_and_the_doctor_is_told_so(clinic, shown, linked):
    doctor, patient, _ = shown
    if linked != "never":
        clinic.link_from_notice("H1", zhang("A9", name="李四"), NOW)
        link = clinic.people.link(IdentityKey("H1", "A9"))
        if linked == "contested":
            assert clinic.people.save(LinkChange(replace(link, status="contested"), link))
    clinic.visit("E9", patient=zhang("A9"))
    with pytest.raises(IdentityUnlinked):
        clinic.scan_qr(doctor, "E9", clinic.show_qr(patient, NOW).text, "treatment", NOW)
    with pytest.raises(QrRefused):  # no good QR, no word about the link
        clinic.scan_qr(doctor, "E9", "IC1.x", "treatment", NOW)
    assert clinic.read_consents(patient, NOW) == ()


def test_ten_wrong_scans_close_a_doctors_hour_even_for_a_good_one(clinic, shown):
    doctor, patient, _ = shown
    for number in range(3):
        clinic.scan_qr(doctor, "E1", clinic.show_qr(patient, NOW).text, "treatment", NOW + number * SECOND)
    for _ in range(10):
        with pytest.raises(QrRefused):
            clinic.scan_qr(doctor, "E1", "IC1.x", "treatment", NOW)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E1", clinic.show_qr(patient, NOW).text, "treatment", NOW)
    later = NOW + timedelta(hours=1)
    assert clinic.scan_qr(doctor, "E1", clinic.show_qr(patient, later).text, "treatment", later)


def test_a_freeze_within_the_minute_withdraws_the_qr(clinic, shown):
    doctor, patient, _ = shown
    qr = clinic.show_qr(patient, NOW)
    freeze(clinic, patient.person_id)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E1", qr.text, "treatment", NOW)


def test_a_scan_needs_an_active_doctor_and_an_open_visit(clinic, shown):
    doctor, patient, _ = shown
    qr = clinic.show_qr(patient, NOW)
    assert denied(clinic.scan_qr, doctor, "E7", qr.text, "treatment", NOW) == "no_encounter"
    clinic.doctor(status="suspended")
    assert denied(clinic.scan_qr, doctor, "E1", qr.text, "treatment", NOW) == "doctor_inactive"


# Guardians


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
    made_up = Position("99999999").token()
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
    asked = clinic.request(doctor, "E1", "treatment", eve)
    consent = clinic.decide(guardian, asked.request_id, replace(APPROVE, life=30 * DAY), eve, held.ward)
    assert consent.expires_at == grown
    assert clinic.authorize(guardian, ref, grown - SECOND).expires_at == grown
    assert denied(clinic.authorize, guardian, ref, grown) == "guardianship_ended"
    assert denied(clinic.read_requests, guardian, grown, held.ward) == "guardianship_ended"
    assert denied(clinic.authorize, doctor, ref, grown) == "consent_expired"


def claim_by(number, name="李四"):
    return replace(claim(), guardian=Card(number, name))


CLERKS_ID = national_id("19900505", "077")


def test_a_clerk_who_makes_themself_a_second_parent_waits_while_the_first_is_told_and_objects(clinic):
    _, ward, guardian, held, ref = family(clinic)
    sent = len(clinic.sms.sent)
    made_up = clinic.prove_guardian(CLERK, claim_by(CLERKS_ID), NOW)
    clerk = Caller("guardian", "clerk", person_id=made_up.guardian_id)
    assert [one[:2] for one in clinic.sms.sent[sent:]] == [
        ("13700137000", "guardian_new"),  # the mother's
        ("13800138111", "guardian_new"),  # the number in the child's name
    ]
    assert denied(clinic.authorize, clerk, ref, NOW) == "no_grant"
    assert denied(clinic.read_requests, clerk, NOW, made_up.ward) == "no_grant"
    seen = {one.held.ward: one.is_live for one in clinic.read_guardians(guardian, NOW, held.ward)}
    assert seen == {held.ward: True, made_up.ward: False}
    assert denied(clinic.object_for_ward, guardian, held.ward, NOW, held.ward) == "no_grant"  # not oneself
    assert denied(clinic.object_for_ward, clerk, held.ward, NOW, made_up.ward) == "no_grant"
    clinic.object_for_ward(guardian, made_up.ward, NOW, held.ward)
    later = NOW + WAIT
    assert denied(clinic.authorize, clerk, ref, later) == "no_grant"
    with pytest.raises(GuardianRefused, match="objected"):
        clinic.prove_guardian(CLERK, claim_by(CLERKS_ID), later)
    assert clinic.authorize(guardian, ref, later)
    (event,) = [one for one in events(clinic, ward.person_id, "object_to_guardian") if one.allowed]
    assert (event.guardian_id, event.subject) == (guardian.person_id, "mother")


def test_a_second_parent_counts_after_the_wait_and_cannot_be_stopped_by_the_first_any_more(clinic):
    _, _, guardian, held, ref = family(clinic)
    second = clinic.prove_guardian(CLERK, claim_by(CLERKS_ID), NOW)
    father = Caller("guardian", "father", person_id=second.guardian_id)
    assert denied(clinic.authorize, father, ref, NOW + WAIT - SECOND) == "no_grant"
    assert clinic.authorize(father, ref, NOW + WAIT)
    assert denied(clinic.object_for_ward, guardian, second.ward, NOW + WAIT, held.ward) == "no_grant"


def test_a_clerk_alone_opens_no_adults_record(clinic):
    ward = clinic.patient(patient=child(number=OLD_ID))
    ref = clinic.study(patient_id="K1")
    guardian = mother(clinic)
    for document in ("birth_certificate", "household_register"):
        with pytest.raises(GuardianRefused, match="document"):
            clinic.prove_guardian(CLERK, claim(OLD_ID, "incapacity", document), NOW)
    held = clinic.prove_guardian(CLERK, claim(OLD_ID, "incapacity", "court_decision"), NOW)
    assert denied(clinic.authorize, guardian, ref, NOW) == "no_grant"
    assert denied(clinic.read_timeline, guardian, NOW, "", 50, held.ward) == "no_grant"
    assert clinic.sms.sent[-1] == ("13800138111", "guardian_new", {})
    assert told_of_guardians(clinic, ward) == ["guardian_proven"]
    clinic.object_to_guardian(ward, held.ward, NOW)
    assert denied(clinic.authorize, guardian, ref, NOW + WAIT) == "no_grant"


def test_a_ward_hears_of_a_new_guardian_by_sms_but_not_without_end(clinic):
    clinic.patient(patient=child(number=TEEN_ID))
    mother(clinic)
    sent = len(clinic.sms.sent)
    for _ in range(5):
        clinic.prove_guardian(CLERK, claim(TEEN_ID), NOW)
    assert clinic.sms.sent[sent:] == [("13800138111", "guardian_new", {})] * 3


def test_an_adults_guardianship_lapses_after_a_year_unless_renewed(clinic):
    clinic.patient(patient=child(number=OLD_ID))
    ref = clinic.study(patient_id="K1")
    guardian = mother(clinic)
    adult = claim(OLD_ID, "incapacity", "court_decision")
    held = clinic.prove_guardian(CLERK, adult, NOW)
    assert clinic.authorize(guardian, ref, NOW + WAIT)
    assert denied(clinic.authorize, guardian, ref, held.ends_at) == "guardianship_ended"
    renewed = clinic.prove_guardian(CLERK, adult, held.ends_at - DAY)
    assert renewed.ward == held.ward
    assert clinic.authorize(guardian, ref, held.ends_at)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ward": Card(CHILD_ID[:-1] + "A", "张小")}, "ward_national_id_characters"),
        ({"guardian": Card("1", "王母")}, "guardian_national_id_length"),
        ({"guardian": Card(MOTHER_ID, "李四")}, "name_differs"),
        ({"guardian": Card(CHILD_ID, "张小")}, "same_person"),
    ],
)
def test_a_desk_refuses_cards_that_do_not_agree_and_it_is_on_record(clinic, changed, reason):
    clinic.patient(patient=child())
    mother(clinic)
    with pytest.raises(GuardianRefused) as refused:
        clinic.prove_guardian(CLERK, replace(claim(), **changed), NOW)
    assert refused.value.reason == reason


def test_an_unknown_guardian_cannot_be_ended(clinic):
    with pytest.raises(GuardianRefused, match="unknown_guardian"):
        clinic.end_guardian(CLERK, Card(CHILD_ID), Card(MOTHER_ID), NOW)


@pytest.mark.parametrize(
    ("ward", "reason"), [(Card("1"), "ward_national_id_length"), (Card(CHILD_ID, "李四"), "name_differs")]
)
def test_cards_that_end_nothing_are_on_record_too(ward, reason):
    clinic = clinic_in_memory()
    family(clinic)
    with pytest.raises(GuardianRefused) as refused:
        clinic.end_guardian(CLERK, ward, Card(MOTHER_ID), NOW)
    assert refused.value.reason == reason
    on_record = {(one.action, one.reason, one.allowed) for one in clinic.audit.events.values()}
    assert ("end_guardian", reason, False) in on_record


def test_a_guardians_own_freeze_or_ended_session_stops_them_everywhere(clinic):
    _, _, guardian, held, ref = family(clinic)
    ended = replace(guardian, session_epoch=4)
    for call, *args in (
        (clinic.authorize, ended, ref, NOW),
        (clinic.read_wards, ended, NOW),
        (clinic.read_requests, ended, NOW, held.ward),
    ):
        assert denied(call, *args) == "session_ended"
    freeze(clinic, guardian.person_id)
    for call, *args in (
        (clinic.authorize, guardian, ref, NOW),
        (clinic.read_wards, guardian, NOW),
        (clinic.read_requests, guardian, NOW, held.ward),
    ):
        assert denied(call, *args) == "frozen"


def test_a_guardian_is_no_doctor_and_a_patient_no_guardian(clinic):
    _, ward, guardian, held, ref = family(clinic)
    as_patient = replace(guardian, role="patient")
    assert denied(clinic.authorize, as_patient, ref, NOW) == "no_grant"
    assert clinic.read_consents(as_patient, NOW, held.ward) == ()  # their own: the reference is not looked at
    assert denied(clinic.request, guardian, "E1", "treatment", NOW) == "doctor_inactive"
    assert denied(clinic.read_notices, guardian, NOW) == "no_grant"
    assert clinic.read_guardians(ward, NOW)


# Crowds, against moto's conditional writes


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
