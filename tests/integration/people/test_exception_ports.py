"""One behavioural suite per port of assisted requests, papers and reviews, against the fake and the real one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.assisted import AssistedRequest
from chalicelib.domain.consent import Doctor
from chalicelib.domain.hand_over import HandOver
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.review import Review, Suspension, overdue, stopped
from chalicelib.domain.ulid import ulid
from tests.support.clinic import NOW

SECOND = timedelta(seconds=1)
REQUEST = AssistedRequest(
    request_id="R1",
    hospital_id="H1",
    encounter_id="E #1",
    doctor_id="li",
    person_id="P",
    identity=IdentityKey("H1", "患者 1"),
    reason="no_phone",
    asked_at=NOW,
    expires_at=NOW + timedelta(minutes=10),
)
REVIEW = Review(
    review_id="C1",
    kind="break_glass",
    hospital_id="H1",
    doctor_id="li",
    opened_at=NOW,
    due_at=NOW + timedelta(hours=24),
    person_id="P",
    encounter_id="E1",
    reason="unconscious",
    text="车祸",
    was_frozen=True,
)
PAPER = HandOver("C1", "H1", "A1", "E1", "li", "clerk-9", "no_phone", NOW)
DOCTOR = Doctor("li", "H1", "1", "李医生")


def due(room, until):
    return [found for shard in range(16) for found in room.reviews.due(shard, until)]


# Assisted requests


def test_a_request_reads_back_under_its_hospital_alone_and_while_it_is_open(room):
    room.assisted.ask(REQUEST)
    assert room.assisted.get("H1", "R1") == REQUEST
    assert room.assisted.get("H2", "R1") is None
    later = replace(REQUEST, request_id="R2", asked_at=NOW + SECOND, expires_at=REQUEST.expires_at + SECOND)
    room.assisted.ask(later)
    assert room.assisted.open_at("H1", NOW) == (later, REQUEST)
    assert room.assisted.open_at("H1", REQUEST.expires_at) == (later,)
    assert room.assisted.open_at("H2", NOW) == ()


def test_of_a_crowd_of_witnesses_one_confirms_and_only_in_time(room):
    room.assisted.ask(REQUEST)
    assert not room.assisted.confirm(REQUEST, "clerk", REQUEST.expires_at)
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda n: room.assisted.confirm(REQUEST, f"clerk-{n}", NOW), range(16)))
    assert sum(answers) == 1
    kept = room.assisted.get("H1", "R1")
    assert (kept.witness, kept.confirmed_at) == (f"clerk-{answers.index(True)}", NOW)
    assert room.assisted.open_at("H1", NOW) == ()
    assert not room.assisted.confirm(replace(REQUEST, request_id="R9"), "clerk", NOW)


# Papers


def test_a_paper_is_kept_once_and_waits_until_it_is_done(room):
    room.hand_overs.open(PAPER)
    room.hand_overs.open(replace(PAPER, witness="another"))
    kept = room.hand_overs.get("H1", "C1")
    assert kept == PAPER
    assert room.hand_overs.get("H2", "C1") is None
    done = replace(kept, how="posted", done_by="clerk-2", done_at=NOW)
    assert room.hand_overs.put(done)
    assert not room.hand_overs.put(replace(done, done_by="late"))
    assert room.hand_overs.get("H1", "C1") == done
    assert room.hand_overs.waiting("H1", "", 10).items == ()


def test_papers_page_oldest_first_past_those_that_are_done(room):
    papers = [replace(PAPER, consent_id=ulid(NOW + n * SECOND, bytes(10))) for n in range(5)]
    for paper in reversed(papers):
        room.hand_overs.open(paper)
    done = room.hand_overs.get("H1", papers[1].consent_id)
    assert room.hand_overs.put(replace(done, how="posted", done_by="c", done_at=NOW))
    assert pages(lambda token: room.hand_overs.waiting("H1", token, 2)) == [papers[0], *papers[2:]]
    with pytest.raises(ValueError, match="token"):
        room.hand_overs.waiting("H1", "§", 2)


def pages(read):
    found, token = [], ""
    while True:
        page = read(token)
        found += page.items
        if not page.next_token:
            return found
        token = page.next_token


# Reviews


def test_a_review_reads_back_with_all_it_holds(room):
    room.reviews.open(REVIEW)
    room.reviews.open(replace(REVIEW, text="again"))
    kept = room.reviews.get("H1", "C1")
    assert kept == REVIEW
    full = replace(
        kept,
        state="not_justified",
        witness="w",
        count=3,
        objected_at=NOW,
        objection="否",
        reviewed_at=NOW,
        reviewed_by="o",
        note="n",
        lifted_at=NOW,
        lifted_by="o",
    )
    assert room.reviews.put(full)
    assert room.reviews.get("H1", "C1") == full
    assert not room.reviews.put(full)
    assert room.reviews.get("H2", "C1") is None
    assert room.reviews.put(replace(REVIEW, review_id="C2"))
    assert not room.reviews.put(replace(REVIEW, review_id="C2"))


def test_a_review_is_due_to_the_second_and_no_more_once_it_was_looked_at(room):
    room.reviews.open(REVIEW)
    room.reviews.open(replace(REVIEW, review_id="C2", hospital_id="H2", due_at=REVIEW.due_at + SECOND))
    room.reviews.open(replace(REVIEW, review_id="C3", kind="assisted", due_at=None))
    assert due(room, REVIEW.due_at - SECOND) == []
    assert due(room, REVIEW.due_at) == [("H1", "C1")]
    assert sorted(due(room, REVIEW.due_at + SECOND)) == [("H1", "C1"), ("H2", "C2")]
    assert room.reviews.put(overdue(room.reviews.get("H1", "C1")))
    assert due(room, REVIEW.due_at) == []


def test_review_account_and_list_stand_or_fall_together(room):
    assert room.doctors.put(DOCTOR)
    room.reviews.open(REVIEW)
    review, doctor = room.reviews.get("H1", "C1"), room.doctors.get("li")
    assert room.doctors.put(replace(doctor, session_epoch=1))
    assert not room.reviews.put(overdue(review), stopped(doctor, "C1"))
    assert room.reviews.get("H1", "C1").state == "pending"
    assert room.reviews.suspended("H1") == ()
    doctor = room.doctors.get("li")
    assert not room.reviews.put(replace(overdue(review), revision=7), stopped(doctor, "C1"))
    assert not room.doctors.get("li").break_glass_suspended
    assert room.reviews.put(overdue(review), stopped(doctor, "C1"))
    assert room.doctors.get("li") == replace(DOCTOR, session_epoch=1, break_glass_stops=("C1",))
    assert room.reviews.suspended("H1") == (Suspension("li", "李医生", ("C1",)),)
    free = replace(room.doctors.get("li"), break_glass_stops=())
    assert room.reviews.put(room.reviews.get("H1", "C1"), free)
    assert room.reviews.suspended("H1") == ()


def test_reviews_page_newest_first_and_the_undecided_alone_if_asked(room):
    reviews = [replace(REVIEW, review_id=ulid(NOW + n * SECOND, bytes(10))) for n in range(6)]
    for review in reviews:
        room.reviews.open(review)
    for n, state in ((1, "justified"), (2, "overdue"), (4, "void")):
        assert room.reviews.put(replace(room.reviews.get("H1", reviews[n].review_id), state=state))

    def ids(**asked):
        return [one.review_id for one in pages(lambda token: room.reviews.of_hospital("H1", token, 2, **asked))]

    assert ids() == [one.review_id for one in reversed(reviews)]
    assert ids(undecided=True) == [reviews[n].review_id for n in (5, 3, 2, 0)]
    first = room.reviews.of_hospital("H1", "", 2, undecided=True)
    second = room.reviews.of_hospital("H1", first.next_token, 2, undecided=True)
    assert [len(first.items), len(second.items), second.next_token] == [2, 2, ""]
    with pytest.raises(ValueError, match="token"):
        room.reviews.of_hospital("H1", "§", 2)


def test_an_account_reads_back_with_its_emergency_role(room):
    assert room.doctors.put(replace(DOCTOR, emergency_role=True, break_glass_stops=("A", "B")))
    assert room.doctors.get("li") == replace(DOCTOR, emergency_role=True, break_glass_stops=("A", "B"))
