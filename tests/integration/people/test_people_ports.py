"""One behavioural suite per port, against the fake and the real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.code import SENDS, WRONG_PER_DOCTOR, Code, counter
from chalicelib.domain.consent import Consent, Doctor, Encounter
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.identity import IdentityKey, Link, PatientDetails, Person
from chalicelib.domain.in_app import InAppNotice
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.qr import ShownQr
from chalicelib.domain.request import Answer, Request
from chalicelib.domain.retention import Visit
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import ulid
from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter
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


def test_whom_a_link_leaves_keeps_that_it_was_and_until_when_and_no_number(ports):
    assert ports.people.save(LinkChange(LINK))
    read = ports.people.link(KEY)
    assert ports.people.save(LinkChange(replace(read, status="contested"), read))
    assert ports.people.former_links("P") == ()
    for number, (owner, hours) in enumerate((("Q", 1), ("P", 2), ("Q", 3))):
        read = ports.people.link(KEY)
        at = NOW + timedelta(hours=hours)
        assert ports.people.save(LinkChange(replace(read, person_id=owner, linked_at=at), read)), number
    spans = [(one.issuer, one.linked_at, one.until) for one in ports.people.former_links("P")]
    hour = timedelta(hours=1)
    assert spans == [("H1", NOW, NOW + hour), ("H1", NOW + 2 * hour, NOW + 3 * hour)]
    assert len(ports.people.former_links("Q")) == 1


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


def test_every_visit_is_remembered_by_its_last_event_of_each_kind_in_any_order(ports):
    at = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    opened = Encounter("H1", "急诊#1", KEY, "emergency", is_open=True, at=at)
    left = replace(opened, patient_class="inpatient", is_open=False, at=at + timedelta(days=3))
    told = [left, opened, replace(left, at=at + timedelta(days=2)), left, replace(opened, encounter_id="急诊#2")]
    for event in told:
        ports.encounters.remember(event)
    assert ports.encounters.visits_of(KEY) == {
        Visit("H1", "急诊#1", "emergency", "open", at),
        Visit("H1", "急诊#1", "inpatient", "closed", at + timedelta(days=3)),
        Visit("H1", "急诊#2", "emergency", "open", at),
    }
    assert ports.encounters.visits_of(replace(KEY, local_id=f"{KEY.local_id}0")) == frozenset()


def test_a_visit_is_remembered_when_it_is_told_but_not_of_a_number_that_stands_for_nobody(ports):
    at = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    record = RecordEncounter(ports.encounters)
    for patient_id in (KEY.local_id, "0"):
        told = EncounterNotice(KEY.issuer, "E1", "closed", PatientDetails(patient_id, "李"), "inpatient", at)
        record(told)
    assert ports.encounters.visits_of(KEY) == {Visit(KEY.issuer, "E1", "inpatient", "closed", at)}
    assert ports.encounters.visits_of(IdentityKey(KEY.issuer, "0")) == frozenset()


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
        request_id, owner, "li", "H1", "E1", KEY, "person", "treatment", NOW, NOW + timedelta(hours=24), listed=True
    )
    return request, Code(request_id, bytes(range(32)), reachable=True, expires_at=NOW + timedelta(minutes=5))


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


def test_no_attempt_counts_on_a_dead_code(ports):
    request, code = asked()
    ports.consents.ask(request, code)
    assert ports.consents.attempt("P", "R1", code.expires_at) is None
    assert ports.consents.attempt("P", "R1", code.expires_at - timedelta(seconds=1)) == 4


APPROVED = Answer("approved", "health_app", NOW, "P", "R1")


def test_a_request_is_answered_once_and_its_consent_stands_or_falls_with_it(ports):
    request, code = asked()
    ports.consents.ask(request, code)
    denied = Answer("denied", "health_app", NOW, "P")
    assert ports.consents.answer(request, denied, None, NOW)
    assert not ports.consents.answer(request, APPROVED, consent(), NOW)
    assert ports.consents.of_person("P") == ()
    assert ports.consents.asked("P", "R1")[0] == replace(request, answer=denied)
    other, code = asked("R2")
    ports.consents.ask(other, code)
    assert ports.consents.answer(other, APPROVED, consent(), NOW)
    assert not ports.consents.answer(other, denied, None, NOW)
    assert ports.consents.of_person("P") == (consent(),)


def test_no_answer_counts_on_an_expired_or_unknown_request(ports):
    request, code = asked()
    assert not ports.consents.answer(request, APPROVED, consent(), NOW)
    ports.consents.ask(request, code)
    assert not ports.consents.answer(request, APPROVED, consent(), request.expires_at)
    assert ports.consents.of_person("P") == ()
    assert ports.consents.answer(request, APPROVED, consent(), request.expires_at - timedelta(seconds=1))


def test_requests_of_a_person_come_newest_first(ports):
    for request_id, owner in (("R1", "P"), ("R3", "P"), ("R2", "P"), ("R4", "Q")):
        ports.consents.ask(*asked(request_id, owner))
    assert [one.request_id for one in ports.consents.requests("P")] == ["R3", "R2", "R1"]


# Guardians, what persons are told, QRs

HELD = Guardianship(
    ward_id="P",
    guardian_id="G",
    ward="W1",
    kind="minor",
    document="birth_certificate",
    ward_birth_date="20180601",
    hospital_id="H1",
    proven_by="clerk",
    proven_at=NOW,
    starts_at=NOW,
    ends_at=NOW + timedelta(days=1),
)


def test_a_guardianship_is_found_by_both_and_only_by_the_guardians_own_reference(ports):
    other = replace(HELD, ward_id="Q", ward="W2", objected_at=NOW, ended_at=NOW, ward_name="小", guardian_name="母")
    assert ports.guardians.put(HELD)
    assert ports.guardians.put(other)
    assert ports.guardians.get("P", "G") == HELD
    assert ports.guardians.get("G", "P") is None
    assert ports.guardians.of_ward("Q") == (other,)
    assert set(ports.guardians.of_guardian("G")) == {HELD, other}
    assert ports.guardians.by_reference("G", "W2") == other
    assert ports.guardians.by_reference("P", "W2") is None
    assert ports.guardians.by_reference("G", "W3") is None


def test_a_guardianship_is_written_under_the_revision_read(ports):
    assert ports.guardians.put(HELD)
    assert not ports.guardians.put(HELD)
    read = ports.guardians.get("P", "G")
    assert ports.guardians.put(replace(read, ended_at=NOW))
    assert not ports.guardians.put(replace(read, objected_at=NOW))
    assert ports.guardians.get("P", "G").ended_at == NOW


def test_nothing_is_given_under_a_guardianship_that_changed_since_it_was_read(ports):
    ports.guardians.put(HELD)
    read = ports.guardians.get("P", "G")
    ports.consents.ask(*asked())
    assert ports.consents.put(consent(), read)
    ports.guardians.put(replace(read, objected_at=NOW))
    assert not ports.consents.put(consent(seed=1), read)
    assert not ports.consents.answer(asked()[0], APPROVED, consent(seed=2), NOW, read)
    assert ports.consents.of_person("P") == (consent(),)
    assert ports.consents.asked("P", "R1")[0].answer is None


def test_a_person_is_told_newest_first_over_pages(ports):
    told = [
        InAppNotice(
            ulid(NOW + timedelta(minutes=number), bytes(10)),
            "P",
            NOW + timedelta(minutes=number),
            "guardian_read",
            "H1",
            "clerk",
            "G",
            "C",
            StudyRef("H1", "1.2"),
        )
        for number in range(5)
    ]
    for notice in (*told, replace(told[0], person_id="Q", study=None)):
        ports.notices.tell(notice)
    seen, token = [], ""
    while True:
        page = ports.notices.of_person("P", token, 2)
        seen += page.items
        token = page.next_token
        if not token:
            break
    assert seen == told[::-1]


def test_a_qr_is_spent_once_and_within_its_minute(ports):
    qr = ShownQr("ab", "P", NOW + timedelta(seconds=60), "G")
    ports.qrs.show(qr)
    ports.qrs.show(replace(qr, key="cd", given_by=""))
    assert ports.qrs.spend("ef", NOW) is None
    assert ports.qrs.spend("ab", qr.expires_at) is None
    assert ports.qrs.spend("ab", qr.expires_at - timedelta(seconds=1)) == qr
    assert ports.qrs.spend("ab", NOW) is None
    assert ports.qrs.spend("cd", NOW) == replace(qr, key="cd", given_by="")


# Consents


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
