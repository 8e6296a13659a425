"""Notices and desks in any order: what a link may never become."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identity import IdentityKey, PatientDetails
from chalicelib.domain.linking import Evidence, RegistrationRefused, link_at_desk, link_from_notice
from chalicelib.domain.national_id import NationalId
from tests.support.clinic import NOW

KEY = IdentityKey("H1", "A1")
CARDS = {"P": NationalId("1", "19800102", "M"), "Q": NationalId("2", "19900505", "F")}

details = st.builds(
    PatientDetails,
    patient_id=st.just("A1"),
    name=st.sampled_from(["张三", "Zhang^San=张^三", "ZHANG SAN", "李四", "王五", ""]),
    sex=st.sampled_from(["M", "F", ""]),
    birth_date=st.sampled_from(["1980-01-02", "19900505", ""]),
    phone=st.sampled_from(["13800138000", "13900139000", ""]),
)
events = st.lists(
    st.tuples(st.sampled_from(["notice", "notice", "desk"]), st.sampled_from(["P", "Q", "", ""]), details), max_size=8
)


def play(steps, elsewhere=()):
    """All links after each step, as the services would make them."""
    link, history = None, []
    for number, (kind, person, patient) in enumerate(steps):
        card = CARDS.get(person)
        evidence = Evidence(person or f"ulid-{number}", card, tuple(elsewhere))
        before = link
        if kind == "notice":
            link = link_from_notice(link, KEY, patient, evidence, NOW).link
        elif card:
            try:
                link = link_at_desk(link, KEY, patient, evidence, NOW)
            except RegistrationRefused:
                continue
        history.append((kind, person, before, link))
    return history


@given(events)
def test_a_notice_alone_confirms_nothing(steps):
    assert all(link.status != "confirmed" for _, _, _, link in play([step for step in steps if step[0] == "notice"]))


@given(events)
def test_once_found_by_a_national_id_only_a_desk_moves_an_identity_and_only_a_contested_one(steps):
    for kind, _, before, after in play(steps):
        if before is not None and before.by_national_id:
            assert after.by_national_id
            assert after.person_id == before.person_id or (kind, before.status) == ("desk", "contested")


@given(events)
def test_a_notice_never_brings_back_what_is_contested(steps):
    for kind, _, before, after in play(steps):
        if kind == "notice" and before is not None and before.status == "contested":
            assert after.status == "contested"


@given(events)
def test_a_notice_takes_a_desks_word_away_only_for_many_names(steps):
    for kind, _, before, after in play(steps):
        if kind == "notice" and before is not None and before.strong and not after.strong:
            assert after.contested_because == "many_names"


@given(details, st.sampled_from(["P", "Q"]))
def test_the_rule_confirms_only_where_birth_date_sex_and_a_seen_name_agree(patient, person):
    seen = link_at_desk(None, IdentityKey("H2", "B"), PatientDetails("B", "张三"), Evidence("P", CARDS["P"]), NOW)
    links = (seen,) if person == "P" else ()
    link = link_from_notice(None, KEY, patient, Evidence(person, CARDS[person], links), NOW).link
    agrees = person == "P" and patient.birth_date == "1980-01-02" and patient.sex == "M" and "三" in patient.name
    assert (link.status == "confirmed") == agrees
    by_rule = (replace(seen, confirmed_by="rule"),)
    assert link_from_notice(None, KEY, patient, Evidence("P", CARDS["P"], by_rule), NOW).link.status == "unconfirmed"
