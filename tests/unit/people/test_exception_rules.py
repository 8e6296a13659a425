"""The tables behind assisted consents and break-glass, and the words of the paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from chalicelib.domain.assisted import ASSISTED_REASONS, WITNESS_ROLES, AssistedReason
from chalicelib.domain.break_glass import (
    BREAK_GLASS_REASONS,
    BREAK_GLASS_RULES,
    CONFIRMATION,
    BreakGlassReason,
    emergency_scope,
    is_confirmed,
)
from chalicelib.domain.hand_over import HandOver, Named, printed
from chalicelib.domain.identity import IdentityKey, Link
from chalicelib.domain.in_app import WORDINGS
from chalicelib.domain.review import Review, cleared, objected, reviewed, stopped
from chalicelib.store.pages import after_key, page_token
from chalicelib.store.sms import TEXTS
from tests.support.clinic import NOW

LINK = Link(IdentityKey("H1", "A"), "P", "confirmed", NOW)
REVIEW = Review("C1", "break_glass", "H1", "li", NOW, due_at=NOW + timedelta(hours=24))


def is_both(text):
    return any("一" <= character <= "鿿" for character in text) and any("a" <= one <= "z" for one in text)


def test_every_reason_has_its_words_in_both_languages():
    assert set(ASSISTED_REASONS) == set(get_args(AssistedReason))
    assert set(BREAK_GLASS_REASONS) == set(get_args(BreakGlassReason))
    for said in (*ASSISTED_REASONS.values(), *BREAK_GLASS_REASONS.values(), CONFIRMATION):
        assert is_both(said.zh + said.en)
        assert said.en.isascii()


def test_what_is_sent_or_shown_about_exceptions_is_in_both_languages():
    for template in ("emergency_access", "assisted_access"):
        assert is_both(TEXTS[template].format(hospital="第一医院"))
    for kind in ("break_glass", "assisted", "objection_taken", "reviewed_justified", "reviewed_not_justified"):
        assert is_both(WORDINGS[kind].zh + WORDINGS[kind].en)


def test_each_rule_says_whether_and_why():
    opens = {name for name, rule in BREAK_GLASS_RULES.items() if rule.opens}
    assert opens == {"frozen", "hidden"}
    assert all(len(rule.reason) > 40 for rule in BREAK_GLASS_RULES.values())
    assert emergency_scope(LINK) == "person"
    assert emergency_scope(replace(LINK, status="unconfirmed")) == "identity"
    assert emergency_scope(replace(LINK, status="contested")) is None
    assert emergency_scope(None) is None
    assert "doctor" not in WITNESS_ROLES


@pytest.mark.parametrize("typed", [CONFIRMATION.zh, f" {CONFIRMATION.en}\n"])
def test_either_sentence_confirms(typed):
    assert is_confirmed(typed)


@pytest.mark.parametrize(
    "typed", ["", CONFIRMATION.en.lower(), CONFIRMATION.zh[:-1], CONFIRMATION.zh + CONFIRMATION.en]
)
def test_nothing_but_the_whole_sentence_confirms(typed):
    assert not is_confirmed(typed)


def test_stops_are_a_set_of_reviews():
    from chalicelib.domain.consent import Doctor

    doctor = Doctor("li", "H1", "1", "李")
    both = stopped(stopped(stopped(doctor, "B"), "A"), "B")
    assert both.break_glass_stops == ("A", "B")
    assert cleared(both, "A").break_glass_suspended
    assert not cleared(cleared(both, "A"), "B").break_glass_suspended
    assert cleared(doctor, "A") == doctor


def test_an_objection_reopens_a_verdict_once_and_puts_nothing_off():
    later = NOW + timedelta(hours=1)
    first = objected(REVIEW, "no", later)
    assert (first.state, first.due_at, first.objected_at) == ("pending", REVIEW.due_at, later)
    judged = reviewed(REVIEW, "justified", "o", "ok", NOW)
    reopened = objected(judged, "no", later)
    assert (reopened.state, reopened.due_at, reopened.waits_for_due) == ("pending", None, False)
    again = reviewed(reopened, "justified", "o", "ok", later)
    assert objected(again, "no!", later) == again
    assert objected(reviewed(REVIEW, "not_justified", "o", "", NOW), "no", later).state == "not_justified"


def test_the_paper_tells_who_when_why_and_what_to_do():
    paper = HandOver("C1", "H1", "A1", "E1", "li", "w", "no_phone", NOW)
    text = printed(paper, Named("张三", "第一医院", "First Hospital", "李雷"))
    for word in ("张三", "第一医院", "李雷", "2026年11月24日10:00", "没有手机", "24小时", "5分钟", "窗口", "C1"):
        assert word in text.zh
    for word in (
        "张三",
        "First Hospital",
        "李雷",
        "2026-11-24 at 10:00",
        "no phone",
        "24 hours",
        "5 minutes",
        "desk",
        "C1",
    ):
        assert word in text.en
    assert "witness" in text.en
    assert paper.witness not in text.zh.split()


def test_a_page_token_is_read_back_and_nothing_else_is():
    last = {"PK": {"S": "HOSPITAL#H1"}, "SK": {"S": "REVIEW#01ABC"}}
    token = page_token(last, "REVIEW#")
    assert after_key("HOSPITAL#H1", "REVIEW#", token) == {"ExclusiveStartKey": last}
    assert page_token(None, "REVIEW#") == ""
    assert after_key("HOSPITAL#H1", "REVIEW#", "") == {}
    for bad in ("§", "a", "I0lERU5USVRZIw", "AAAA"):
        with pytest.raises(ValueError, match="token"):
            after_key("HOSPITAL#H1", "REVIEW#", bad)
