"""One behavioural suite per port, against the fake and the real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.code import SENDS, WRONG_PER_DOCTOR, Code, counter
from chalicelib.domain.consent import Consent, Doctor, Encounter, Request
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import ulid
from tests.support.clinic import NOW, clinic_in_memory, clinic_on, summary

KEY = IdentityKey("H1", "患者 #1/a")
LINK = Link(KEY, "P", "unconfirmed", NOW, names=("张三", "李四"), sex="M", birth_date="19800102", phone="13800138000")
PERSON = Person("P", "张三", "M", "19800102", "13800138000", NOW)


@pytest.fixture(params=["fake", "moto"])
def ports(request):
    return clinic_in_memory() if request.param == "fake" else clinic_on(request.getfixturevalue("cloud"))


# People


def test_a_link_reads_back_as_written_under_identity_and_person(ports):
    full = replace(
        LINK, status="confirmed", confirmed_by="desk", confirmed_at=NOW, by_national_id=True, contested_because="x"
    )
    assert ports.people.save(LinkChange(full))
    assert ports.people.link(KEY) == full
    assert ports.people.links("P") == (full,)
    assert ports.people.link(IdentityKey("H1", "other")) is None
    assert ports.people.links("Q") == ()


def test_of_two_writers_who_read_the_same_link_the_second_loses(ports):
    assert ports.people.save(LinkChange(LINK))
    read = ports.people.link(KEY)
    assert not ports.people.save(LinkChange(LINK))
    assert ports.people.save(LinkChange(replace(read, status="confirmed"), read))
    assert not ports.people.save(LinkChange(replace(read, status="contested"), read))
    assert ports.people.link(KEY).status == "confirmed"


def test_a_relink_leaves_no_copy_behind(ports):
    assert ports.people.save(LinkChange(LINK))
    read = ports.people.link(KEY)
    assert ports.people.save(LinkChange(replace(read, person_id="Q"), read))
    assert ports.people.links("P") == ()
    assert ports.people.links("Q") == (ports.people.link(KEY),)


def test_link_profile_and_phone_stand_or_fall_together(ports):
    assert ports.people.save(LinkChange(LINK, None, PERSON, "aa"))
    assert ports.people.person("P") == PERSON
    assert ports.people.phone_holder("aa") == "P"
    read = ports.people.link(KEY)
    stale = replace(PERSON, name="stale", revision=7)
    assert not ports.people.save(LinkChange(replace(read, status="confirmed"), read, stale, "bb"))
    assert (ports.people.link(KEY), ports.people.person("P")) == (read, PERSON)
    assert ports.people.phone_holder("bb") == ""
    assert ports.people.person("Q") is None


def test_a_person_reads_back_frozen_and_with_epoch(ports):
    frozen = replace(PERSON, frozen_at=NOW, session_epoch=3, phone="", phone_verified_at=None)
    assert ports.people.save(LinkChange(LINK, None, frozen))
    assert ports.people.person("P") == frozen


# Doctors and encounters


def test_a_doctor_is_written_under_the_revision_read(ports):
    account = Doctor("li/1", "H1", "110", "李", "active", 2)
    assert ports.doctors.put(account)
    assert ports.doctors.get("li/1") == account
    assert not ports.doctors.put(account)
    read = ports.doctors.get("li/1")
    assert ports.doctors.put(replace(read, status="left"))
    assert ports.doctors.get("li/1").status == "left"
    assert ports.doctors.get("nobody") is None


def test_an_encounter_keeps_its_latest_event_in_any_zone(ports):
    beijing = datetime(2026, 11, 24, 10, 0, tzinfo=timezone(timedelta(hours=8)))
    visit = Encounter("H1", "门诊 1", KEY, "outpatient", is_open=True, at=beijing, doctor_id="li")
    assert ports.encounters.put(visit)
    assert ports.encounters.get("H1", "门诊 1") == visit
    assert not ports.encounters.put(replace(visit, at=datetime(2026, 11, 24, 1, 59, 59, tzinfo=UTC)))
    assert ports.encounters.put(replace(visit, is_open=False))
    assert not ports.encounters.put(visit)
    assert ports.encounters.get("H2", "门诊 1") is None


# Requests, codes, consents


def asked(request_id="R1", owner="P"):
    request = Request(
        request_id, owner, "li", "H1", "E1", KEY, "sms_code", "person", "treatment", NOW, NOW + timedelta(minutes=5)
    )
    return request, Code(request_id, bytes(range(32)), reachable=True, expires_at=request.expires_at)


def test_a_request_and_its_code_read_back(ports):
    request, code = asked()
    ports.consents.ask(request, code)
    assert ports.consents.asked("P", "R1") == (request, code)
    assert ports.consents.asked("Q", "R1") is None
    assert ports.consents.asked("P", "R2") is None


def test_attempts_count_down_and_stop_at_five(ports):
    ports.consents.ask(*asked())
    assert [ports.consents.attempt("P", "R1", NOW) for _ in range(7)] == [4, 3, 2, 1, 0, None, None]
    assert ports.consents.attempt("P", "R9", NOW) is None
    assert ports.consents.asked("P", "R1")[1].attempts == 5


def test_no_attempt_counts_on_a_dead_or_used_code(ports):
    request, code = asked()
    ports.consents.ask(request, code)
    assert ports.consents.attempt("P", "R1", request.expires_at) is None
    assert ports.consents.use("P", "R1", NOW)
    assert not ports.consents.use("P", "R1", NOW)
    assert not ports.consents.use("P", "R9", NOW)
    assert ports.consents.attempt("P", "R1", NOW) is None


def consent(at=NOW, doctor_id="li", person_id="P", seed=0, count=2):
    return Consent(
        consent_id=ulid(at, bytes([seed] * 10)),
        person_id=person_id,
        doctor_id=doctor_id,
        hospital_id="H1",
        encounter_id="E1",
        basis="sms_code",
        scope="identity",
        identity=KEY,
        purpose="emergency",
        notice_version="v",
        studies=frozenset(StudyRef("H1", f"1.2.840.{number}.7") for number in range(count)),
        granted_at=at,
        expires_at=at + timedelta(hours=24),
    )


def test_consents_are_found_by_doctor_since_a_time_and_by_person(ports):
    old, new = consent(NOW - timedelta(days=91)), consent(NOW)
    other, similar, elsewhere = consent(doctor_id="wang"), consent(doctor_id="li#2"), consent(person_id="Q")
    for one in (old, new, other, similar, elsewhere):
        ports.consents.put(one)
    assert ports.consents.of_doctor("P", "li", NOW - timedelta(days=90)) == (new,)
    assert set(ports.consents.of_doctor("P", "li", NOW - timedelta(days=92))) == {old, new}
    assert ports.consents.of_person("P")[-1] == old
    assert set(ports.consents.of_person("P")) == {old, new, other, similar}


def test_a_consent_over_thousands_of_studies_fits(ports):
    many = consent(count=5000)
    ports.consents.put(many)
    assert ports.consents.of_person("P") == (many,)


def test_a_revocation_keeps_its_first_time_and_needs_a_consent(ports):
    one = consent()
    ports.consents.put(one)
    assert ports.consents.revoke(one, NOW) == replace(one, revoked_at=NOW)
    assert ports.consents.revoke(one, NOW + timedelta(hours=1)) == replace(one, revoked_at=NOW)
    with pytest.raises(LookupError):
        ports.consents.revoke(consent(seed=9), NOW)


# Counters


def test_a_counter_stops_at_its_limit_and_takes_back(ports):
    sends = counter(SENDS, "P", NOW, about="li/1#x")
    assert [ports.counters.take(sends) for _ in range(4)] == [2, 1, 0, None]
    ports.counters.give_back(sends)
    assert ports.counters.take(sends) == 0
    assert ports.counters.take(sends) is None


def test_counters_of_other_holders_kinds_and_windows_are_others(ports):
    sends = counter(SENDS, "P", NOW, about="li")
    for _ in range(3):
        ports.counters.take(sends)
    others = [
        counter(SENDS, "Q", NOW, about="li"),
        counter(SENDS, "P", NOW, about="wang"),
        counter(SENDS, "P", NOW + timedelta(hours=1), about="li"),
        counter(WRONG_PER_DOCTOR, "P", NOW),
    ]
    assert None not in [ports.counters.take(other) for other in others]


def test_giving_back_what_was_never_taken_gives_nothing(ports):
    sends = counter(SENDS, "P", NOW)
    ports.counters.give_back(sends)
    assert [ports.counters.take(sends) for _ in range(4)] == [2, 1, 0, None]


# Facts of a decision


def test_study_and_account_come_together_or_as_none(ports):
    ref = StudyRef("H1", "1.2")
    assert ports.facts.study_and_doctor(ref, "li") == (None, None)
    assert ports.facts.study_and_person(ref, "P") == (None, None)
    account = Doctor("li", "H1", "110", "李")
    ports.doctors.put(account)
    ports.people.save(LinkChange(LINK, None, PERSON))
    ports.studies.flip(summary(ref), 0)
    assert ports.facts.study_and_doctor(ref, "li") == (summary(ref), account)
    assert ports.facts.study_and_person(ref, "P") == (summary(ref), PERSON)


def test_summaries_come_for_all_that_exist_however_many(ports):
    refs = [StudyRef("H1", f"1.{number}") for number in range(130)]
    for ref in refs[:120]:
        ports.studies.flip(summary(ref), 0)
    assert {found.ref for found in ports.facts.summaries(refs + refs[:5])} == set(refs[:120])
    assert ports.facts.summaries([]) == ()


# Audit


def event(number=0, at=NOW, **changes):
    values = {"role": "doctor", "subject": "li", "hospital_id": "H1", "allowed": True, "reason": "sms_code"}
    return AuditEvent(ulid(at, bytes([number] * 10)), at, "view_study", **{**values, **changes})


def test_events_read_back_newest_first_over_pages(ports):
    events = [
        event(number, NOW + timedelta(minutes=25 * number), person_id="P", study=StudyRef("H1", "1.2"), allowed=False)
        for number in range(5)
    ]
    for each in (*events, event(9, person_id="Q"), event(8)):
        ports.audit.put(each)
    seen, token = [], ""
    while True:
        page = ports.audit.of_person("P", token, 2)
        seen += page.items
        token = page.next_token
        if not token:
            break
    assert seen == events[::-1]


def test_the_same_event_twice_is_one_and_another_under_its_id_is_refused(ports):
    ports.audit.put(event(person_id="P"))
    ports.audit.put(event(person_id="P"))
    assert len(ports.audit.of_person("P", "", 10).items) == 1
    with pytest.raises(Exception, match=r"AuditConflict|another event|^$"):
        ports.audit.put(event(person_id="P", allowed=False))
    assert ports.audit.of_person("P", "", 10).items[0].allowed


def test_foreign_tokens_of_the_real_audit_are_refused(cloud):
    audit = clinic_on(cloud).audit
    for token in ("?", "bnVsbA", "WzEsMl0"):
        with pytest.raises(ValueError, match="token"):
            audit.of_person("P", token, 2)


# Mac


def test_the_keyed_hash_is_32_bytes_steady_and_apart_by_use(ports):
    one = ports.mac("national_id", "x")
    assert len(one) == 32
    assert ports.mac("national_id", "x") == one
    assert len({one, ports.mac("code", "x"), ports.mac("national_id", "y")}) == 3
