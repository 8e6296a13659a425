"""What a number set at a desk may open: the table, and every order in which desks, apps and notices can speak."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identity import PHONE_LIFE, IdentityKey, Link, Person
from chalicelib.domain.phone import (
    PHONE_RULES,
    PHONE_WAIT,
    WITNESS_AGE,
    SeenAtDesk,
    opened_hospitals,
    opens_all,
    unheard,
    with_app_phone,
    with_desk_phone,
    without_new_phone,
)
from tests.support.clinic import NOW

OWN, OLD, EVIL, OTHER = "13800138000", "13700137000", "13911112222", "13622223333"
SECOND = timedelta(seconds=1)


def told(hospital_id, phone, status="confirmed", person_id="P"):
    return Link(IdentityKey(hospital_id, "A"), person_id, status, NOW, phone=phone, phone_told_at=NOW - WITNESS_AGE)


def at_desk(person, number, hospital_id="H1", links=(), **when):
    seen = SeenAtDesk(number, hospital_id, f"clerk-{hospital_id}", when.get("holder_id", ""))
    return with_desk_phone(person, seen, links, when.get("now", NOW))


def opened(number=OLD):
    return with_app_phone(Person("P"), number, NOW - timedelta(days=30)).person


def test_every_rule_says_why():
    assert all(rule.when and rule.reason for rule in PHONE_RULES.values())
    assert [name for name, rule in PHONE_RULES.items() if rule.opens_all and rule.wait] == []


def test_a_first_number_that_nobody_else_knows_opens_the_hospitals_that_saw_it_and_never_more_by_time():
    change = at_desk(Person("P"), OWN)
    assert (change.person.phone_rule, change.to_tell) == ("told_nobody", ())
    assert opened_hospitals(change.person, ()) == ("H1",)
    assert not opens_all(change.person, NOW + 300 * timedelta(days=1))
    second = at_desk(change.person, OWN, "H2", now=NOW + SECOND).person
    assert opened_hospitals(second, ()) == ("H1", "H2")
    assert second.phone_set_at == NOW


def test_a_hospital_that_told_the_number_itself_is_opened_by_it():
    links = (told("H2", OWN), told("H3", OWN, "unconfirmed"), told("H4", OWN, "contested"), told("H5", OTHER))
    person = at_desk(Person("P"), OWN, links=links[:1]).person
    assert opened_hospitals(person, links) == ("H1", "H2")


def test_where_another_hospital_told_another_number_that_one_is_told_and_time_opens():
    links = (told("H2", OLD), told("H1", OTHER))
    change = at_desk(Person("P"), OWN, links=links)
    assert (change.person.phone_rule, change.to_tell) == ("told_others", tuple(sorted((OLD, OTHER))))
    assert not opens_all(change.person, NOW + PHONE_WAIT - SECOND)
    assert opens_all(change.person, NOW + PHONE_WAIT)


def test_a_number_told_by_the_desks_own_hospital_is_no_witness():
    change = at_desk(Person("P"), EVIL, links=(told("H1", OTHER),))
    assert (change.person.phone_rule, change.to_tell) == ("told_nobody", (OTHER,))


def test_a_number_that_only_waited_is_no_witness_either():
    first = at_desk(Person("P"), OTHER).person
    second = at_desk(first, EVIL, "H2")
    assert (second.person.phone_rule, second.to_tell, second.person.phone_desks) == ("told_nobody", (OTHER,), ("H2",))


def test_what_a_desk_that_set_a_waiting_number_tells_is_no_witness_for_the_next():
    first = at_desk(Person("P"), OTHER).person
    second = at_desk(first, EVIL, "H2", (told("H1", OTHER),))
    assert (second.person.phone_rule, second.witnesses, second.to_tell) == ("told_nobody", (), (OTHER,))
    third = at_desk(first, OTHER, "H2", (told("H1", EVIL),))
    assert third.person.phone_rule == "told_nobody"


def test_a_number_told_just_before_is_no_witness():
    fresh = replace(told("H2", OTHER), phone_told_at=NOW - WITNESS_AGE + SECOND)
    assert at_desk(Person("P"), EVIL, links=(fresh,)).person.phone_rule == "told_nobody"
    assert at_desk(Person("P"), EVIL, links=(replace(fresh, phone_told_at=None),)).person.phone_rule == "told_nobody"


def test_where_no_sms_reached_a_witness_no_wait_ends():
    change = unheard(at_desk(Person("P"), OWN, links=(told("H2", OLD),)))
    assert (change.person.phone_rule, change.person.phone_opens_at) == ("told_nobody", None)
    assert unheard(with_app_phone(Person("P"), OWN, NOW)).person.phone_rule == "app"


def test_a_wait_begins_when_there_is_somebody_to_ask():
    alone = at_desk(Person("P"), OWN).person
    asked = at_desk(alone, OWN, "H3", (told("H2", OLD),), now=NOW + SECOND)
    assert (asked.person.phone_rule, asked.person.phone_opens_at) == ("told_others", NOW + SECOND + PHONE_WAIT)
    assert asked.to_tell == asked.witnesses == (OLD,)
    assert asked.person.phone_set_at == NOW


def test_another_number_takes_the_opened_one_away_at_once_and_it_is_told():
    change = at_desk(opened(), EVIL)
    assert change.to_tell == (OLD,)
    assert (change.person.phone, change.person.former_phone) == (EVIL, OLD)
    assert not opens_all(change.person, NOW)


def test_a_contest_brings_the_former_back_and_what_was_sent_before_is_void():
    voided = without_new_phone(at_desk(opened(), EVIL).person, NOW + SECOND)
    assert (voided.phone, voided.phone_set_at, voided.phone_clerk) == (OLD, NOW + SECOND, "")
    assert opens_all(voided, NOW + SECOND)
    assert without_new_phone(at_desk(Person("P"), EVIL).person, NOW).phone == ""


def test_the_number_that_opened_everything_does_so_again_at_any_desk():
    assert opens_all(at_desk(opened(), OLD).person, NOW)
    late = NOW + PHONE_LIFE
    assert not opened().has_phone(late)
    assert at_desk(opened(), OLD, now=late).person.has_phone(late)
    assert opens_all(at_desk(at_desk(opened(), EVIL).person, OLD, "H2").person, NOW)


def test_a_number_verified_for_somebody_else_since_is_a_new_one_and_its_holder_is_told():
    change = at_desk(opened(OWN), OWN, holder_id="Q")
    assert not opens_all(change.person, NOW)
    assert OWN in change.to_tell


def test_a_second_look_by_the_same_hands_shortens_no_wait_and_one_after_it_keeps_it_open():
    waiting = at_desk(opened(), OWN).person
    again = at_desk(waiting, OWN, now=NOW + SECOND).person
    assert again.phone_opens_at == waiting.phone_opens_at
    after = at_desk(waiting, OWN, now=NOW + PHONE_WAIT).person
    assert after.phone_rule == "known"


def test_the_app_opens_all_at_once_and_tells_the_number_before():
    change = with_app_phone(at_desk(Person("P"), EVIL).person, OWN, NOW)
    assert opens_all(change.person, NOW)
    assert change.to_tell == (EVIL,)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("desk"), st.sampled_from(["H1", "H2"]), st.sampled_from([EVIL, OTHER])),
        st.tuples(st.just("victim"), st.sampled_from(["H3", "H4"]), st.just(OWN)),
        st.tuples(st.just("void"), st.just(""), st.just("")),
        st.tuples(st.just("app"), st.just(""), st.just(OWN)),
    ),
    max_size=8,
)


@given(steps, st.lists(st.sampled_from(["H3", "H4"]), unique=True))
def test_numbers_of_the_attackers_two_desks_open_nothing_of_other_hospitals_before_the_wait(plays, telling):
    """Two corrupt desks, in any order with the victim's own acts, within one wait."""
    links = tuple(told(hospital_id, OWN) for hospital_id in telling)
    person = Person("P")
    for number, (kind, hospital_id, phone) in enumerate(plays):
        now = NOW + number * SECOND
        if kind in ("desk", "victim"):
            person = at_desk(person, phone, hospital_id, links, now=now).person
        elif kind == "app":
            person = with_app_phone(person, phone, now).person
        elif person.phone:
            person = without_new_phone(person, now)
        if person.phone in (EVIL, OTHER):
            assert not opens_all(person, NOW + PHONE_WAIT - timedelta(minutes=1))
            assert set(opened_hospitals(person, links)) <= {"H1", "H2"}


@given(steps)
def test_where_nobody_can_be_told_no_wait_ever_ends(plays):
    person = Person("P")
    for number, (kind, hospital_id, phone) in enumerate(plays):
        if kind == "desk":
            person = at_desk(person, phone, hospital_id, (), now=NOW + number * PHONE_WAIT).person
            assert not opens_all(person, NOW + 100 * PHONE_WAIT)


@pytest.mark.parametrize("rule", PHONE_RULES)
def test_no_rule_opens_anything_without_a_number(rule):
    assert not opens_all(replace(Person("P"), phone_rule=rule, phone_opens_at=NOW), NOW)
