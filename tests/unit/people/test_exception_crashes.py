"""The process dies before or after the effect of any call: no exception ever stands without what was to watch it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.access import AccessDenied, AuditFailed
from chalicelib.domain.break_glass import BREAK_GLASS_DAY, REVIEW_LIFE
from tests.support.clinic import NOW, zhang
from tests.support.emergency_room import OFFICER, clerk, room_in_memory
from tests.support.interleave import Crash, Turns, crash_at

PORTS = (
    "people",
    "doctors",
    "encounters",
    "consents",
    "counters",
    "studies",
    "audit",
    "notices",
    "hidden",
    "pairs",
    "hospitals",
    "assisted",
    "hand_overs",
    "reviews",
    "topic",
    "sms",
)
CRASHES = [(number, after) for number in range(30) for after in (False, True)]


def behind(room, gate):
    return replace(room, **{name: gate(getattr(room, name)) for name in PORTS})


def until_done(call):
    try:
        return call()
    except (Crash, AuditFailed):
        return None


def events_of(room):
    return {event.consent_id for event in room.audit.events.values() if event.allowed and event.consent_id}


@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_no_break_glass_without_its_due_review_its_event_and_its_notice(number, after):
    room = room_in_memory()
    room.emergency()
    doctor, patient = room.doctor(), room.patient()
    ref = room.study()
    frail = behind(room, crash_at(number, after=after))
    until_done(lambda: frail.broken(doctor))
    given_ones = [one for one in room.read_consents(patient, NOW) if one.basis == "break_glass"]
    for consent in given_ones:
        review = room.reviews.get("H1", consent.consent_id)
        assert review.waits_for_due
        assert review.due_at == NOW + REVIEW_LIFE
        assert consent.consent_id in events_of(room)
        assert consent.consent_id in {told.consent_id for told in room.notices.told}
    if not given_ones:
        with pytest.raises(AccessDenied, match="no_grant"):
            room.authorize(doctor, ref, NOW)
    swept = room.sweep(NOW + REVIEW_LIFE, lambda: True)
    assert (swept.suspended, swept.faults) == (len(given_ones), 0)
    assert room.doctors.get("li").break_glass_suspended == bool(given_ones)


@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_no_assisted_consent_without_review_paper_event_and_notice(number, after):
    room = room_in_memory()
    room.visit(patient=zhang(phone=""))
    doctor, patient = room.doctor(), room.phoneless()
    asked = room.read_card(doctor)
    frail = behind(room, crash_at(number, after=after))
    until_done(lambda: frail.confirm_assisted(clerk(), asked.request_id, NOW))
    given_ones = room.read_consents(patient, NOW)
    assert len(given_ones) <= 1
    for consent in given_ones:
        assert room.reviews.get("H1", consent.consent_id).kind == "assisted"
        assert room.hand_overs.get("H1", consent.consent_id).witness == "clerk-9"
        assert consent.consent_id in events_of(room)
        assert consent.consent_id in {told.consent_id for told in room.notices.told}
    assert room.assist(doctor)


@pytest.mark.parametrize(("number", "after"), [(number, after) for number in range(14) for after in (False, True)])
def test_a_verdict_that_dies_is_mended_by_its_repetition(number, after):
    room = room_in_memory()
    room.emergency()
    doctor, ref = room.doctor(), room.study()
    room.patient()
    consent = room.broken(doctor)
    frail = behind(room, crash_at(number, after=after))
    until_done(lambda: frail.review(OFFICER, consent.consent_id, "not_justified", "x", NOW))
    stands = room.reviews.get("H1", consent.consent_id).state == "not_justified"
    assert room.doctors.get("li").break_glass_suspended == stands
    room.review(OFFICER, consent.consent_id, "not_justified", "x", NOW)
    with pytest.raises(AccessDenied, match="consent_revoked"):
        room.authorize(doctor, ref, NOW)


@pytest.mark.parametrize(("number", "after"), [(number, after) for number in range(40) for after in (False, True)])
def test_a_sweep_that_dies_is_finished_by_the_next(number, after):
    room = room_in_memory()
    room.emergency()
    doctor = room.doctor()
    room.patient()
    consent = room.broken(doctor)
    due = NOW + REVIEW_LIFE
    frail = behind(room, crash_at(number, after=after))
    until_done(lambda: frail.sweep(due, lambda: True))
    room.sweep(due, lambda: True)
    assert room.doctors.get("li").break_glass_stops == (consent.consent_id,)
    assert room.reviews.get("H1", consent.consent_id).state == "overdue"


def test_a_sweep_out_of_time_says_so_and_the_next_goes_on():
    room = room_in_memory()
    room.emergency()
    doctor = room.doctor()
    room.patient()
    room.broken(doctor)
    due = NOW + REVIEW_LIFE
    assert room.sweep(due, lambda: False).more
    assert room.sweep(due, lambda: True).suspended == 1


def test_one_review_that_fails_does_not_keep_the_others_from_being_judged():
    room = room_in_memory()
    room.emergency()
    doctor = room.doctor()
    room.patient()
    first, second = room.broken(doctor), room.broken(doctor)
    really = room.reviews.get
    room.reviews.get = lambda where, which: really(where, which) if which != first.consent_id else 1 / 0
    swept = room.sweep(NOW + REVIEW_LIFE, lambda: True)
    assert (swept.suspended, swept.faults) == (1, 1)
    assert room.doctors.get("li").break_glass_stops == (second.consent_id,)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["justified", "not_justified"]), st.randoms(use_true_random=False))
def test_in_any_interleaving_verdict_and_sweep_leave_the_right_as_the_verdict_says(verdict, chance):
    room = room_in_memory()
    room.emergency()
    doctor = room.doctor()
    room.patient()
    consent = room.broken(doctor)
    due = NOW + REVIEW_LIFE
    work = [
        lambda gate: behind(room, gate).sweep(due, lambda: True),
        lambda gate: behind(room, gate).review(OFFICER, consent.consent_id, verdict, "x", due),
        lambda gate: behind(room, gate).sweep(due, lambda: True),
    ]
    assert Turns(chance.randrange).run(work) == []
    assert room.reviews.get("H1", consent.consent_id).state == verdict
    assert room.doctors.get("li").break_glass_suspended == (verdict == "not_justified")


@settings(max_examples=60, deadline=None)
@given(st.integers(4, 7), st.randoms(use_true_random=False))
def test_in_any_interleaving_the_quota_holds_and_each_use_has_its_review(callers, chance):
    room = room_in_memory()
    room.emergency()
    doctor, patient = room.doctor(), room.patient()

    def once(gate):
        try:
            behind(room, gate).broken(doctor)
        except AccessDenied as denied:
            assert denied.reason == "break_glass_quota"  # noqa: PT017 - within a worker

    assert Turns(chance.randrange).run([once] * callers) == []
    opened = {one.consent_id for one in room.read_consents(patient, NOW)}
    assert len(opened) <= BREAK_GLASS_DAY.count
    assert opened == {one.review_id for one in room.read_reviews(OFFICER, NOW).items}


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_in_any_interleaving_one_of_several_witnesses_is_the_witness(chance):
    room = room_in_memory()
    room.visit(patient=zhang(phone=""))
    doctor, patient = room.doctor(), room.phoneless()
    asked = room.read_card(doctor)

    def witness(name):
        def confirm(gate):
            try:
                behind(room, gate).confirm_assisted(clerk(name), asked.request_id, NOW)
            except AccessDenied as denied:
                assert denied.reason == "assisted_closed"  # noqa: PT017 - within a worker

        return confirm

    assert Turns(chance.randrange).run([witness(f"clerk-{n}") for n in range(4)]) == []
    (consent,) = room.read_consents(patient, NOW)
    told = room.assisted.get("H1", asked.request_id).witness
    assert room.reviews.get("H1", consent.consent_id).witness == told
    assert room.hand_overs.get("H1", consent.consent_id).witness == told
    assert sum(room.pairs.counted.values()) == 1


def test_a_verdict_that_always_loses_its_race_gives_up():
    from chalicelib.services.register_patient import Contended

    room = room_in_memory()
    room.emergency()
    doctor = room.doctor()
    room.patient()
    consent = room.broken(doctor)
    room.reviews.put = lambda review, doctor=None: False
    with pytest.raises(Contended):
        room.review(OFFICER, consent.consent_id, "justified", "", NOW)
    patient = room.patient()
    with pytest.raises(Contended):
        room.object(patient, consent.consent_id, "", NOW + timedelta(minutes=1))
