"""What a permission hangs on: one behavioural suite per port, against the fake and the real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.code import SENDS, WRONG_PER_DOCTOR, Code, counter
from chalicelib.domain.consent import Consent
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.in_app import InAppNotice
from chalicelib.domain.qr import ShownQr
from chalicelib.domain.request import Answer, Request
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import ulid
from tests.support.clinic import NOW

KEY = IdentityKey("H1", "患者 #1/a")
LINK = Link(KEY, "P", "unconfirmed", NOW, names=("张三", "李四"), sex="M", birth_date="19800102", phone="13800138000")
PERSON = Person("P", "张三", "M", "19800102", "13800138000", NOW)


# Requests, codes, consents


def asked(request_id="R1", owner="P"):
    request = Request(
        request_id, owner, "li", "H1", "E1", KEY, "person", "treatment", NOW, NOW + timedelta(hours=24), listed=True
    )
    return request, Code(request_id, bytes(range(32)), reachable=True, expires_at=NOW + timedelta(minutes=5))


def test_a_request_and_its_code_read_back(clinic):
    request, code = asked()
    clinic.consents.ask(request, code)
    assert clinic.consents.asked("P", "R1") == (request, code)
    assert clinic.consents.asked("Q", "R1") is None
    assert clinic.consents.asked("P", "R2") is None


def test_attempts_count_down_and_stop_at_five(clinic):
    clinic.consents.ask(*asked())
    assert [clinic.consents.attempt("P", "R1", NOW) for _ in range(7)] == [4, 3, 2, 1, 0, None, None]
    assert clinic.consents.attempt("P", "R9", NOW) is None
    assert clinic.consents.asked("P", "R1")[1].attempts == 5


def test_no_attempt_counts_on_a_dead_code(clinic):
    request, code = asked()
    clinic.consents.ask(request, code)
    assert clinic.consents.attempt("P", "R1", code.expires_at) is None
    assert clinic.consents.attempt("P", "R1", code.expires_at - timedelta(seconds=1)) == 4


APPROVED = Answer("approved", "health_app", NOW, "P", "R1")


def test_a_request_is_answered_once_and_its_consent_stands_or_falls_with_it(clinic):
    request, code = asked()
    clinic.consents.ask(request, code)
    denied = Answer("denied", "health_app", NOW, "P")
    assert clinic.consents.answer(request, denied, None, NOW)
    assert not clinic.consents.answer(request, APPROVED, consent(), NOW)
    assert clinic.consents.of_person("P") == ()
    assert clinic.consents.asked("P", "R1")[0] == replace(request, answer=denied)
    other, code = asked("R2")
    clinic.consents.ask(other, code)
    assert clinic.consents.answer(other, APPROVED, consent(), NOW)
    assert not clinic.consents.answer(other, denied, None, NOW)
    assert clinic.consents.of_person("P") == (consent(),)


def test_no_answer_counts_on_an_expired_or_unknown_request(clinic):
    request, code = asked()
    assert not clinic.consents.answer(request, APPROVED, consent(), NOW)
    clinic.consents.ask(request, code)
    assert not clinic.consents.answer(request, APPROVED, consent(), request.expires_at)
    assert clinic.consents.of_person("P") == ()
    assert clinic.consents.answer(request, APPROVED, consent(), request.expires_at - timedelta(seconds=1))


def test_requests_of_a_person_come_newest_first(clinic):
    for request_id, owner in (("R1", "P"), ("R3", "P"), ("R2", "P"), ("R4", "Q")):
        clinic.consents.ask(*asked(request_id, owner))
    assert [one.request_id for one in clinic.consents.requests("P")] == ["R3", "R2", "R1"]


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


def test_a_guardianship_is_found_by_both_and_only_by_the_guardians_own_reference(clinic):
    other = replace(HELD, ward_id="Q", ward="W2", objected_at=NOW, ended_at=NOW, ward_name="小", guardian_name="母")
    assert clinic.guardians.put(HELD)
    assert clinic.guardians.put(other)
    assert clinic.guardians.get("P", "G") == HELD
    assert clinic.guardians.get("G", "P") is None
    assert clinic.guardians.of_ward("Q") == (other,)
    assert set(clinic.guardians.of_guardian("G")) == {HELD, other}
    assert clinic.guardians.by_reference("G", "W2") == other
    assert clinic.guardians.by_reference("P", "W2") is None
    assert clinic.guardians.by_reference("G", "W3") is None


def test_a_guardianship_is_written_under_the_revision_read(clinic):
    assert clinic.guardians.put(HELD)
    assert not clinic.guardians.put(HELD)
    read = clinic.guardians.get("P", "G")
    assert clinic.guardians.put(replace(read, ended_at=NOW))
    assert not clinic.guardians.put(replace(read, objected_at=NOW))
    assert clinic.guardians.get("P", "G").ended_at == NOW


def test_nothing_is_given_under_a_guardianship_that_changed_since_it_was_read(clinic):
    clinic.guardians.put(HELD)
    read = clinic.guardians.get("P", "G")
    clinic.consents.ask(*asked())
    assert clinic.consents.put(consent(), read)
    clinic.guardians.put(replace(read, objected_at=NOW))
    assert not clinic.consents.put(consent(seed=1), read)
    assert not clinic.consents.answer(asked()[0], APPROVED, consent(seed=2), NOW, read)
    assert clinic.consents.of_person("P") == (consent(),)
    assert clinic.consents.asked("P", "R1")[0].answer is None


def test_a_person_is_told_newest_first_over_pages(clinic):
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
        clinic.notices.tell(notice)
    seen, token = [], ""
    while True:
        page = clinic.notices.of_person("P", token, 2)
        seen += page.items
        token = page.next_token
        if not token:
            break
    assert seen == told[::-1]


def test_a_qr_is_spent_once_and_within_its_minute(clinic):
    qr = ShownQr("ab", "P", NOW + timedelta(seconds=60), "G")
    clinic.qrs.show(qr)
    clinic.qrs.show(replace(qr, key="cd", given_by=""))
    assert clinic.qrs.spend("ef", NOW) is None
    assert clinic.qrs.spend("ab", qr.expires_at) is None
    assert clinic.qrs.spend("ab", qr.expires_at - timedelta(seconds=1)) == qr
    assert clinic.qrs.spend("ab", NOW) is None
    assert clinic.qrs.spend("cd", NOW) == replace(qr, key="cd", given_by="")


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


def test_consents_are_found_by_doctor_since_a_time_and_by_person(clinic):
    old, new = consent(NOW - timedelta(days=91)), consent(NOW)
    other, similar, elsewhere = consent(doctor_id="wang"), consent(doctor_id="li#2"), consent(person_id="Q")
    for one in (old, new, other, similar, elsewhere):
        clinic.consents.put(one)
    assert clinic.consents.of_doctor("P", "li", NOW - timedelta(days=90)) == (new,)
    assert set(clinic.consents.of_doctor("P", "li", NOW - timedelta(days=92))) == {old, new}
    assert clinic.consents.of_person("P")[-1] == old
    assert set(clinic.consents.of_person("P")) == {old, new, other, similar}


def test_a_doctor_finds_whose_consents_may_still_be_live(clinic):
    clinic.consents.put(consent(seed=1, person_id="Q"))
    clinic.consents.put(consent(seed=2, person_id="P"))
    clinic.consents.put(consent(seed=3, person_id="P"))
    clinic.consents.put(consent(seed=4, person_id="R", doctor_id="wang"))
    clinic.consents.put(consent(NOW - timedelta(days=40), seed=5, person_id="S"))
    assert sorted(clinic.consents.persons_of("li", NOW)) == ["P", "Q"]
    assert clinic.consents.persons_of("nobody", NOW) == ()
    request, code = asked()
    clinic.consents.ask(request, code)
    given = consent(seed=6, person_id="T")
    answer = Answer("approved", "sms_code", NOW, "P", given.consent_id)
    assert clinic.consents.answer(request, answer, given, NOW)
    assert sorted(clinic.consents.persons_of("li", NOW)) == ["P", "Q", "T"]


def test_a_consent_over_thousands_of_studies_fits(clinic):
    many = consent(count=5000)
    clinic.consents.put(many)
    assert clinic.consents.of_person("P") == (many,)


def test_a_revocation_keeps_its_first_time_and_needs_a_consent(clinic):
    one = consent()
    clinic.consents.put(one)
    assert clinic.consents.revoke(one, NOW) == replace(one, revoked_at=NOW)
    assert clinic.consents.revoke(one, NOW + timedelta(hours=1)) == replace(one, revoked_at=NOW)
    with pytest.raises(LookupError):
        clinic.consents.revoke(consent(seed=9), NOW)


# Counters


def test_a_counter_stops_at_its_limit_and_takes_back(clinic):
    sends = counter(SENDS, "P", NOW, about="li/1#x")
    assert [clinic.counters.take(sends) for _ in range(4)] == [2, 1, 0, None]
    clinic.counters.give_back(sends)
    assert clinic.counters.take(sends) == 0
    assert clinic.counters.take(sends) is None


def test_counters_of_other_holders_kinds_and_windows_are_others(clinic):
    sends = counter(SENDS, "P", NOW, about="li")
    for _ in range(3):
        clinic.counters.take(sends)
    others = [
        counter(SENDS, "Q", NOW, about="li"),
        counter(SENDS, "P", NOW, about="wang"),
        counter(SENDS, "P", NOW + timedelta(hours=1), about="li"),
        counter(WRONG_PER_DOCTOR, "P", NOW),
    ]
    assert None not in [clinic.counters.take(other) for other in others]


def test_giving_back_what_was_never_taken_gives_nothing(clinic):
    sends = counter(SENDS, "P", NOW)
    clinic.counters.give_back(sends)
    assert [clinic.counters.take(sends) for _ in range(4)] == [2, 1, 0, None]
