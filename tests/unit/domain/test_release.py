"""The steps after a quarantine, in any order: what is possible, and what a repetition does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.quarantine import REASONS
from chalicelib.domain.release import (
    GROUNDS,
    RELEASABLE,
    QuarantineRefused,
    Replacement,
    Standing,
    asked,
    closed,
    decided,
    grounds,
)

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
OPEN = Standing("H1", "2026-11-24/ab", reason="too_large", size=7)
LIMIT = ("needs_larger_limit",)
KEY = "archives/H1/2026-11-24/a.zip"
SENT = Replacement("1.2.3", "v2", 0)
ASKED = asked(OPEN, LIMIT, "needs_larger_limit", "gateway", NOW)
GRANTED, REFUSED = (decided(ASKED, decision, "看过", "r1", LATER) for decision in ("grant", "refuse"))
CLOSED = closed(OPEN, SENT, "gateway", LATER)
STEPS = {
    "ask": lambda standing: asked(standing, LIMIT, "needs_larger_limit", "gateway", LATER),
    "grant": lambda standing: decided(standing, "grant", "看过", "r1", LATER),
    "refuse": lambda standing: decided(standing, "refuse", "看过", "r1", LATER),
    "close": lambda standing: closed(standing, SENT, "gateway", LATER),
}


def taken(standing, step):
    try:
        return STEPS[step](standing).state
    except QuarantineRefused as refused:
        return refused.reason


@pytest.mark.parametrize(
    ("standing", "states"),
    [
        (OPEN, {"ask": "asked", "grant": "not_asked", "refuse": "not_asked", "close": "closed"}),
        (ASKED, {"ask": "asked", "grant": "granted", "refuse": "refused", "close": "closed"}),
        (GRANTED, {"ask": "asked", "grant": "granted", "refuse": "not_asked", "close": "closed"}),
        (REFUSED, {"ask": "asked", "grant": "not_asked", "refuse": "refused", "close": "closed"}),
        (CLOSED, {"ask": "entry_closed", "grant": "entry_closed", "refuse": "entry_closed", "close": "closed"}),
    ],
    ids=lambda value: getattr(value, "state", ""),
)
def test_which_step_leads_where(standing, states):
    assert {step: taken(standing, step) for step in STEPS} == states


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=8))
def test_a_step_twice_is_a_step_once_and_nothing_leaves_closed(steps):
    standing = OPEN
    for step in steps:
        try:
            after = STEPS[step](standing)
        except QuarantineRefused:
            continue
        assert STEPS[step](after) == after
        assert standing.state != "closed" or after == standing
        standing = after
    assert (standing.hospital_id, standing.entry_id, standing.reason) == ("H1", OPEN.entry_id, "too_large")


def test_asking_again_forgets_the_decision_before():
    again = asked(REFUSED, LIMIT, "needs_larger_limit", "gateway", LATER)
    assert (again.decided_by, again.decided_at, again.note) == ("", None, "")


def test_closed_names_what_took_its_place_for_good():
    assert (CLOSED.study_instance_uid, CLOSED.version_id) == ("1.2.3", "v2")
    with pytest.raises(QuarantineRefused) as refused:
        closed(CLOSED, replace(SENT, version_id="v3"), "gateway", LATER)
    assert refused.value.reason == "entry_closed"


@pytest.mark.parametrize(
    ("key", "reason", "possible"),
    [
        (KEY, "too_large", LIMIT),
        (KEY, "hospital_closed", ("registered_since",)),
        (KEY, "encrypted_entry", ()),
        ("instances/H1/2026-11-24/a.dcm", "missing_uid", ()),
        ("instances/H1/2026-11-24/a#1", "malformed", ("misjudged",)),
        (f"{KEY}#12", "too_large", ()),  # an entry of an archive is no object
    ],
)
def test_on_which_grounds_a_release_may_be_asked_for(key, reason, possible):
    assert grounds(key, reason) == possible


@pytest.mark.parametrize(("possible", "reason"), [((), "not_releasable"), (("misjudged",), "other_ground")])
def test_another_ground_is_refused(possible, reason):
    with pytest.raises(QuarantineRefused) as refused:
        asked(OPEN, possible, "needs_larger_limit", "gateway", NOW)
    assert refused.value.reason == reason


def test_every_releasable_reason_is_one_and_every_ground_speaks_both_languages():
    assert set(RELEASABLE) <= set(REASONS)
    assert {ground for possible in RELEASABLE.values() for ground in possible} == set(GROUNDS)
    for english, chinese in GROUNDS.values():
        assert english.isascii()
        assert any("\u4e00" <= char <= "\u9fff" for char in chinese)


def test_the_digest_speaks_of_every_field():
    assert len({one.digest for one in (OPEN, ASKED, GRANTED, REFUSED, CLOSED, replace(OPEN, size=8))}) == 6
