"""Answers, scans and guardianships that die at any call or meet in any order: one answer, and none off the record."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.access import AccessDenied, AuditFailed, Caller
from chalicelib.services.decide_request import Choice, RequestClosed
from chalicelib.services.prove_guardian import Card, Claim
from chalicelib.services.register_patient import Contended
from chalicelib.services.scan_qr import QrRefused
from chalicelib.services.verify_code import CodeLocked
from tests.support.clinic import CLERK, NOW, clinic_in_memory, national_id, zhang
from tests.support.interleave import Crash, Turns, crash_at

PORTS = ("people", "doctors", "encounters", "consents", "counters", "studies", "audit", "guardians", "notices", "qrs")
CRASHES = [(number, after) for number in range(16) for after in (False, True)]
APPROVE, DENY = Choice(approve=True), Choice(approve=False)
TEEN_ID, MOTHER_ID = national_id("20110601", "024"), national_id("19880101", "066")
TEEN = zhang("K1", name="张小", sex="", birth_date="", national_id=TEEN_ID, phone="13800138111")
CLAIM = Claim(Card(TEEN_ID, "张小"), Card(MOTHER_ID, "王母"), "minor", "birth_certificate")


def behind(clinic, gate):
    return replace(clinic, **{name: gate(getattr(clinic, name)) for name in PORTS})


def dies(call):
    try:
        call()
    except (Crash, AuditFailed):
        return True
    return False


def on_record(clinic, consents):
    """Whether an event stands for each consent."""
    events = {event.consent_id for event in clinic.audit.events.values() if event.allowed}
    return {consent.consent_id for consent in consents} <= events


@pytest.mark.parametrize("choice", [APPROVE, DENY], ids=["approve", "deny"])
@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_a_decision_that_dies_is_whole_or_nothing_and_may_be_repeated(number, after, choice):
    clinic = clinic_in_memory()
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    clinic.study()
    request_id = clinic.request(doctor, "E1", "treatment", NOW).request_id
    dies(lambda: behind(clinic, crash_at(number, after=after)).decide(patient, request_id, choice, NOW))
    outcome, consent = clinic.read_outcome(doctor, "E1", request_id, NOW)
    assert (outcome == "approved") == (consent is not None)
    assert on_record(clinic, clinic.read_consents(patient, NOW))
    with suppress(RequestClosed):
        clinic.decide(patient, request_id, choice, NOW)
    outcome, _ = clinic.read_outcome(doctor, "E1", request_id, NOW)
    assert outcome == ("approved" if choice.approve else "denied")
    assert len(clinic.read_consents(patient, NOW)) == choice.approve


@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_a_scan_that_dies_spends_the_qr_at_most_and_a_new_one_goes_through(number, after):
    clinic = clinic_in_memory()
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    clinic.study()
    text = clinic.show_qr(patient, NOW).text
    dies(lambda: behind(clinic, crash_at(number, after=after)).scan_qr(doctor, "E1", text, "treatment", NOW))
    with suppress(QrRefused):
        clinic.scan_qr(doctor, "E1", text, "treatment", NOW)
    given = clinic.read_consents(patient, NOW)
    assert len(given) <= 1
    assert on_record(clinic, given)
    assert clinic.scan_qr(doctor, "E1", clinic.show_qr(patient, NOW).text, "treatment", NOW)


def family(clinic):
    doctor, ward = clinic.doctor(), clinic.patient(patient=TEEN)
    details = zhang("M1", name="王母", sex="F", birth_date="", national_id=MOTHER_ID, phone="13700137000")
    guardian = Caller("guardian", "mother", person_id=clinic.patient(patient=details).person_id)
    held = clinic.prove_guardian(CLERK, CLAIM, NOW)
    clinic.visit(patient=TEEN)
    return doctor, ward, guardian, held, clinic.study(patient_id="K1")


@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_an_objection_that_dies_stops_the_guardian_once_repeated(number, after):
    clinic = clinic_in_memory()
    doctor, ward, guardian, held, ref = family(clinic)
    request_id = clinic.request(doctor, "E1", "treatment", NOW).request_id
    clinic.decide(guardian, request_id, APPROVE, NOW, held.ward)
    dies(lambda: behind(clinic, crash_at(number, after=after)).object_to_guardian(ward, held.ward, NOW))
    clinic.object_to_guardian(ward, held.ward, NOW)
    for caller, reason in ((doctor, "consent_revoked"), (guardian, "guardianship_ended")):
        with pytest.raises(AccessDenied, match=reason):
            clinic.authorize(caller, ref, NOW)


@pytest.mark.parametrize(("number", "after"), CRASHES)
def test_a_proof_that_dies_makes_no_guardian_off_the_record(number, after):
    clinic = clinic_in_memory()
    clinic.patient(patient=TEEN)
    dies(lambda: behind(clinic, crash_at(number, after=after)).prove_guardian(CLERK, CLAIM, NOW))
    proofs = [event for event in clinic.audit.events.values() if event.action == "prove_guardian" and event.allowed]
    assert len(clinic.guardians.held) <= len(proofs)
    assert clinic.prove_guardian(CLERK, CLAIM, NOW).is_live(NOW)


def worker(clinic, act, answers):
    def work(gate):
        try:
            answers.append(act(behind(clinic, gate)))
        except (CodeLocked, RequestClosed, QrRefused, AccessDenied, Contended) as refused:
            answers.append(refused)

    return work


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["code", "approve", "deny"]), min_size=2, max_size=6), st.randoms())
def test_in_any_interleaving_of_code_approval_and_denial_the_first_answers_and_no_other(acts, chance):
    clinic = clinic_in_memory()
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    clinic.study()
    request_id = clinic.request(doctor, "E1", "treatment", NOW).request_id
    code = clinic.code()
    does = {
        "code": lambda mine: mine.verify(doctor, "E1", request_id, code, NOW),
        "approve": lambda mine: mine.decide(patient, request_id, APPROVE, NOW),
        "deny": lambda mine: mine.decide(patient, request_id, DENY, NOW),
    }
    answers = []
    assert Turns(chance.randrange).run([worker(clinic, does[act], answers) for act in acts]) == []
    won = [answer for answer in answers if not isinstance(answer, Exception)]
    assert len(won) == 1
    outcome, consent = clinic.read_outcome(doctor, "E1", request_id, NOW)
    assert (outcome, consent) == ("approved" if won[0] else "denied", won[0])
    assert clinic.read_consents(patient, NOW) == ((consent,) if consent else ())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["approve", "scan", "object", "end"]), min_size=2, max_size=6).filter(
        lambda acts: {"object", "end"} & set(acts)
    ),
    st.randoms(),
)
def test_in_any_interleaving_whoever_stops_a_guardian_leaves_nothing_they_gave(acts, chance):
    clinic = clinic_in_memory()
    doctor, ward, guardian, held, ref = family(clinic)
    request_id = clinic.request(doctor, "E1", "treatment", NOW).request_id
    texts = iter([clinic.show_qr(guardian, NOW, held.ward).text for _ in acts])
    does = {
        "approve": lambda mine: mine.decide(guardian, request_id, APPROVE, NOW, held.ward),
        "scan": lambda mine: mine.scan_qr(doctor, "E1", next(texts), "treatment", NOW),
        "object": lambda mine: mine.object_to_guardian(ward, held.ward, NOW),
        "end": lambda mine: mine.end_guardian(CLERK, Card(TEEN_ID), Card(MOTHER_ID), NOW),
    }
    assert Turns(chance.randrange).run([worker(clinic, does[act], []) for act in acts]) == []
    assert all(one.revoked_at for one in clinic.read_consents(ward, NOW))
    for caller in (doctor, guardian):
        with pytest.raises(AccessDenied):
            clinic.authorize(caller, ref, NOW + timedelta(seconds=1))


def test_losing_every_race_gives_up_for_the_caller_to_repeat():
    clinic = clinic_in_memory()
    doctor, ward, guardian, held, _ = family(clinic)
    request_id = clinic.request(doctor, "E1", "treatment", NOW).request_id
    clinic.consents.answer = lambda *_args: False
    clinic.guardians.put = lambda _held: False
    for call, *args in (
        (clinic.decide, guardian, request_id, APPROVE, NOW, held.ward),
        (clinic.verify, doctor, "E1", request_id, clinic.code(), NOW),
        (clinic.object_to_guardian, ward, held.ward, NOW),
        (clinic.end_guardian, CLERK, Card(TEEN_ID), Card(MOTHER_ID), NOW),
        (clinic.prove_guardian, CLERK, CLAIM, NOW),
    ):
        with pytest.raises(Contended):
            call(*args)
