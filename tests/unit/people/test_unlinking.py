"""Contest, unlink, give back, notices and desks in any order: what a link may never become."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identity import IdentityKey, PatientDetails
from chalicelib.domain.linking import Evidence, RegistrationRefused, link_at_desk, link_from_notice
from chalicelib.domain.national_id import NationalId
from chalicelib.domain.unlinking import UnlinkRefused, contest, relink, unlink
from tests.support.clinic import NOW

KEY = IdentityKey("H1", "A1")
CARDS = {"P": NationalId("1", "19800102", "M"), "Q": NationalId("2", "19900505", "F")}
NAMES = {"P": "张三", "Q": "李四"}

steps = st.lists(
    st.tuples(
        st.sampled_from(["notice", "desk", "contest", "unlink", "relink"]),
        st.sampled_from(["P", "Q"]),
        st.sampled_from(["clerk-1", "clerk-2"]),
    ),
    max_size=10,
)


def step(link, history, number, one):
    """The link after one step; as before where it was refused."""
    kind, person, clerk = one
    patient = PatientDetails("A1", NAMES[person])
    evidence = Evidence(person, CARDS[person], clerk=clerk)
    try:
        match kind:
            case "notice":
                return link_from_notice(link, KEY, patient, evidence, NOW).link
            case "desk":
                return link_at_desk(link, KEY, patient, evidence, NOW)
            case "contest":
                return contest(link, "desk", clerk)
            case "unlink":
                return unlink(link, f"NOBODY-{number}", clerk, NOW)
        return relink(link, history, person, clerk, NOW)
    except (UnlinkRefused, RegistrationRefused):
        return link


def play(plays):
    link, history, done = link_from_notice(None, KEY, PatientDetails("A1"), Evidence("P", CARDS["P"]), NOW).link, [], []
    for number, one in enumerate(plays):
        before = link
        link = step(link, tuple(history), number, one)
        if (before.person_id, before.status) != (link.person_id, link.status):
            history.append(before)
        done.append((one[0], one[2], before, link))
    return done


@given(steps)
def test_only_a_desk_ends_a_contest(plays):
    for kind, _, before, after in play(plays):
        if before.status == "contested" != after.status:
            assert (kind, after.status, after.confirmed_by) == ("desk", "confirmed", "desk")


@given(steps)
def test_nobody_moves_to_another_person_what_they_contested_themself(plays):
    for kind, clerk, before, after in play(plays):
        if kind == "desk" and before.status == "contested" and after.person_id != before.person_id:
            assert before.contested_by != clerk


@given(steps)
def test_what_is_contested_unlinked_or_given_back_opens_nothing_and_keeps_its_key(plays):
    for kind, _, before, after in play(plays):
        assert after.identity == KEY
        if kind in ("contest", "unlink", "relink") and after != before:
            assert after.status == "contested"
            assert after.names == before.names


@given(steps)
def test_it_is_given_back_only_to_who_had_it(plays):
    had = {"P"}
    for kind, _, before, after in play(plays):
        if kind == "relink" and after.person_id != before.person_id:
            assert after.person_id in had
        had.add(after.person_id)


@given(steps)
def test_an_unlinked_one_is_nobodys_until_a_desk_or_an_officer_says_whose(plays):
    for kind, _, before, after in play(plays):
        if before.person_id.startswith("NOBODY"):
            assert after.person_id.startswith("NOBODY") or kind in ("desk", "relink")
        if kind == "unlink" and after != before:
            assert after.person_id.startswith("NOBODY")
            assert not after.by_national_id


def test_the_first_to_contest_is_kept():
    link = link_from_notice(None, KEY, PatientDetails("A1"), Evidence("P", CARDS["P"]), NOW).link
    first = contest(link, "person", "p")
    assert (first.contested_because, first.contested_by) == ("person", "p")
    assert replace(first, status="unconfirmed", contested_because="", contested_by="") == link
