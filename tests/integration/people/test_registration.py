"""How an identity comes to its person: by desk, by notice, and when it is contested."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.access import Caller
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.linking import RegistrationRefused
from tests.support.clinic import CLERK, NOW, national_id, zhang
from tests.support.clinic_acts import denied


def test_the_same_person_is_found_from_every_hospital_and_the_answer_masks_the_phone(clinic):
    done = clinic.register(CLERK, zhang(), NOW)
    other = clinic.register(Caller("desk_clerk", "c2", "H2"), zhang("B7", phone=""), NOW)
    assert done.person_id == other.person_id
    assert len(done.person_id) == 26
    assert (done.status, done.phone, other.phone) == ("confirmed", "138****8000", "138****8000")


def test_a_notice_with_a_national_id_links_unconfirmed_and_gives_nothing(clinic):
    link = clinic.link_from_notice("H1", zhang(), NOW)
    assert link.status == "unconfirmed"
    ref = clinic.study()
    patient = Caller("patient", "z", person_id=link.person_id)
    assert denied(clinic.authorize, patient, ref, NOW) == "no_grant"
    assert clinic.read_timeline(patient, NOW).items == ()
    assert clinic.read_identities(patient, NOW)[0].status == "unconfirmed"


def test_a_notice_is_confirmed_by_the_rule_where_all_agrees_with_a_desk(clinic):
    patient = clinic.patient("H2", zhang("B7"))
    link = clinic.link_from_notice("H1", zhang(), NOW)
    assert (link.status, link.confirmed_by) == ("confirmed", "rule")
    assert clinic.authorize(patient, clinic.study(), NOW)


def test_a_desk_confirms_what_a_notice_said(clinic):
    clinic.link_from_notice("H1", zhang(), NOW)
    assert clinic.register(CLERK, zhang(), NOW).status == "confirmed"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"national_id": "320102198001020119"}, "national_id_check_digit"),
        ({"national_id": "320102800102011"}, "national_id_legacy"),
        ({"name": "无名氏"}, "placeholder"),
        ({"name": " "}, "name_missing"),
        ({"birth_date": "1980-01-03"}, "birth_date_differs"),
        ({"sex": "F"}, "sex_differs"),
        ({"phone": "025-8888888"}, "phone"),
    ],
)
def test_a_desk_refuses_what_does_not_agree_with_the_card(clinic, changes, reason):
    with pytest.raises(RegistrationRefused) as refused:
        clinic.register(CLERK, zhang(**changes), NOW)
    assert refused.value.reason == reason
    assert clinic.people.link(IdentityKey("H1", "A1")) is None


def test_a_clerk_cannot_take_a_patients_identity_with_a_card_of_their_own(clinic):
    own_card = zhang(name="王五", national_id=national_id("19900505", "077"), birth_date="", phone="13500135000")
    clinic.link_from_notice("H1", zhang(), NOW)
    for _ in range(2):
        with pytest.raises(RegistrationRefused, match="identity_taken"):
            clinic.register(CLERK, own_card, NOW)
        clinic.register(CLERK, zhang(), NOW)
    clinic.link_from_notice("H1", zhang("A5", national_id=""), NOW)
    with pytest.raises(RegistrationRefused, match="name_differs"):
        clinic.register(CLERK, replace(own_card, patient_id="A5"), NOW)
    assert clinic.register(CLERK, zhang("A5"), NOW).status == "confirmed"


def test_placeholders_get_no_link(clinic):
    assert clinic.link_from_notice("H1", zhang("0"), NOW) is None
    assert clinic.link_from_notice("H1", zhang("A1", name="无名氏"), NOW) is None


def test_one_id_under_three_names_is_contested(clinic):
    for name in ("张三", "李四", "张 三"):
        assert clinic.link_from_notice("H1", zhang(name=name, national_id=""), NOW).status == "unconfirmed"
    link = clinic.link_from_notice("H1", zhang(name="王五", national_id=""), NOW)
    assert (link.status, link.contested_because) == ("contested", "many_names")


def test_a_notice_with_another_national_id_contests_only_what_no_desk_has_seen(clinic):
    other = zhang(national_id=national_id(order="033"))
    clinic.link_from_notice("H1", zhang(), NOW)
    assert clinic.link_from_notice("H1", other, NOW).status == "contested"
    clinic.register(Caller("desk_clerk", "c", "H2"), zhang(), NOW)
    person_id = clinic.people.link(IdentityKey("H2", "A1")).person_id
    link = clinic.link_from_notice("H2", other, NOW)
    assert (link.status, link.person_id) == ("confirmed", person_id)


def test_a_national_id_gives_a_person_to_an_identity_that_had_none(clinic):
    nameless = clinic.link_from_notice("H1", zhang(national_id="", phone="13911112222"), NOW)
    link = clinic.link_from_notice("H1", zhang(phone=""), NOW)
    assert link.person_id != nameless.person_id
    assert clinic.people.links(nameless.person_id) == ()
    assert clinic.people.links(link.person_id) == (link,)


def test_a_repeated_notice_writes_and_audits_nothing(clinic):
    link = clinic.link_from_notice("H1", zhang(), NOW)
    events = clinic.audit.of_person(link.person_id, "", 100).items
    assert clinic.link_from_notice("H1", zhang(), NOW) == link
    assert clinic.audit.of_person(link.person_id, "", 100).items == events
