"""`domain.consent.decide` over any facts over any facts: what may never be."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import Grant
from chalicelib.domain.consent import (
    CONSENT_LIVES,
    Denied,
    covers,
    decide,
)
from chalicelib.domain.identity import Person
from tests.support.any_facts import (
    ALLOWED,
    CONSENT,
    any_facts,
    consents,
    guardianships,
)
from tests.support.clinic import NOW


@given(any_facts)
def test_never_allowed_without_a_live_consent_or_being_the_person_or_a_guardian(facts):
    decision = decide(facts, NOW)
    if isinstance(decision, Denied):
        return
    caller, link = facts.caller, facts.link
    assert facts.summary.state != "conflicted"
    assert decision.basis == "break_glass" or facts.person is None or facts.person.frozen_at is None
    assert link.status != "contested"
    if caller.role == "patient":
        assert (decision.basis, link.status, link.person_id) == ("self", "confirmed", caller.person_id)
        return
    if caller.role == "guardian":
        held = facts.guardianship
        assert (decision.basis, link.status) == ("guardian", "confirmed")
        assert (held.ward_id, held.guardian_id) == (link.person_id, caller.person_id)
        assert held.starts_at <= NOW < held.ends_at
        assert (held.objected_at, held.ended_at) == (None, None)
        assert facts.guardian is None or facts.guardian.frozen_at is None
        assert facts.guardian is None or facts.guardian.session_epoch == caller.session_epoch
        assert NOW < decision.expires_at <= held.ends_at
        return
    assert caller.role == "doctor"
    assert (facts.doctor.status, facts.doctor.session_epoch) == ("active", caller.session_epoch)
    used = next(one for one in facts.consents if one.consent_id == decision.consent_id and _permits(one, facts))
    assert decision.expires_at > NOW
    assert used.basis == decision.basis
    assert used.basis != "break_glass" or not facts.doctor.break_glass_suspended
    assert decision.expires_at == min(used.expires_at, used.granted_at + CONSENT_LIVES[used.basis].longest)


def _permits(consent, facts):
    """The rule said again, clause by clause."""
    whose = consent.person_id == facts.link.person_id
    who = (consent.doctor_id, consent.hospital_id) == (facts.caller.subject, facts.caller.hospital_id)
    where = facts.doctor.hospital_id == facts.caller.hospital_id
    longest = CONSENT_LIVES[consent.basis].longest
    when = consent.granted_at <= NOW < min(consent.expires_at, consent.granted_at + longest)
    when = when and consent.revoked_at is None
    if consent.scope == "person":
        what = facts.link.status == "confirmed"
    else:
        what = facts.link.identity == consent.identity and facts.study.hospital_id == consent.hospital_id
    return whose and who and where and when and what and facts.study in consent.studies


@given(any_facts, consents)
def test_adding_a_consent_never_removes_access(facts, consent):
    before = decide(facts, NOW)
    after = decide(replace(facts, consents=(*facts.consents, consent)), NOW)
    assert isinstance(before, Denied) or isinstance(after, Grant)


@given(st.lists(consents, max_size=4), st.sets(st.integers(0, 4)))
def test_revoking_every_covering_consent_always_removes_access(others, already):
    facts = replace(ALLOWED, consents=(CONSENT, *others))
    assert isinstance(decide(facts, NOW), Grant)
    revoked = tuple(replace(one, revoked_at=one.revoked_at or NOW) for one in facts.consents)
    assert isinstance(decide(replace(facts, consents=revoked), NOW), Denied)


@given(any_facts, st.lists(consents, max_size=4))
def test_suspending_the_right_to_break_the_glass_cuts_that_and_nothing_else(facts, more):
    facts = replace(facts, consents=(*facts.consents, *more))
    if facts.doctor is None:
        return
    suspended = decide(replace(facts, doctor=replace(facts.doctor, break_glass_stops=("r",))), NOW)
    others = tuple(one for one in facts.consents if one.basis != "break_glass")
    without = decide(replace(facts, consents=others), NOW)
    assert isinstance(suspended, Grant) == isinstance(without, Grant)
    assert isinstance(suspended, Denied) or suspended == without


@given(any_facts, st.lists(consents, max_size=4))
def test_a_freeze_leaves_an_emergency_alone_and_cuts_everything_else(facts, more):
    facts = replace(facts, consents=(*facts.consents, *more), person=facts.person or Person("P"))
    frozen = decide(replace(facts, person=replace(facts.person, frozen_at=NOW)), NOW)
    emergencies = tuple(one for one in facts.consents if one.basis == "break_glass")
    if isinstance(frozen, Grant):
        assert frozen.basis == "break_glass"
        assert frozen == decide(replace(facts, consents=emergencies), NOW)
    elif facts.caller.role == "doctor":
        assert isinstance(decide(replace(facts, consents=emergencies), NOW), Denied)


@given(any_facts, guardianships)
def test_a_guardianship_is_never_in_the_way_of_anyone_else(facts, held):
    if facts.caller.role != "guardian":
        assert decide(replace(facts, guardianship=held), NOW) == decide(replace(facts, guardianship=None), NOW)


@given(any_facts)
def test_ending_or_objecting_to_a_guardianship_always_removes_access(facts):
    if facts.caller.role != "guardian" or facts.guardianship is None:
        return
    for change in ({"ended_at": NOW}, {"objected_at": NOW}):
        stopped = replace(facts, guardianship=replace(facts.guardianship, **change))
        assert isinstance(decide(stopped, NOW), Denied)


@given(any_facts)
def test_no_consent_lets_anyone_in_who_is_no_doctor(facts):
    if facts.caller.role != "doctor":
        assert decide(facts, NOW) == decide(replace(facts, consents=()), NOW)


@given(any_facts)
def test_only_a_former_holder_is_told_that_a_consent_ended(facts):
    decision = decide(facts, NOW)
    if isinstance(decision, Denied) and decision.reason in {"consent_expired", "consent_revoked"}:
        assert any(
            covers(one, facts.link, facts.study) and one.doctor_id == facts.caller.subject and one.granted_at <= NOW
            for one in facts.consents
        )


@given(any_facts)
def test_a_stranger_cannot_tell_an_unknown_study_from_an_ungranted_one(facts):
    stranger = replace(facts, consents=())
    unknown = replace(stranger, summary=None, link=None)
    if facts.caller.role == "doctor":
        assert _told(decide(stranger, NOW)) == _told(decide(unknown, NOW))


def _told(decision):
    return decision.reason
