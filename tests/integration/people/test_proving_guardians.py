"""How a guardianship is proven, waits, is objected to and ends, the same against fakes and against moto."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.access import Caller
from chalicelib.domain.guardian import WAIT, GuardianRefused
from chalicelib.services.prove_guardian import Card
from tests.support.clinic import CLERK, NOW, clinic_in_memory, national_id
from tests.support.clinic_acts import DAY, SECOND, denied, events, freeze
from tests.support.wards import CHILD_ID, MOTHER_ID, TEEN_ID, child, claim, family, mother, told_of_guardians

OLD_ID = national_id("19400101", "013")


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
