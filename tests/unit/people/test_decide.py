"""`domain.consent.decide` over any facts: what may never be, and the edges to the second."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.code import WRONG_PER_CODE, WRONG_PER_DOCTOR, WRONG_PER_PERSON, Code, code_route, counter
from chalicelib.domain.consent import (
    CONSENT_LIVES,
    REMEMBERED,
    SELF_LIFE,
    Consent,
    Denied,
    Doctor,
    Facts,
    covers,
    decide,
)
from chalicelib.domain.guardian import Guardianship, birthday
from chalicelib.domain.identity import PHONE_LIFE, IdentityKey, Link, Person
from chalicelib.domain.study import StudyRef
from tests.support.clinic import NOW, summary

SECOND = timedelta(seconds=1)
STUDIES = [StudyRef("H1", "1.1"), StudyRef("H1", "1.2"), StudyRef("H2", "1.1")]
IDENTITIES = [IdentityKey("H1", "A"), IdentityKey("H2", "B")]

small_times = st.integers(-3, 3).map(lambda seconds: NOW + seconds * SECOND)


def consents_on(basis):
    """Consents of a basis with edges around NOW: written ones, and those of the longest life of the basis."""
    longest = CONSENT_LIVES[basis].longest
    return st.builds(
        _consent,
        basis=st.just(basis),
        granted_at=small_times | small_times.map(lambda at: at - longest),
        expires_at=small_times | st.just(NOW + timedelta(days=60)),
        **CONSENT_FIELDS,
    )


def _consent(**fields):
    return Consent(**fields)


CONSENT_FIELDS = {
    "consent_id": st.text("0123456789", min_size=4, max_size=4),
    "person_id": st.sampled_from(["P", "Q"]),
    "doctor_id": st.sampled_from(["li", "wang"]),
    "hospital_id": st.sampled_from(["H1", "H2"]),
    "encounter_id": st.just("E"),
    "scope": st.sampled_from(["person", "identity"]),
    "identity": st.sampled_from(IDENTITIES),
    "purpose": st.just("treatment"),
    "notice_version": st.just("v"),
    "studies": st.frozensets(st.sampled_from(STUDIES)),
    "revoked_at": st.none() | small_times,
    "given_by": st.sampled_from(["", "G"]),
}
consents = st.sampled_from(sorted(CONSENT_LIVES)).flatmap(consents_on)
guardianships = st.builds(
    Guardianship,
    ward_id=st.sampled_from(["P", "P", "Q"]),
    guardian_id=st.sampled_from(["G", "G", "Q"]),
    ward=st.just("W"),
    kind=st.sampled_from(["minor", "incapacity"]),
    document=st.just("court_decision"),
    ward_birth_date=st.sampled_from(["20100101", "20200101", "19700101"]),
    hospital_id=st.just("H1"),
    proven_by=st.just("clerk"),
    proven_at=st.just(NOW),
    starts_at=small_times,
    ends_at=small_times,
    objected_at=st.none() | st.none() | small_times,
    ended_at=st.none() | st.none() | small_times,
)
doctors = st.builds(
    Doctor,
    doctor_id=st.just("li"),
    hospital_id=st.sampled_from(["H1", "H1", "H2"]),
    licence_number=st.just("1"),
    name=st.just("李"),
    status=st.sampled_from(["active", "active", "suspended", "left"]),
    session_epoch=st.sampled_from([0, 0, 1]),
    break_glass_stops=st.sampled_from([(), (), ("a review",)]),
)
links = st.builds(
    Link,
    identity=st.sampled_from(IDENTITIES),
    person_id=st.sampled_from(["P", "Q"]),
    status=st.sampled_from(["confirmed", "confirmed", "unconfirmed", "contested"]),
    linked_at=st.just(NOW),
)
persons = st.builds(
    Person,
    person_id=st.sampled_from(["P", "Q"]),
    frozen_at=st.none() | st.just(NOW),
    session_epoch=st.sampled_from([0, 0, 1]),
)
summaries = st.builds(
    summary, st.sampled_from(STUDIES), st.just("A"), state=st.sampled_from(["served", "served", "conflicted", "empty"])
)
callers = st.builds(
    Caller,
    role=st.sampled_from(["doctor", "doctor", "doctor", "patient", "guardian", "guardian", "regulator", "hospital"]),
    subject=st.sampled_from(["li", "wang"]),
    hospital_id=st.sampled_from(["H1", "H2"]),
    person_id=st.sampled_from(["P", "Q", "G", "G", ""]),
    session_epoch=st.sampled_from([0, 0, 1]),
)
any_facts = st.builds(
    Facts,
    caller=callers,
    study=st.sampled_from(STUDIES),
    summary=st.none() | summaries,
    link=st.none() | links,
    person=st.none() | persons,
    doctor=st.none() | doctors,
    consents=st.lists(consents, max_size=4).map(tuple),
    guardian=st.none()
    | st.builds(
        Person, person_id=st.just("G"), frozen_at=st.none() | st.just(NOW), session_epoch=st.sampled_from([0, 0, 1])
    ),
    guardianship=st.none() | guardianships,
)

LI = Caller("doctor", "li", "H1")
LINK = Link(IDENTITIES[0], "P", "confirmed", NOW)
CONSENT = Consent(
    consent_id="0001",
    person_id="P",
    doctor_id="li",
    hospital_id="H1",
    encounter_id="E",
    basis="sms_code",
    scope="person",
    identity=IDENTITIES[0],
    purpose="treatment",
    notice_version="v",
    studies=frozenset(STUDIES),
    granted_at=NOW,
    expires_at=NOW + timedelta(hours=24),
)
ALLOWED = Facts(LI, STUDIES[0], summary(STUDIES[0], "A"), LINK, Person("P"), Doctor("li", "H1", "1", "李"), (CONSENT,))
GUARDIAN = Caller("guardian", "g", person_id="G")
HELD = Guardianship(
    ward_id="P",
    guardian_id="G",
    ward="W",
    kind="minor",
    document="birth_certificate",
    ward_birth_date="20120301",
    hospital_id="H1",
    proven_by="clerk",
    proven_at=NOW - timedelta(days=9),
    starts_at=NOW - timedelta(days=9),
    ends_at=birthday("20120301", 18),
)
GUARDED = Facts(
    GUARDIAN, STUDIES[0], summary(STUDIES[0], "A"), LINK, Person("P"), guardian=Person("G"), guardianship=HELD
)


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


def test_a_consent_counts_from_its_first_second_to_the_one_before_its_end():
    assert isinstance(decide(ALLOWED, NOW - SECOND), Denied)
    assert isinstance(decide(ALLOWED, NOW), Grant)
    assert isinstance(decide(ALLOWED, CONSENT.expires_at - SECOND), Grant)
    assert decide(ALLOWED, CONSENT.expires_at) == Denied("consent_expired", "consent_expired")


@pytest.mark.parametrize("basis", sorted(CONSENT_LIVES))
def test_no_consent_outlives_its_basis_to_the_second_whatever_was_written_into_it(basis):
    too_long = replace(CONSENT, basis=basis, expires_at=NOW + timedelta(days=365))
    end = NOW + CONSENT_LIVES[basis].longest
    facts = replace(ALLOWED, consents=(too_long,))
    assert isinstance(decide(facts, NOW - SECOND), Denied)
    assert decide(facts, NOW) == Grant(LI, STUDIES[0], basis, "0001", end)
    assert isinstance(decide(facts, end - SECOND), Grant)
    assert decide(facts, end) == Denied("consent_expired", "consent_expired")
    assert CONSENT_LIVES[basis].usual <= CONSENT_LIVES[basis].longest < REMEMBERED


def test_the_lives_of_consents_are_those_of_the_design():
    hours = {basis: life.longest / timedelta(hours=1) for basis, life in CONSENT_LIVES.items()}
    assert hours == {
        "sms_code": 24,
        "dynamic_qr": 24,
        "health_app": 30 * 24,
        "guardian": 30 * 24,
        "assisted": 24,
        "break_glass": 2,
    }


def test_a_guardian_reads_from_the_first_second_to_the_wards_eighteenth_birthday():
    assert decide(GUARDED, NOW) == Grant(GUARDIAN, STUDIES[0], "guardian", "", NOW + SELF_LIFE)
    assert isinstance(decide(GUARDED, HELD.starts_at), Grant)
    assert decide(GUARDED, HELD.starts_at - SECOND) == Denied("no_grant", "guardianship_waits")
    last = HELD.ends_at - SECOND
    assert decide(GUARDED, last) == Grant(GUARDIAN, STUDIES[0], "guardian", "", HELD.ends_at)
    assert decide(GUARDED, HELD.ends_at) == Denied("guardianship_ended", "guardianship_ended")
    assert HELD.ends_at == datetime(2030, 2, 28, 16, tzinfo=UTC)  # midnight in Beijing


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"guardianship": None}, "no_grant", "no_ward"),
        ({"guardianship": replace(HELD, ward_id="Q")}, "no_grant", "no_ward"),
        ({"guardianship": replace(HELD, guardian_id="Q")}, "no_grant", "no_ward"),
        ({"guardianship": replace(HELD, objected_at=NOW)}, "guardianship_ended", "guardianship_objected"),
        ({"guardianship": replace(HELD, ended_at=NOW)}, "guardianship_ended", "guardianship_ended"),
        ({"link": replace(LINK, status="unconfirmed")}, "no_grant", "not_wards"),
        ({"link": replace(LINK, person_id="Q")}, "no_grant", "no_ward"),
        ({"summary": None}, "no_grant", "unknown_study"),
        ({"link": None}, "no_grant", "no_link"),
        ({"person": Person("P", frozen_at=NOW)}, "frozen", "frozen"),
        ({"guardian": Person("G", frozen_at=NOW)}, "frozen", "guardian_frozen"),
        ({"guardian": Person("G", session_epoch=1)}, "session_ended", "session_ended"),
        ({"caller": Caller("guardian", "g")}, "no_grant", "no_person"),
        ({"summary": summary(STUDIES[0], "A", state="conflicted")}, "study_conflicted", "study_conflicted"),
    ],
)
def test_each_missing_fact_denies_a_guardian_by_its_name(changes, reason, detail):
    assert decide(replace(GUARDED, **changes), NOW) == Denied(reason, detail)


EMERGENCY = replace(CONSENT, consent_id="0009", basis="break_glass", purpose="emergency")
STOPPED = Doctor("li", "H1", "1", "李", break_glass_stops=("0008",))


@pytest.mark.parametrize(
    ("consents_held", "changes", "expected"),
    [
        ((EMERGENCY,), {"doctor": STOPPED}, "break_glass_suspended"),
        ((EMERGENCY, CONSENT), {"doctor": STOPPED}, "sms_code"),
        ((EMERGENCY,), {"person": Person("P", frozen_at=NOW)}, "break_glass"),
        ((EMERGENCY, CONSENT), {"person": Person("P", frozen_at=NOW)}, "break_glass"),
        ((CONSENT,), {"person": Person("P", frozen_at=NOW)}, "frozen"),
        ((EMERGENCY, CONSENT), {"person": Person("P", frozen_at=NOW), "doctor": STOPPED}, "frozen"),
        ((EMERGENCY,), {"summary": summary(STUDIES[0], "A", state="conflicted")}, "study_conflicted"),
        ((EMERGENCY,), {"link": replace(LINK, status="contested")}, "no_grant"),
        ((replace(EMERGENCY, revoked_at=NOW),), {}, "consent_revoked"),
        ((replace(CONSENT, basis="assisted"),), {"person": Person("P", frozen_at=NOW)}, "frozen"),
        ((replace(CONSENT, basis="assisted"),), {"doctor": STOPPED}, "assisted"),
    ],
)
def test_what_an_emergency_opens_and_what_it_does_not(consents_held, changes, expected):
    decision = decide(replace(ALLOWED, consents=consents_held, **changes), NOW)
    assert expected == (decision.reason if isinstance(decision, Denied) else decision.basis)


def test_the_latest_of_several_live_consents_is_used():
    longer = replace(CONSENT, consent_id="0002", basis="health_app", expires_at=NOW + timedelta(days=3))
    grant = decide(replace(ALLOWED, consents=(longer, CONSENT)), NOW)
    assert (grant.consent_id, grant.expires_at) == ("0002", longer.expires_at)


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"summary": None}, "no_grant", "unknown_study"),
        ({"link": None}, "no_grant", "no_link"),
        ({"consents": ()}, "no_grant", "no_consent"),
        ({"link": replace(LINK, status="unconfirmed")}, "no_grant", "no_consent"),
        ({"link": replace(LINK, person_id="Q")}, "no_grant", "no_consent"),
        ({"study": StudyRef("H1", "9")}, "no_grant", "no_consent"),
        ({"doctor": None}, "doctor_inactive", "doctor_inactive"),
        ({"doctor": Doctor("li", "H1", "1", "李", "left")}, "doctor_inactive", "doctor_inactive"),
        ({"doctor": Doctor("li", "H2", "1", "李")}, "doctor_inactive", "doctor_inactive"),
        ({"doctor": Doctor("li", "H1", "1", "李", session_epoch=1)}, "session_ended", "session_ended"),
        ({"person": Person("P", frozen_at=NOW)}, "frozen", "frozen"),
        ({"summary": summary(STUDIES[0], "A", state="conflicted")}, "study_conflicted", "study_conflicted"),
        ({"consents": (replace(CONSENT, revoked_at=NOW),)}, "consent_revoked", "consent_revoked"),
        ({"caller": Caller("regulator", "r")}, "no_grant", "role"),
        ({"caller": Caller("patient", "p")}, "no_grant", "no_person"),
        ({"caller": Caller("patient", "q", person_id="Q")}, "no_grant", "no_person"),
    ],
)
def test_each_missing_fact_denies_by_its_name(changes, reason, detail):
    assert decide(replace(ALLOWED, **changes), NOW) == Denied(reason, detail)


def test_a_consent_by_an_unverified_phone_covers_that_hospitals_own_identity_only():
    own = replace(CONSENT, scope="identity")
    unconfirmed = replace(LINK, status="unconfirmed")
    assert covers(own, unconfirmed, STUDIES[0])
    assert not covers(own, replace(LINK, identity=IDENTITIES[1]), STUDIES[0])
    assert not covers(own, LINK, STUDIES[2])
    assert not covers(own, replace(LINK, status="contested"), STUDIES[0])


# Where a code goes


OLD = Person("P", phone="13800138000", phone_verified_at=NOW - PHONE_LIFE)
FRESH = replace(OLD, phone_verified_at=NOW - PHONE_LIFE + SECOND)
LOCAL = replace(LINK, phone="13911112222")


@pytest.mark.parametrize(
    ("link", "person", "holds", "expected"),
    [
        (LINK, FRESH, True, ("13800138000", "person")),
        (LOCAL, FRESH, True, ("13800138000", "person")),
        (LOCAL, OLD, True, ("13911112222", "identity")),
        (LOCAL, FRESH, False, ("13911112222", "identity")),
        (LOCAL, None, False, ("13911112222", "identity")),
        (replace(LOCAL, status="unconfirmed"), FRESH, True, ("13911112222", "identity")),
        (replace(LINK, status="unconfirmed"), FRESH, True, None),
        (replace(LOCAL, status="contested"), FRESH, True, None),
        (LOCAL, replace(FRESH, frozen_at=NOW), True, None),
        (LINK, OLD, True, None),
        (None, None, False, None),
        (LOCAL, replace(FRESH, birth_date="20121125"), True, None),
        (replace(LOCAL, birth_date="20121125"), None, False, None),
        (LOCAL, replace(FRESH, birth_date="20121124"), True, ("13800138000", "person")),
    ],
)
def test_the_verified_phone_answers_for_all_and_the_hospitals_own_for_itself(link, person, holds, expected):
    route = code_route(link, person, holds_phone=holds, now=NOW)
    assert (route and (route.phone, route.scope)) == expected


def test_for_a_child_only_a_proven_guardians_phone_answers_and_only_for_a_confirmed_identity():
    child, guardian = replace(FRESH, birth_date="20200101"), Person("G", phone="13700137000")
    route = code_route(LOCAL, child, holds_phone=True, now=NOW, guardian=guardian)
    assert (route.phone, route.scope, route.guardian_id) == ("13700137000", "person", "G")
    unsure = replace(LOCAL, status="unconfirmed")
    assert code_route(unsure, child, holds_phone=True, now=NOW, guardian=guardian) is None
    assert code_route(LOCAL, replace(child, frozen_at=NOW), holds_phone=True, now=NOW, guardian=guardian) is None


# Limits


def test_a_years_guessing_at_the_limits_stays_below_one_percent():
    """Each guess is one in a million; the busiest attacker uses every try of every day of a year."""
    for limit in (WRONG_PER_PERSON, WRONG_PER_DOCTOR):
        assert 1 - (1 - 1e-6) ** (limit.count * 366) < 0.01


def test_a_code_dies_by_time_and_attempts():
    code = Code("R", b"", reachable=True, expires_at=NOW)
    assert code.is_live(NOW - SECOND)
    assert not code.is_live(NOW)
    assert not replace(code, attempts=5).is_live(NOW - SECOND)


def test_attempts_on_a_code_have_no_counter_of_their_own():
    with pytest.raises(ValueError, match="counted in the code"):
        counter(WRONG_PER_CODE, "P", NOW)
