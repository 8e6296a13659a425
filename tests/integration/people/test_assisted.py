"""Doctor-assisted consent, over in-memory and over moto's stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import AccessDenied, Caller
from chalicelib.domain.assisted import ASSISTED_LIFE, FRESH, PAIR_THRESHOLD, WRONG_CARDS
from chalicelib.domain.code import counter
from chalicelib.domain.pair import Pair
from tests.support.clinic import NOW, ZHANG_PHONE, national_id, zhang
from tests.support.emergency_room import OFFICER, clerk

SECOND = timedelta(seconds=1)


@pytest.fixture
def doctor(room):
    room.visit(patient=zhang(phone=""))
    return room.doctor()


def test_card_and_witness_together_open_the_record_for_a_day(room, doctor):
    patient = room.phoneless()
    ref = room.study()
    asked = room.read_card(doctor)
    with pytest.raises(AccessDenied, match="no_grant"):
        room.authorize(doctor, ref, NOW)
    (waiting,) = room.read_assisted(clerk(), NOW)
    assert (waiting.request.request_id, waiting.doctor_name) == (asked.request_id, "李医生")
    consent = room.confirm_assisted(clerk(), asked.request_id, NOW)
    assert (consent.basis, consent.purpose, consent.expires_at) == ("assisted", "treatment", NOW + timedelta(hours=24))
    assert room.authorize(doctor, ref, NOW).basis == "assisted"
    with pytest.raises(AccessDenied, match="consent_expired"):
        room.authorize(doctor, ref, consent.expires_at)
    assert room.read_assisted(clerk(), NOW) == ()
    told = [notice.kind for notice in room.read_notices(patient, NOW).items]
    assert "assisted" in told


def test_each_is_on_the_officers_list_and_on_paper(room, doctor):
    room.phoneless()
    consent = room.assist(doctor)
    (review,) = room.read_reviews(OFFICER, NOW, undecided=True).items
    assert (review.review_id, review.kind, review.witness, review.due_at) == (
        consent.consent_id,
        "assisted",
        "clerk-9",
        None,
    )
    (paper,) = room.read_hand_overs(clerk("clerk-2"), NOW).items
    assert (paper.consent_id, paper.patient_id) == (consent.consent_id, "A1")


def test_the_card_itself_is_kept_nowhere_and_a_match_costs_no_try(room, doctor):
    room.phoneless()
    room.read_card(doctor)
    left = room.counters.take(counter(WRONG_CARDS, doctor.subject, NOW))
    assert left == WRONG_CARDS.count - 1
    assert national_id() not in repr(room.read_assisted(clerk(), NOW))


def test_ten_wrong_cards_a_day_are_the_last(room, doctor):
    room.phoneless()
    for number in range(WRONG_CARDS.count):
        other = "not a card" if number % 2 else national_id(order=f"{number:03}")
        with pytest.raises(AccessDenied, match="card_refused"):
            room.read_card(doctor, number=other)
    with pytest.raises(AccessDenied, match="card_refused"):
        room.read_card(doctor)
    assert room.read_card(doctor, now=NOW + timedelta(days=1))


def test_a_verified_phone_forbids_it_and_one_that_lapsed_does_not(room):
    room.visit()
    doctor, patient = room.doctor(), room.patient()
    with pytest.raises(AccessDenied, match="phone_exists"):
        room.read_card(doctor)
    person = room.people.person(patient.person_id)
    lapses = person.phone_verified_at + timedelta(days=365)
    room.visit(at=lapses - timedelta(hours=1))
    with pytest.raises(AccessDenied, match="phone_exists"):
        room.read_card(doctor, now=lapses - SECOND)
    assert room.read_card(doctor, now=lapses)


def test_a_phone_verified_between_card_and_witness_forbids_it(room, doctor):
    room.phoneless()
    asked = room.read_card(doctor)
    room.register(Caller("desk_clerk", "clerk-1", "H1"), zhang(), NOW)
    with pytest.raises(AccessDenied, match="assisted_closed"):
        room.confirm_assisted(clerk(), asked.request_id, NOW)


def test_a_number_that_only_a_hospital_told_forbids_nothing_and_is_told(room):
    room.visit()
    doctor, patient = room.doctor(), room.phoneless()
    room.link_from_notice("H1", zhang(phone="13911112222"), NOW)
    room.assist(doctor)
    assert room.sms.sent == [("13911112222", "assisted_access", {"hospital": "第一医院"})]
    assert patient.person_id


@pytest.mark.parametrize(
    ("patient", "why"),
    [
        (None, "identity_unlinked"),
        (zhang(national_id=national_id("20200101"), birth_date="2020-01-01", phone=""), "guardian_needed"),
    ],
)
def test_whom_a_card_alone_does_not_open(room, doctor, patient, why):
    if patient:
        room.patient("H1", patient)
    with pytest.raises(AccessDenied, match=why):
        room.read_card(doctor, number=patient.national_id if patient else "")


def test_a_frozen_person_stays_closed(room, doctor):
    patient = room.phoneless()
    asked = room.read_card(doctor)
    room.freeze(patient, NOW)
    with pytest.raises(AccessDenied, match="frozen"):
        room.read_card(doctor)
    with pytest.raises(AccessDenied, match="assisted_closed"):
        room.confirm_assisted(clerk(), asked.request_id, NOW)


WITNESSES = {
    "witness_not_fresh": clerk(ago=FRESH + SECOND),
    "witness_role": clerk(role="doctor"),
    "witness_is_doctor": clerk("li"),
    "assisted_closed": clerk(hospital_id="H2"),
}


@pytest.mark.parametrize("why", WITNESSES)
def test_who_is_no_witness(room, doctor, why):
    room.phoneless()
    asked = room.read_card(doctor)
    with pytest.raises(AccessDenied, match=why):
        room.confirm_assisted(WITNESSES[why], asked.request_id, NOW)
    with pytest.raises(AccessDenied, match="witness_not_fresh"):
        room.confirm_assisted(replace(clerk(), signed_in_at=None), asked.request_id, NOW)
    assert room.confirm_assisted(clerk(ago=FRESH), asked.request_id, NOW)


def test_a_request_is_confirmed_once_and_in_its_ten_minutes(room, doctor):
    room.phoneless()
    asked = room.read_card(doctor)
    room.confirm_assisted(clerk(), asked.request_id, NOW)
    with pytest.raises(AccessDenied, match="assisted_closed"):
        room.confirm_assisted(clerk("clerk-2"), asked.request_id, NOW)
    late = room.read_card(doctor)
    end = NOW + ASSISTED_LIFE
    with pytest.raises(AccessDenied, match="assisted_closed"):
        room.confirm_assisted(clerk(now=end), late.request_id, end)
    assert room.confirm_assisted(clerk(now=end), late.request_id, end - SECOND)


def test_the_doctor_asks_what_became_of_the_own_request_alone(room, doctor):
    room.phoneless()
    asked, late = room.read_card(doctor), room.read_card(doctor)
    assert room.assisted_outcome(doctor, "E1", asked.request_id, NOW) == ("waiting", None)
    consent = room.confirm_assisted(clerk(), asked.request_id, NOW)
    assert room.assisted_outcome(doctor, "E1", asked.request_id, NOW) == ("confirmed", consent)
    assert room.assisted_outcome(doctor, "E1", late.request_id, NOW + ASSISTED_LIFE) == ("expired", None)
    other = room.doctor("wang")
    for who, visit in ((other, "E1"), (doctor, "E9")):
        with pytest.raises(AccessDenied, match=r"no_grant|no_encounter"):
            room.assisted_outcome(who, visit, asked.request_id, NOW)


@pytest.mark.parametrize("change", ["visit", "doctor", "link"])
def test_what_changed_since_the_card_was_read_closes_the_request(room, doctor, change):
    room.phoneless()
    asked = room.read_card(doctor)
    if change == "visit":
        room.visit(status="closed", patient=zhang(phone=""), at=NOW)
    elif change == "doctor":
        room.doctor(status="suspended")
    else:
        room.undo.contest(OFFICER, "A1", NOW)
    with pytest.raises(AccessDenied, match="assisted_closed"):
        room.confirm_assisted(clerk(), asked.request_id, NOW)


def test_a_doctor_and_a_witness_who_meet_often_come_before_the_officer(room, doctor):
    room.phoneless()
    for _ in range(PAIR_THRESHOLD - 1):
        room.assist(doctor)
    assert {one.kind for one in room.read_reviews(OFFICER, NOW).items} == {"assisted"}
    room.assist(doctor)
    room.assist(doctor)
    pairs = [one for one in room.read_reviews(OFFICER, NOW, undecided=True).items if one.kind == "pair"]
    assert [(one.doctor_id, one.witness, one.count) for one in pairs] == [("li", "clerk-9", PAIR_THRESHOLD)]
    assert room.pairs.of_hospital("H1", "2026-11") == ((Pair("assisted", "clerk-9", "li"), PAIR_THRESHOLD + 1),)
    judged = room.review(OFFICER, pairs[0].review_id, "justified", "急诊夜班", NOW)
    assert judged.state == "justified"


def test_the_officer_does_not_judge_what_they_witnessed(room, doctor):
    room.phoneless()
    witness = clerk("officer-1", role="privacy_officer")
    consent = room.assist(doctor, witness)
    with pytest.raises(AccessDenied, match="own_part"):
        room.review(OFFICER, consent.consent_id, "justified", "", NOW)
    other = Caller("privacy_officer", "officer-2", "H1")
    assert room.review(other, consent.consent_id, "justified", "", NOW).reviewed_by == "officer-2"


def test_a_verdict_of_not_justified_takes_the_consent_back_and_is_told(room, doctor):
    patient, ref = room.phoneless(), room.study()
    consent = room.assist(doctor)
    room.review(OFFICER, consent.consent_id, "not_justified", "患者否认", NOW)
    with pytest.raises(AccessDenied, match="consent_revoked"):
        room.authorize(doctor, ref, NOW)
    assert "reviewed_not_justified" in [notice.kind for notice in room.read_notices(patient, NOW).items]


def test_the_paper_goes_through_the_hands_of_another_clerk(room, doctor):
    room.phoneless()
    consent = room.assist(doctor)
    for hands in (clerk(), Caller("desk_clerk", "li", "H1")):
        with pytest.raises(AccessDenied, match="witness_hands_over"):
            room.print_hand_over(hands, consent.consent_id, NOW)
        with pytest.raises(AccessDenied, match="witness_hands_over"):
            room.finish_hand_over(hands, consent.consent_id, "posted", NOW)
    other = clerk("clerk-2")
    text = room.print_hand_over(other, consent.consent_id, NOW)
    for said in (text.zh, text.en):
        assert [name for name in ("张三", "李", "A1", consent.consent_id) if name not in said] == []
    assert "李医生医生" not in text.zh
    assert ("第一医院" in text.zh, "First Hospital" in text.en) == (True, True)
    done = room.finish_hand_over(other, consent.consent_id, "handed_over", NOW)
    assert (done.how, done.done_by) == ("handed_over", "clerk-2")
    assert room.read_hand_overs(other, NOW).items == ()
    again = room.finish_hand_over(clerk("clerk-3"), consent.consent_id, "posted", NOW)
    assert (again.how, again.done_by) == ("handed_over", "clerk-2")
    with pytest.raises(AccessDenied, match="unknown_hand_over"):
        room.print_hand_over(clerk("clerk-2", "H2"), consent.consent_id, NOW)


def test_every_step_is_on_record_and_the_patient_reads_it(room, doctor):
    patient, ref = room.phoneless(), room.study()
    room.assist(doctor)
    room.authorize(doctor, ref, NOW)
    seen = [(event.action, event.role, event.basis) for event in room.read_accesses(patient, NOW).items]
    assert ("request_assisted", "doctor", "assisted") in seen
    assert ("witness_assisted", "desk_clerk", "assisted") in seen
    assert ("view_study", "doctor", "assisted") in seen


def test_a_patients_phone_is_never_the_reason_why_a_stranger_learns_of_it(room, doctor):
    """Only who holds the patient's card is told that a phone exists."""
    room.patient()
    with pytest.raises(AccessDenied, match="card_refused"):
        room.read_card(doctor, number=national_id(order="013"))
    assert ZHANG_PHONE not in repr(room.audit)
