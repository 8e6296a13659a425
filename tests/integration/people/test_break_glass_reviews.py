"""Emergency access afterwards: reviews, what follows from them, and what the patient may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import AccessDenied, Caller
from chalicelib.domain.break_glass import REVIEW_LIFE
from tests.support.clinic import NOW
from tests.support.emergency_room import OFFICER

SECOND = timedelta(seconds=1)
DUE = NOW + REVIEW_LIFE


@pytest.fixture
def doctor(room):
    return room.in_emergency()


# Reviews


def test_unreviewed_for_a_day_the_right_is_suspended_to_the_second_and_what_is_open_ends(room, doctor):
    room.patient()
    ref = room.study()
    consent = room.broken(doctor)
    assert room.swept(DUE - SECOND).suspended == 0
    second = room.broken(doctor, now=DUE - timedelta(minutes=30))
    assert room.authorize(doctor, ref, DUE - SECOND).consent_id == second.consent_id
    assert (room.swept().suspended, room.swept().suspended) == (1, 0)
    with pytest.raises(AccessDenied, match="break_glass_suspended"):
        room.authorize(doctor, ref, DUE)
    assert room.read_encounter(doctor, "X1", DUE).items == ()
    with pytest.raises(AccessDenied, match="break_glass_suspended"):
        room.broken(doctor, now=DUE)
    (suspension,) = room.read_suspensions(OFFICER, DUE)
    assert (suspension.doctor_id, suspension.reviews) == ("li", (consent.consent_id,))
    assert room.topic.messages[-1][1]["event"] == "review_overdue"
    assert room.read_suspensions(replace(OFFICER, hospital_id="H2"), DUE) == ()


def test_other_bases_outlive_the_suspension(room, doctor):
    room.patient()
    ref = room.study()
    room.visit()
    room.broken(doctor)
    room.swept()
    room.consent(doctor, now=DUE)
    assert room.authorize(doctor, ref, DUE).basis == "sms_code"


def test_reviewed_in_time_nothing_is_suspended(room, doctor):
    room.patient()
    consent = room.broken(doctor)
    room.review(OFFICER, consent.consent_id, "justified", "抢救记录属实", DUE - SECOND)
    assert room.swept().suspended == 0
    assert room.broken(doctor, now=DUE)


def test_a_late_verdict_restores_or_keeps_it_suspended(room, doctor):
    room.patient()
    first, second = room.broken(doctor), room.broken(doctor)
    assert room.swept().suspended == 2
    room.review(OFFICER, first.consent_id, "justified", "属实", DUE)
    assert room.read_suspensions(OFFICER, DUE)[0].reviews == (second.consent_id,)
    room.review(OFFICER, second.consent_id, "not_justified", "非急诊", DUE)
    with pytest.raises(AccessDenied, match="break_glass_suspended"):
        room.broken(doctor, now=DUE)
    room.review(OFFICER, second.consent_id, "justified", "补充材料后属实", DUE)
    assert room.read_suspensions(OFFICER, DUE) == ()
    assert room.broken(doctor, now=DUE)


def test_not_justified_suspends_at_once_and_an_officer_may_lift_it_saying_why(room, doctor):
    patient, ref = room.patient(), room.study()
    consent = room.broken(doctor)
    room.review(OFFICER, consent.consent_id, "not_justified", "好奇", NOW)
    with pytest.raises(AccessDenied, match="consent_revoked"):
        room.authorize(doctor, ref, NOW)
    with pytest.raises(AccessDenied, match="unknown_suspension"):
        room.lift(replace(OFFICER, hospital_id="H2"), "li", "x", NOW)
    assert not room.lift(OFFICER, "li", "已培训", NOW).break_glass_suspended
    kept = room.reviews.get("H1", consent.consent_id)
    assert (kept.state, kept.lifted_by, kept.note) == ("not_justified", "officer-1", "已培训")
    assert room.read_suspensions(OFFICER, NOW) == ()
    with pytest.raises(AccessDenied, match="unknown_suspension"):
        room.lift(OFFICER, "li", "x", NOW)
    assert room.broken(doctor)
    assert patient.person_id


def test_an_administrators_change_of_the_account_lifts_nothing(room, doctor):
    room.patient()
    consent = room.broken(doctor)
    room.review(OFFICER, consent.consent_id, "not_justified", "好奇", NOW)
    again = room.doctor(emergency_role=True)
    with pytest.raises(AccessDenied, match="break_glass_suspended"):
        room.broken(again)


def test_a_doctor_who_is_the_officer_too_does_not_judge_the_own_access(room, doctor):
    room.patient()
    consent = room.broken(doctor)
    both = Caller("privacy_officer", "li", "H1")
    with pytest.raises(AccessDenied, match="own_part"):
        room.review(both, consent.consent_id, "justified", "我自己", NOW)
    room.swept()
    with pytest.raises(AccessDenied, match="own_part"):
        room.lift(both, "li", "我自己", DUE)


def test_another_hospitals_officer_finds_no_review(room, doctor):
    room.patient()
    consent = room.broken(doctor)
    with pytest.raises(AccessDenied, match="unknown_review"):
        room.review(replace(OFFICER, hospital_id="H2"), consent.consent_id, "justified", "", NOW)


# The patient


def test_the_patient_sees_it_with_its_basis_and_may_object(room, doctor):
    patient, ref = room.patient(), room.study()
    consent = room.broken(doctor)
    room.authorize(doctor, ref, NOW)
    seen = {(event.action, event.basis) for event in room.read_accesses(patient, NOW).items}
    assert {("break_glass", "break_glass"), ("view_study", "break_glass")} <= seen
    room.review(OFFICER, consent.consent_id, "justified", "属实", NOW)
    assert room.read_reviews(OFFICER, NOW, undecided=True).items == ()
    room.object(patient, consent.consent_id, "我当时清醒", NOW)
    (review,) = room.read_reviews(OFFICER, NOW, undecided=True).items
    assert (review.state, review.objection, review.due_at) == ("pending", "我当时清醒", None)
    with pytest.raises(AccessDenied, match="consent_revoked"):
        room.authorize(doctor, ref, NOW)
    assert room.swept().suspended == 0


def test_an_objection_before_the_review_puts_nothing_off_and_twice_is_once(room, doctor):
    patient = room.patient()
    consent = room.broken(doctor)
    for text in ("不同意", "again"):
        room.object(patient, consent.consent_id, text, NOW)
    assert room.reviews.get("H1", consent.consent_id).objection == "不同意"
    room.freeze(patient, NOW)
    room.object(patient, consent.consent_id, "frozen people may", NOW)
    assert room.swept().suspended == 1


def test_what_one_answered_for_oneself_or_another_did_is_not_objected_to(room, doctor):
    patient = room.patient()
    room.visit()
    consent = room.consent(doctor)
    broken = room.broken(doctor)
    stranger = Caller("patient", "p", person_id="SOMEBODY")
    for who, which in ((patient, consent), (stranger, broken)):
        with pytest.raises(AccessDenied, match="no_grant"):
            room.object(who, which.consent_id, "x", NOW)


def test_the_patient_may_revoke_it(room, doctor):
    patient, ref = room.patient(), room.study()
    consent = room.broken(doctor)
    room.revoke(patient, consent.consent_id, NOW)
    with pytest.raises(AccessDenied, match="consent_revoked"):
        room.authorize(doctor, ref, NOW)
