"""The process dies before or after the effect of any call: nothing is open that no event tells of."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.access import AccessDenied, AuditFailed
from chalicelib.domain.identity import IdentityKey
from chalicelib.services.register_patient import Contended
from chalicelib.services.verify_code import CodeLocked, CodeRefused
from tests.support.clinic import CLERK, NOW, clinic_in_memory, zhang
from tests.support.interleave import Crash, Turns, crash_at

PORTS = ("people", "doctors", "encounters", "consents", "counters", "studies", "facts", "audit")
CRASHES = [(number, after) for number in range(20) for after in (False, True)]


def dying(clinic, number, *, after):
    """The same clinic behind ports that die at one call."""
    gate = crash_at(number, after=after)
    return replace(clinic, **{name: gate(getattr(clinic, name)) for name in PORTS})


def until_done(call):
    """False when it died on the way, in the open or as an audit that could not be written."""
    try:
        call()
    except (Crash, AuditFailed):
        return False
    return True


@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_a_verification_that_dies_opens_nothing_without_an_event_and_never_twice(number, after):
    clinic = clinic_in_memory()
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    ref = clinic.study()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    code = clinic.code()
    frail = dying(clinic, number, after=after)
    until_done(lambda: frail.verify(doctor, "E1", asked.request_id, code, NOW))
    with suppress(CodeLocked):
        clinic.verify(doctor, "E1", asked.request_id, code, NOW)
    given = clinic.read_consents(patient, NOW)
    events = {event.consent_id for event in clinic.audit.events.values() if event.allowed and event.consent_id}
    assert len(given) <= 1
    assert {consent.consent_id for consent in given} <= events
    if not given:
        with pytest.raises(AccessDenied, match="no_grant"):
            clinic.authorize(doctor, ref, NOW)
    later = NOW + timedelta(minutes=1)
    assert clinic.consent(doctor, now=later)
    assert clinic.authorize(doctor, ref, later)


@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_a_registration_that_dies_is_mended_by_its_repetition(number, after):
    clinic = clinic_in_memory()
    clinic.link_from_notice("H1", zhang(), NOW)
    frail = dying(clinic, number, after=after)
    until_done(lambda: frail.register(CLERK, zhang(), NOW))
    link = clinic.people.link(IdentityKey("H1", "A1"))
    if link.status == "confirmed":
        assert any(event.action == "register_patient" and event.allowed for event in clinic.audit.events.values())
    clinic.register(CLERK, zhang(), NOW)
    assert clinic.people.link(IdentityKey("H1", "A1")).confirmed_by == "desk"
    assert clinic.people.person(link.person_id).phone == "13800138000"


@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_a_decision_that_dies_grants_nothing(number, after):
    clinic = clinic_in_memory()
    doctor = clinic.doctor()
    clinic.patient()
    clinic.visit()
    ref = clinic.study()
    clinic.consent(doctor)
    before = len(clinic.audit.events)
    if until_done(lambda: dying(clinic, number, after=after).authorize(doctor, ref, NOW)):
        assert len(clinic.audit.events) == before + 1


@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_a_revocation_that_dies_takes_away_or_can_be_repeated(number, after):
    clinic = clinic_in_memory()
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    ref = clinic.study()
    consent = clinic.consent(doctor)
    until_done(lambda: dying(clinic, number, after=after).revoke(patient, consent.consent_id, NOW))
    clinic.revoke(patient, consent.consent_id, NOW)
    with pytest.raises(AccessDenied, match="consent_revoked"):
        clinic.authorize(doctor, ref, NOW)


def test_losing_every_race_gives_up_for_the_trigger_to_repeat():
    clinic = clinic_in_memory()
    clinic.people.save = lambda change: False
    with pytest.raises(Contended):
        clinic.register(CLERK, zhang(), NOW)
    with pytest.raises(Contended):
        clinic.link_from_notice("H1", zhang(), NOW)
    clinic.doctors.save = lambda doctor, former: "changed"
    with pytest.raises(Contended):
        clinic.doctor()


def test_a_lost_race_is_run_again_from_the_read():
    clinic = clinic_in_memory()
    really = clinic.people.save

    def overtaken(change):
        """A notice gets in between, once."""
        clinic.people.save = really
        clinic.link_from_notice("H1", zhang(phone="13911112222"), NOW)
        return really(change)

    clinic.people.save = overtaken
    clinic.register(CLERK, zhang(), NOW)
    link = clinic.people.link(IdentityKey("H1", "A1"))
    assert (link.confirmed_by, link.phone) == ("desk", "13911112222")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_in_any_interleaving_of_guesses_five_wrong_ones_are_looked_at_and_one_consent_given(rights, chance):
    clinic = clinic_in_memory()
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    right, wrong = clinic.code(), clinic.wrong_code()
    looks = []

    def guesser(code):
        def guess(gate):
            mine = replace(clinic, **{name: gate(getattr(clinic, name)) for name in PORTS})
            try:
                looks.append(mine.verify(doctor, "E1", asked.request_id, code, NOW))
            except CodeRefused as refused:
                looks.append(refused)
            except CodeLocked:
                pass

        return guess

    died = Turns(chance.randrange).run([guesser(right if is_right else wrong) for is_right in rights])
    assert died == []
    given_ones = [look for look in looks if not isinstance(look, CodeRefused)]
    assert len(looks) - len(given_ones) <= 5
    assert len(given_ones) <= 1
    assert list(clinic.read_consents(patient, NOW)) == given_ones
