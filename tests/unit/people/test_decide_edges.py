"""`domain.consent.decide` to the second, and each fact that denies, by its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.consent import (
    CONSENT_LIVES,
    REMEMBERED,
    SELF_LIFE,
    Denied,
    Doctor,
    covers,
    decide,
)
from chalicelib.domain.identity import Person
from chalicelib.domain.study import StudyRef
from tests.support.any_facts import (
    ALLOWED,
    CONSENT,
    GUARDED,
    GUARDIAN,
    HELD,
    IDENTITIES,
    LI,
    LINK,
    SECOND,
    STUDIES,
)
from tests.support.clinic import NOW, summary


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
