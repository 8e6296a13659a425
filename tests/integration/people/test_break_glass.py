"""Emergency access and what follows from it, over in-memory and over moto's stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import AccessDenied, AuditFailed
from chalicelib.domain.break_glass import BREAK_GLASS_DAY, BREAK_GLASS_MONTH, CONFIRMATION, EMERGENCY_LIFE, REVIEW_LIFE
from chalicelib.domain.study import StudyRef
from chalicelib.services.prove_guardian import Card, Claim
from tests.support.clinic import CLERK, NOW, ZHANG_PHONE, national_id, summary, zhang
from tests.support.emergency_room import OFFICER, WORDS, room_in_memory

SECOND = timedelta(seconds=1)
DUE = NOW + REVIEW_LIFE


@pytest.fixture
def doctor(room):
    return room.in_emergency()


def test_two_hours_of_everything_without_consent(room, doctor):
    patient, here = room.patient(), room.study()
    room.patient("H2", zhang("B1"))
    there, hidden = room.study("1.9", "H2", "B1"), room.study("1.8")
    room.hide.hide(patient, hidden, NOW)
    consent = room.broken(doctor)
    assert (consent.basis, consent.purpose) == ("break_glass", "emergency")
    for ref in (here, there, hidden):
        grant = room.authorize(doctor, ref, NOW)
        assert (grant.basis, grant.expires_at) == ("break_glass", NOW + timedelta(hours=2))
    assert {one.ref for one in room.read_encounter(doctor, "X1", NOW).items} == {here, there, hidden}
    assert room.authorize(doctor, here, consent.expires_at - SECOND)
    with pytest.raises(AccessDenied, match="consent_expired"):
        room.authorize(doctor, here, consent.expires_at)


def test_patient_and_officer_are_told_at_once(room, doctor):
    patient = room.patient()
    consent = room.broken(doctor)
    told = [(one.kind, one.consent_id) for one in room.read_notices(patient, NOW).items]
    assert ("break_glass", consent.consent_id) in told
    assert room.sms.sent[-1] == (ZHANG_PHONE, "emergency_access", {"hospital": "第一医院"})
    (review,) = room.read_reviews(OFFICER, NOW, undecided=True).items
    assert (review.kind, review.review_id, review.due_at) == ("break_glass", consent.consent_id, DUE)
    assert (review.reason, review.text) == ("unconscious", WORDS)
    ((subject, body),) = room.topic.messages
    assert (body["event"], body["hospital_id"], body["review_id"]) == ("break_glass", "H1", consent.consent_id)
    for private in ("张三", ZHANG_PHONE, patient.person_id, "A1", "X1", WORDS):
        assert private not in subject + repr(body)
    assert room.read_reviews(replace(OFFICER, hospital_id="H2"), NOW).items == ()


def test_a_childs_guardians_are_told_too(room):
    child = zhang("K1", name="张小宝", birth_date="2020-01-01", national_id=national_id("20200101"), phone="")
    parent = zhang(phone="13700137000", name="李四", national_id=national_id(order="013"))
    guardian = room.patient("H1", parent)
    room.patient("H1", child)
    claim = Claim(
        Card(child.national_id, child.name), Card(parent.national_id, parent.name), "minor", "birth_certificate"
    )
    room.prove_guardian(CLERK, claim, NOW - timedelta(hours=1))
    room.emergency(patient=child)
    sent = len(room.sms.sent)
    consent = room.broken(room.doctor())
    assert room.sms.sent[sent:] == [("13700137000", "emergency_access", {"hospital": "第一医院"})]
    told = [(one.kind, one.consent_id) for one in room.read_notices(guardian, NOW).items]
    assert ("ward_accessed", consent.consent_id) in told


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"confirmation": "yes"}, "not_confirmed"),
        ({"confirmation": CONFIRMATION.en + "!"}, "not_confirmed"),
        ({"text": "急"}, "not_confirmed"),
        ({"encounter_id": "no such visit"}, "no_encounter"),
    ],
)
def test_it_is_stated_in_full_or_refused(room, doctor, changes, why):
    room.patient()
    with pytest.raises(AccessDenied, match=why):
        room.broken(doctor, **changes)
    assert room.broken(doctor, confirmation=CONFIRMATION.en)


def test_only_an_emergency_visit_or_an_emergency_doctor(room):
    room.patient()
    room.visit()
    doctor = room.doctor()
    with pytest.raises(AccessDenied, match="not_an_emergency"):
        room.broken(doctor, "E1")
    doctor = room.doctor(emergency_role=True)
    assert room.broken(doctor, "E1")


def test_nobody_known_behind_the_visit_is_said_clearly_and_is_on_record(room, doctor):
    with pytest.raises(AccessDenied, match="unknown_person"):
        room.broken(doctor)
    room.patient()
    room.undo.contest(OFFICER, "A1", NOW)
    with pytest.raises(AccessDenied, match="unknown_person"):
        room.broken(doctor)
    assert room.read_reviews(OFFICER, NOW).items == ()


def test_an_unconfirmed_number_opens_the_hospitals_own_studies_alone(room, doctor):
    room.link_from_notice("H1", zhang(), NOW)
    room.patient("H2", zhang("B1"))
    own, other = room.study(), room.study("1.9", "H2", "B1")
    consent = room.broken(doctor)
    assert (consent.scope, consent.studies) == ("identity", frozenset({own}))
    assert room.authorize(doctor, own, NOW).basis == "break_glass"
    with pytest.raises(AccessDenied, match="no_grant"):
        room.authorize(doctor, other, NOW)


def test_a_freeze_does_not_stand_in_an_emergencys_way_and_the_review_says_so(room, doctor):
    patient, ref = room.patient(), room.study()
    room.visit()
    consent = room.consent(doctor)
    room.freeze(patient, NOW)
    with pytest.raises(AccessDenied, match="frozen"):
        room.authorize(doctor, ref, NOW)
    broken = room.broken(doctor)
    grant = room.authorize(doctor, ref, NOW)
    assert (grant.consent_id, grant.basis) == (broken.consent_id, "break_glass")
    assert consent.expires_at > grant.expires_at
    assert room.read_reviews(OFFICER, NOW).items[0].was_frozen


def test_a_conflicted_study_stays_closed_in_an_emergency(room, doctor):
    """No list holds it, and one that becomes so while the glass is broken closes."""
    room.patient()
    before, ref = StudyRef("H1", "1.2.2"), room.study()
    room.studies.flip(summary(before, state="conflicted"), 0)
    assert room.broken(doctor).studies == frozenset({ref})
    room.studies.flip(summary(ref, state="conflicted"), room.studies.summary(ref).revision)
    with pytest.raises(AccessDenied, match="no_grant"):
        room.authorize(doctor, before, NOW)
    with pytest.raises(AccessDenied, match="study_conflicted"):
        room.authorize(doctor, ref, NOW)


def test_a_visit_that_nobody_closed_is_no_emergency_for_ever(room, doctor):
    room.patient()
    last = NOW - timedelta(hours=1) + EMERGENCY_LIFE
    assert room.broken(doctor, now=last - SECOND)
    with pytest.raises(AccessDenied, match="not_an_emergency"):
        room.broken(doctor, now=last)
    room.emergency(at=last)  # the patient is back, or the hospital says that they are still there
    assert room.broken(doctor, now=last)


def test_three_a_day_and_ten_a_month(room, doctor):
    room.patient()
    for used in range(BREAK_GLASS_MONTH.count):
        day = NOW - timedelta(days=used // BREAK_GLASS_DAY.count)
        room.broken(doctor, now=day)
        if used % BREAK_GLASS_DAY.count == BREAK_GLASS_DAY.count - 1:
            with pytest.raises(AccessDenied, match="break_glass_quota"):
                room.broken(doctor, now=day)
    with pytest.raises(AccessDenied, match="break_glass_quota"):
        room.broken(doctor, now=NOW - timedelta(days=20))
    room.emergency(at=NOW + timedelta(days=8))
    assert room.broken(doctor, now=NOW + timedelta(days=8))


def test_a_crowd_of_calls_at_once_does_not_beat_the_quota(room, doctor):
    room.patient()

    def once(_):
        try:
            return room.broken(doctor)
        except AccessDenied as denied:
            return denied.reason

    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(once, range(24)))
    opened = [one for one in answers if not isinstance(one, str)]
    assert len(opened) == BREAK_GLASS_DAY.count
    assert {one for one in answers if isinstance(one, str)} == {"break_glass_quota"}
    assert len(room.read_reviews(OFFICER, NOW).items) == BREAK_GLASS_DAY.count


def test_what_is_not_on_record_opens_nothing_and_costs_nothing_of_the_quota():
    room = room_in_memory()
    room.emergency()
    doctor = room.doctor()
    room.patient()
    room.audit.broken = True
    for _ in range(BREAK_GLASS_DAY.count + 1):
        with pytest.raises(AuditFailed):
            room.broken(doctor)
    room.audit.broken = False
    assert room.broken(doctor)


def test_care_goes_on_when_the_topic_does_not_answer(room, doctor):
    room.patient()
    ref = room.study()

    def gone(subject, body):
        raise ConnectionError

    room.topic.publish = gone
    room.broken(doctor)
    assert room.authorize(doctor, ref, NOW)
