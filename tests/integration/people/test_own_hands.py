"""Contesting, unlinking and giving back an identity; the "not me" button; hidden studies; one's own phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import AuditFailed, Caller
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.linking import RegistrationRefused
from chalicelib.domain.phone import PHONE_WAIT, WITNESS_AGE
from chalicelib.domain.unlinking import UnlinkRefused
from chalicelib.services.change_phone import PhoneNotVouched
from chalicelib.services.decide_request import Choice
from chalicelib.services.scan_qr import QrRefused
from chalicelib.services.verify_code import CodeLocked
from tests.support.clinic import CLERK, NOW, ZHANG_PHONE, clinic_in_memory, national_id, zhang
from tests.support.clinic_acts import SECOND, denied

KEY = IdentityKey("H1", "A1")
OFFICER = Caller("privacy_officer", "officer-1", "H1")
SECOND_CLERK = Caller("desk_clerk", "clerk-2", "H1")
OTHER = zhang("A1", name="李四", sex="F", birth_date="", national_id=national_id("19900505", "022"), phone="")


@pytest.fixture
def seen(clinic):
    """Zhang at H1 and H2, a study at each, a doctor with a live consent over both."""
    patient = clinic.patient("H1")
    clinic.patient("H2", zhang("B7"))
    here, there = clinic.study(), clinic.study("1.2.4", "H2", "B7")
    clinic.visit()
    doctor = clinic.doctor()
    clinic.consent(doctor)
    return patient, doctor, here, there


def kinds(clinic, patient):
    return [one.kind for one in clinic.read_notices(patient, NOW).items]


def actions(clinic, patient):
    return [(one.action, one.reason, one.allowed) for one in clinic.read_accesses(patient, NOW).items]


# A wrong link undone


def test_what_the_person_contests_gives_nothing_to_anyone_at_once(clinic, seen):
    patient, doctor, here, there = seen
    late = clinic.request(doctor, "E1", "treatment", NOW)
    code = clinic.code()
    assert clinic.contest(patient, KEY, NOW).contested_because == "person"
    assert clinic.contest(patient, KEY, NOW).status == "contested"  # twice changes nothing
    assert denied(clinic.authorize, doctor, here, NOW) == "no_grant"
    assert denied(clinic.authorize, patient, here, NOW) == "no_grant"
    assert clinic.authorize(doctor, there, NOW)
    assert [one.ref for one in clinic.read_timeline(patient, NOW).items] == [there]
    assert [one.ref for one in clinic.read_encounter(doctor, "E1", NOW).items] == [there]
    with pytest.raises(CodeLocked):
        clinic.verify(doctor, "E1", late.request_id, code, NOW)
    sent = len(clinic.sms.sent)
    clinic.request(doctor, "E1", "treatment", NOW)
    assert len(clinic.sms.sent) == sent
    assert "identity_contested" in kinds(clinic, patient)
    assert ("contest_identity", "person", True) in actions(clinic, patient)


def test_nobody_contests_what_is_not_theirs(clinic, seen):
    stranger = clinic.patient("H2", zhang("B9", name="李四", national_id=national_id(order="055"), phone=""))
    assert denied(clinic.contest, stranger, KEY, NOW) == "no_grant"
    assert denied(clinic.contest, stranger, IdentityKey("H1", "404"), NOW) == "no_grant"
    assert denied(clinic.contest, Caller("doctor", "li", "H1"), KEY, NOW) == "no_grant"
    assert clinic.people.link(KEY).status == "confirmed"


def test_the_desk_with_the_same_card_settles_it_and_all_is_as_before(clinic, seen):
    patient, doctor, here, _ = seen
    clinic.contest(patient, KEY, NOW)
    clinic.link_from_notice("H1", zhang(), NOW)
    assert clinic.people.link(KEY).status == "contested"  # no notice brings it back
    clinic.register(CLERK, zhang(), NOW)
    assert clinic.authorize(doctor, here, NOW)
    assert clinic.authorize(patient, here, NOW)


def test_the_desk_moves_a_contested_identity_to_the_right_person_and_no_study_moves(clinic, seen):
    patient, doctor, here, there = seen
    clinic.link_from_notice("H1", zhang(name="李四", national_id=""), NOW)  # H1 calls the number by two names
    clinic.contest(patient, KEY, NOW)
    moved = clinic.register(CLERK, OTHER, NOW)
    right = Caller("patient", moved.person_id, person_id=moved.person_id)
    assert clinic.authorize(right, here, NOW)
    assert denied(clinic.authorize, patient, here, NOW) == "no_grant"
    assert denied(clinic.authorize, doctor, here, NOW) == "no_grant"
    assert clinic.authorize(doctor, there, NOW)
    assert clinic.studies.summary(here).patient_id == "A1"
    assert [one.ref for one in clinic.read_timeline(right, NOW).items] == [here]
    assert "identity_unlinked" in kinds(clinic, patient)
    assert [(one.person_id == patient.person_id, one.status) for one in clinic.people.history(KEY)] == [
        (True, "confirmed"),
        (True, "contested"),
    ]


def test_a_desk_moves_nothing_that_name_and_birth_date_speak_against(clinic, seen):
    patient, *_ = seen
    clinic.contest(patient, KEY, NOW)
    with pytest.raises(RegistrationRefused, match="name_differs"):
        clinic.register(CLERK, OTHER, NOW)
    assert clinic.people.link(KEY).person_id == patient.person_id


@pytest.mark.parametrize("who", [CLERK, OFFICER], ids=["desk", "officer"])
def test_an_unlinked_identity_is_nobodys_until_a_desk_sees_a_card(clinic, seen, who):
    patient, doctor, here, _ = seen
    clinic.undo.unlink(who, "A1", NOW)
    with pytest.raises(UnlinkRefused, match="already"):
        clinic.undo.unlink(who, "A1", NOW)
    assert denied(clinic.authorize, doctor, here, NOW) == "no_grant"
    assert denied(clinic.authorize, patient, here, NOW) == "no_grant"
    assert [one.identity.issuer for one in clinic.read_identities(patient, NOW)] == ["H2"]
    assert kinds(clinic, patient)[0] == "identity_unlinked"
    clinic.link_from_notice("H1", zhang(), NOW)  # the HIS goes on saying whose it was
    assert clinic.people.link(KEY).person_id != patient.person_id
    clinic.register(SECOND_CLERK, zhang(), NOW)
    assert clinic.authorize(doctor, here, NOW)


def test_an_officer_gives_back_to_a_former_person_and_opens_nothing_by_it(clinic, seen):
    patient, doctor, here, _ = seen
    clinic.undo.unlink(CLERK, "A1", NOW)
    with pytest.raises(UnlinkRefused, match="never_linked"):
        clinic.undo.relink(OFFICER, "A1", "SOMEBODYELSE", NOW)
    clinic.undo.relink(OFFICER, "A1", patient.person_id, NOW)
    with pytest.raises(UnlinkRefused, match="already"):
        clinic.undo.relink(OFFICER, "A1", patient.person_id, NOW)
    assert denied(clinic.authorize, doctor, here, NOW) == "no_grant"
    assert {one.status for one in clinic.read_identities(patient, NOW)} == {"contested", "confirmed"}
    clinic.register(CLERK, zhang(), NOW)
    assert clinic.authorize(doctor, here, NOW)
    history = clinic.undo.history(OFFICER, "A1", NOW)
    assert [one.contested_because for one in history] == ["", "relinked", "unlinked", ""]
    with pytest.raises(UnlinkRefused, match="not_contested"):
        clinic.undo.relink(OFFICER, "A1", patient.person_id, NOW)


def test_a_desk_reaches_only_its_own_hospitals_identities(clinic, seen):
    for call in (clinic.undo.contest, clinic.undo.unlink):
        with pytest.raises(UnlinkRefused, match="unknown_identity"):
            call(Caller("desk_clerk", "c", "H3"), "A1", NOW)
    assert clinic.undo.history(Caller("privacy_officer", "o", "H3"), "A1", NOW) == ()
    assert clinic.people.link(KEY).status == "confirmed"


def test_what_cannot_be_recorded_changes_no_link():
    clinic = clinic_in_memory()
    patient = clinic.patient()
    clinic.audit.broken = True
    for call, *args in (
        (clinic.contest, patient, KEY, NOW),
        (clinic.undo.unlink, CLERK, "A1", NOW),
        (clinic.freeze, patient, NOW),
        (clinic.void_phone, patient, NOW),
    ):
        with pytest.raises(AuditFailed):
            call(*args)
    assert clinic.people.link(KEY).status == "confirmed"
    assert clinic.people.person(patient.person_id).frozen_at is None


# "Not me"


def test_not_me_closes_everything_but_what_takes_away_until_a_desk_sees_the_card(clinic, seen):
    patient, doctor, here, there = seen
    qr = clinic.show_qr(patient, NOW)
    waiting = clinic.request(doctor, "E1", "treatment", NOW)
    frozen = clinic.freeze(patient, NOW)
    assert clinic.freeze(patient, NOW + SECOND).frozen_at == frozen.frozen_at == NOW
    for who in (patient, doctor):
        assert denied(clinic.authorize, who, here, NOW) == "frozen"
    assert denied(clinic.read_timeline, patient, NOW) == "frozen"
    assert clinic.read_encounter(doctor, "E1", NOW).items == ()
    assert denied(clinic.decide, patient, waiting.request_id, Choice(approve=True), NOW) == "frozen"
    assert denied(clinic.show_qr, patient, NOW) == "frozen"
    assert denied(clinic.hide.show, patient, here, NOW) == "frozen"
    assert denied(clinic.change_phone, patient, ZHANG_PHONE, NOW) == "frozen"
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E1", qr.text, "treatment", NOW)
    sent = len(clinic.sms.sent)
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    assert len(clinic.sms.sent) == sent
    assert asked.request_id not in [one.request.request_id for one in clinic.read_requests(patient, NOW)]
    assert clinic.read_accesses(patient, NOW).items
    assert clinic.revoke(patient, clinic.read_consents(patient, NOW)[0].consent_id, NOW).revoked_at
    assert clinic.contest(patient, IdentityKey("H2", "B7"), NOW).status == "contested"
    clinic.unfreeze(CLERK, national_id(), "张三", NOW + SECOND)
    assert clinic.authorize(patient, here, NOW + SECOND)
    assert kinds(clinic, patient)[0] == "unfrozen"
    assert denied(clinic.authorize, patient, there, NOW + SECOND) == "no_grant"


@pytest.mark.parametrize(
    ("number", "name", "reason"),
    [
        (national_id(), "李四", "name_differs"),
        (national_id(order="077"), "张三", "not_frozen"),
        (national_id()[:-1], "张三", "national_id_length"),
    ],
)
def test_only_the_card_of_the_person_unfreezes(clinic, number, name, reason):
    patient = clinic.patient()
    clinic.freeze(patient, NOW)
    with pytest.raises(RegistrationRefused, match=reason):
        clinic.unfreeze(CLERK, number, name, NOW)
    assert clinic.people.person(patient.person_id).frozen_at == NOW


def test_what_was_allowed_before_not_me_does_not_come_back_with_the_desk_visit(clinic, seen):
    patient, doctor, here, _ = seen
    (stolen,) = clinic.read_consents(patient, NOW)
    emergency = replace(stolen, consent_id="01EMERGENCY", doctor_id="wu", basis="break_glass")
    assert clinic.consents.put(emergency)
    clinic.freeze(patient, NOW)
    assert denied(clinic.authorize, doctor, here, NOW) == "frozen"
    clinic.unfreeze(CLERK, national_id(), "张三", NOW + SECOND)
    assert denied(clinic.authorize, doctor, here, NOW + SECOND) == "consent_revoked"
    left = [one.consent_id for one in clinic.read_consents(patient, NOW) if one.revoked_at is None]
    assert left == ["01EMERGENCY"], "which nobody allowed, and a freeze does not end"


def test_a_person_whom_no_desk_registered_can_say_not_me(clinic):
    patient = Caller("patient", "p", person_id="NEVERSEENPERSON")
    assert clinic.freeze(patient, NOW).frozen_at == NOW
    assert denied(clinic.read_timeline, patient, NOW) == "frozen"


# Hidden studies


def test_a_hidden_study_is_in_no_list_that_is_resolved_later_and_the_person_still_reads_it(clinic, seen):
    patient, doctor, here, there = seen
    still = clinic.hide.hide(patient, here, NOW)
    assert [one.doctor_id for one in still] == ["li"]  # told who holds it already
    assert clinic.authorize(doctor, here, NOW)
    assert clinic.authorize(patient, here, NOW)
    assert clinic.read_hidden(patient, NOW) == (here,)
    other = clinic.doctor("wang")
    clinic.visit("E2")
    assert clinic.consent(other, "E2").studies == {there}
    assert denied(clinic.authorize, other, here, NOW) == "no_grant"
    assert [one.ref for one in clinic.read_encounter(other, "E2", NOW).items] == [there]
    qr = clinic.show_qr(patient, NOW + SECOND)
    assert clinic.scan_qr(other, "E2", qr.text, "treatment", NOW + SECOND).studies == {there}
    clinic.hide.show(patient, here, NOW)
    assert clinic.read_hidden(patient, NOW) == ()
    assert clinic.consent(other, "E2", NOW + 2 * SECOND).studies == {here, there}


def test_the_person_may_pick_a_hidden_study_in_the_app_but_all_means_without_it(clinic, seen):
    patient, _, here, there = seen
    clinic.hide.hide(patient, here, NOW)
    other = clinic.doctor("wang")
    clinic.visit("E2")
    asked = clinic.request(other, "E2", "treatment", NOW)
    assert clinic.decide(patient, asked.request_id, Choice(approve=True), NOW).studies == {there}
    again = clinic.request(other, "E2", "treatment", NOW + SECOND)
    chosen = Choice(approve=True, studies=frozenset({here}))
    assert clinic.decide(patient, again.request_id, chosen, NOW + SECOND).studies == {here}
    assert clinic.authorize(other, here, NOW + SECOND)


def test_nobody_hides_a_study_of_someone_else(clinic, seen):
    _, _, here, _ = seen
    stranger = clinic.patient("H2", zhang("B9", name="李四", national_id=national_id(order="055"), phone=""))
    for call in (clinic.hide.hide, clinic.hide.show):
        assert denied(call, stranger, here, NOW) == "no_grant"
    assert denied(clinic.hide.hide, stranger, clinic.study("9.9", patient_id="?"), NOW) == "no_grant"
    assert clinic.read_hidden(stranger, NOW) == ()


def test_an_unverified_numbers_consent_leaves_the_hidden_out_too(clinic):
    patient = clinic.patient("H1", zhang(phone=""))
    clinic.link_from_notice("H1", zhang(phone="13755556666"), NOW)
    hidden, shown = clinic.study(), clinic.study("1.2.4")
    clinic.visit()
    clinic.hide.hide(patient, hidden, NOW)
    assert clinic.consent(clinic.doctor()).studies == {shown}


# One's own phone


def test_only_a_number_that_the_app_vouches_for_is_set_from_the_app(clinic):
    patient = clinic.patient("H1", zhang(phone=""))
    vouched = Caller("patient", "p", person_id=patient.person_id, phone=f"+86 {ZHANG_PHONE}")
    for caller, number in ((patient, ZHANG_PHONE), (vouched, "13911112222"), (vouched, "no number")):
        with pytest.raises(PhoneNotVouched):
            clinic.change_phone(caller, number, NOW)
    assert clinic.read_phone(patient, NOW).phone == ""
    clinic.change_phone(vouched, ZHANG_PHONE, NOW)
    own = clinic.read_phone(patient, NOW)
    assert (own.phone, own.opens_all, own.hospitals) == ("138****8000", True, ())
    assert kinds(clinic, patient)[0] == "phone_by_app"
    assert clinic.read_phone(patient, NOW + timedelta(days=365)).phone == ""  # lapsed


def test_a_person_sees_what_a_waiting_number_opens_and_since_when_all(clinic):
    clinic.link_from_notice("H2", zhang("B7", phone="13755556666"), NOW - WITNESS_AGE - timedelta(days=1))
    patient = clinic.patient("H1")
    own = clinic.read_phone(patient, NOW)
    assert (own.opens_all, own.hospitals, own.opens_at) == (False, ("H1",), NOW - timedelta(days=1) + PHONE_WAIT)
    assert clinic.read_phone(patient, own.opens_at).opens_all


def test_voiding_where_there_is_no_number_changes_nothing(clinic):
    patient = clinic.patient("H1", zhang(phone=""))
    before = clinic.people.person(patient.person_id)
    assert clinic.void_phone(patient, NOW) == before
