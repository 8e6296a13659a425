"""One behavioural suite per port, against the fake and the real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.consent import Doctor, Encounter
from chalicelib.domain.identity import IdentityKey, Link, PatientDetails, Person
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.retention import Visit
from chalicelib.domain.span import Span
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import ulid
from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter
from tests.support.clinic import NOW, clinic_on, summary

KEY = IdentityKey("H1", "患者 #1/a")
LINK = Link(KEY, "P", "unconfirmed", NOW, names=("张三", "李四"), sex="M", birth_date="19800102", phone="13800138000")
PERSON = Person("P", "张三", "M", "19800102", "13800138000", NOW)


# People


def test_a_link_reads_back_as_written_under_identity_and_person(clinic):
    full = replace(
        LINK, status="confirmed", confirmed_by="desk", confirmed_at=NOW, by_national_id=True, contested_because="x"
    )
    assert clinic.people.save(LinkChange(full))
    assert clinic.people.link(KEY) == full
    assert clinic.people.links("P") == (full,)
    assert clinic.people.link(IdentityKey("H1", "other")) is None
    assert clinic.people.links("Q") == ()


def test_of_two_writers_who_read_the_same_link_the_second_loses(clinic):
    assert clinic.people.save(LinkChange(LINK))
    read = clinic.people.link(KEY)
    assert not clinic.people.save(LinkChange(LINK))
    assert clinic.people.save(LinkChange(replace(read, status="confirmed"), read))
    assert not clinic.people.save(LinkChange(replace(read, status="contested"), read))
    assert clinic.people.link(KEY).status == "confirmed"


def test_a_relink_leaves_no_copy_behind(clinic):
    assert clinic.people.save(LinkChange(LINK))
    read = clinic.people.link(KEY)
    assert clinic.people.save(LinkChange(replace(read, person_id="Q"), read))
    assert clinic.people.links("P") == ()
    assert clinic.people.links("Q") == (clinic.people.link(KEY),)


def test_whom_a_link_leaves_keeps_that_it_was_and_until_when_and_no_number(clinic):
    assert clinic.people.save(LinkChange(LINK))
    read = clinic.people.link(KEY)
    assert clinic.people.save(LinkChange(replace(read, status="contested"), read))
    assert clinic.people.former_links("P") == ()
    for number, (owner, hours) in enumerate((("Q", 1), ("P", 2), ("Q", 3))):
        read = clinic.people.link(KEY)
        at = NOW + timedelta(hours=hours)
        assert clinic.people.save(LinkChange(replace(read, person_id=owner, linked_at=at), read)), number
    spans = [(one.issuer, one.linked_at, one.until) for one in clinic.people.former_links("P")]
    hour = timedelta(hours=1)
    assert spans == [("H1", NOW, NOW + hour), ("H1", NOW + 2 * hour, NOW + 3 * hour)]
    assert len(clinic.people.former_links("Q")) == 1


def test_link_profile_and_phone_stand_or_fall_together(clinic):
    assert clinic.people.save(LinkChange(LINK, None, PERSON, "aa"))
    assert clinic.people.person("P") == PERSON
    assert clinic.people.phone_holder("aa") == "P"
    read = clinic.people.link(KEY)
    stale = replace(PERSON, name="stale", revision=7)
    assert not clinic.people.save(LinkChange(replace(read, status="confirmed"), read, stale, "bb"))
    assert (clinic.people.link(KEY), clinic.people.person("P")) == (read, PERSON)
    assert clinic.people.phone_holder("bb") == ""
    assert clinic.people.person("Q") is None


def test_a_person_reads_back_frozen_and_with_epoch(clinic):
    frozen = replace(PERSON, frozen_at=NOW, session_epoch=3, phone="", phone_verified_at=None)
    assert clinic.people.save(LinkChange(LINK, None, frozen))
    assert clinic.people.person("P") == frozen


# Doctors and encounters


def test_a_doctor_is_written_under_the_revision_read(clinic):
    account = Doctor("li/1", "H1", "110", "李", "active", 2)
    assert clinic.doctors.put(account)
    assert clinic.doctors.get("li/1") == account
    assert not clinic.doctors.put(account)
    read = clinic.doctors.get("li/1")
    assert clinic.doctors.put(replace(read, status="left"))
    assert clinic.doctors.get("li/1").status == "left"
    assert clinic.doctors.get("nobody") is None


def test_every_visit_is_remembered_by_its_last_event_of_each_kind_in_any_order(clinic):
    at = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    opened = Encounter("H1", "急诊#1", KEY, "emergency", is_open=True, at=at)
    left = replace(opened, patient_class="inpatient", is_open=False, at=at + timedelta(days=3))
    told = [left, opened, replace(left, at=at + timedelta(days=2)), left, replace(opened, encounter_id="急诊#2")]
    for event in told:
        clinic.encounters.remember(event)
    assert clinic.encounters.visits_of(KEY) == {
        Visit("H1", "急诊#1", "emergency", "open", at),
        Visit("H1", "急诊#1", "inpatient", "closed", at + timedelta(days=3)),
        Visit("H1", "急诊#2", "emergency", "open", at),
    }
    assert clinic.encounters.visits_of(replace(KEY, local_id=f"{KEY.local_id}0")) == frozenset()


def test_a_visit_is_remembered_when_it_is_told_but_not_of_a_number_that_stands_for_nobody(clinic):
    at = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    record = RecordEncounter(clinic.encounters)
    for patient_id in (KEY.local_id, "0"):
        told = EncounterNotice(KEY.issuer, "E1", "closed", PatientDetails(patient_id, "李"), "inpatient", at)
        record(told)
    assert clinic.encounters.visits_of(KEY) == {Visit(KEY.issuer, "E1", "inpatient", "closed", at)}
    assert clinic.encounters.visits_of(IdentityKey(KEY.issuer, "0")) == frozenset()


def test_an_encounter_keeps_its_latest_event_in_any_zone(clinic):
    beijing = datetime(2026, 11, 24, 10, 0, tzinfo=timezone(timedelta(hours=8)))
    visit = Encounter("H1", "门诊 1", KEY, "outpatient", is_open=True, at=beijing, doctor_id="li")
    assert clinic.encounters.put(visit)
    assert clinic.encounters.get("H1", "门诊 1") == visit
    assert not clinic.encounters.put(replace(visit, at=datetime(2026, 11, 24, 1, 59, 59, tzinfo=UTC)))
    assert clinic.encounters.put(replace(visit, is_open=False))
    assert not clinic.encounters.put(visit)
    assert clinic.encounters.get("H2", "门诊 1") is None


# Facts of a decision


def test_study_and_account_come_together_or_as_none(clinic):
    ref = StudyRef("H1", "1.2")
    assert clinic.facts.study_and_doctor(ref, "li") == (None, None)
    assert clinic.facts.study_and_person(ref, "P") == (None, None)
    account = Doctor("li", "H1", "110", "李")
    clinic.doctors.put(account)
    clinic.people.save(LinkChange(LINK, None, PERSON))
    clinic.studies.flip(summary(ref), 0)
    assert clinic.facts.study_and_doctor(ref, "li") == (summary(ref), account)
    assert clinic.facts.study_and_person(ref, "P") == (summary(ref), PERSON)


def test_summaries_come_for_all_that_exist_however_many(clinic):
    refs = [StudyRef("H1", f"1.{number}") for number in range(130)]
    for ref in refs[:120]:
        clinic.studies.flip(summary(ref), 0)
    assert {found.ref for found in clinic.facts.summaries(refs + refs[:5])} == set(refs[:120])
    assert clinic.facts.summaries([]) == ()


# Audit


def event(number=0, at=NOW, **changes):
    values = {"role": "doctor", "subject": "li", "hospital_id": "H1", "allowed": True, "reason": "sms_code"}
    return AuditEvent(ulid(at, bytes([number] * 10)), at, "view_study", **{**values, **changes})


def test_events_read_back_newest_first_over_pages(clinic):
    events = [
        event(number, NOW + timedelta(minutes=25 * number), person_id="P", study=StudyRef("H1", "1.2"), allowed=False)
        for number in range(5)
    ]
    for each in (*events, event(9, person_id="Q"), event(8)):
        clinic.audit.put(each)
    seen, token = [], ""
    while True:
        page = clinic.audit.of_person("P", token, 2)
        seen += page.items
        token = page.next_token
        if not token:
            break
    assert seen == events[::-1]


def test_a_span_holds_its_first_millisecond_and_not_its_end_and_pages_within_itself(clinic):
    hours = [NOW + timedelta(hours=number) for number in range(5)]
    events = [event(number, at, person_id="P") for number, at in enumerate(hours)]
    for each in events:
        clinic.audit.put(each)
    span = Span(hours[1], hours[4])
    first = clinic.audit.of_person("P", "", 2, span=span)
    second = clinic.audit.of_person("P", first.next_token, 2, span=span)
    assert [*first.items, *second.items] == events[3:0:-1]
    assert clinic.audit.of_person("P", "", 9, span=Span(hours[2], hours[2])).items == ()
    assert clinic.audit.of_person("P", "", 9, span=Span(since=hours[4])).items == (events[4],)


def test_a_token_of_another_span_is_refused_by_the_real_audit(cloud):
    audit = clinic_on(cloud).audit
    for number in range(3):
        audit.put(event(number, NOW + timedelta(hours=number), person_id="P"))
    page = audit.of_person("P", "", 1)
    with pytest.raises(ValueError, match="token"):
        audit.of_person("P", page.next_token, 1, span=Span(before=NOW))


def test_the_same_event_twice_is_one_and_another_under_its_id_is_refused(clinic):
    clinic.audit.put(event(person_id="P"))
    clinic.audit.put(event(person_id="P"))
    assert len(clinic.audit.of_person("P", "", 10).items) == 1
    with pytest.raises(Exception, match=r"AuditConflict|another event|^$"):
        clinic.audit.put(event(person_id="P", allowed=False))
    assert clinic.audit.of_person("P", "", 10).items[0].allowed


def test_foreign_tokens_of_the_real_audit_are_refused(cloud):
    audit = clinic_on(cloud).audit
    for token in ("?", "bnVsbA", "WzEsMl0"):
        with pytest.raises(ValueError, match="token"):
            audit.of_person("P", token, 2)


# Mac


def test_the_keyed_hash_is_32_bytes_steady_and_apart_by_use(clinic):
    one = clinic.mac("national_id", "x")
    assert len(one) == 32
    assert clinic.mac("national_id", "x") == one
    assert len({one, clinic.mac("code", "x"), clinic.mac("national_id", "y")}) == 3
