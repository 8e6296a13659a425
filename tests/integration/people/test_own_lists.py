"""What people and doctors list, and that nothing is listed or allowed without its event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.access import AccessDenied, AuditFailed, Caller
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.study import StudyRef
from tests.support.clinic import ADMIN, CLERK, NOW, clinic_in_memory, zhang
from tests.support.clinic_acts import SECOND, denied


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
