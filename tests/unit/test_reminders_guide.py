"""What the guide shows ordering systems is what we understand and keep."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chalicelib.domain import similarity
from chalicelib.domain.alert import ID
from chalicelib.domain.code import REMINDERS, REMINDERS_OF_PERSON
from chalicelib.domain.repeat_reason import CODES, REPEAT_REASONS, SYSTEM
from chalicelib.domain.similarity import exam_of
from chalicelib.http.asked import Fields
from chalicelib.http.cds_hooks import CALL
from chalicelib.http.cds_orders import MOST_ORDERS, read_ordering
from tests.support.ordering import faults

GUIDES = ("infra/REMINDERS.md", "infra/REMINDERS.zh-CN.md")


@pytest.fixture(params=GUIDES)
def guide(request):
    return Path(request.param).read_text("utf-8")


def examples(guide):
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", guide, re.DOTALL)]


def test_the_order_it_shows_is_read(guide):
    order, _ = examples(guide)
    ordering = read_ordering(Fields(order, CALL), "order-sign", "H1")
    assert (ordering.doctor_id, ordering.encounter_ids, ordering.patient_ids) == ("doctor-li", ("E-1",), {"Q1"})
    assert [draft.exam for draft in ordering.drafts] == [exam_of("CT", "胸部CT平扫")]


def test_the_feedback_it_shows_has_a_card_s_id_and_a_code_of_ours(guide):
    _, feedback = examples(guide)
    (one,) = feedback["feedback"]
    assert ID.fullmatch(one["card"])
    assert one["overrideReason"]["reason"]["system"] == SYSTEM
    assert one["overrideReason"]["reason"]["code"] in CODES


def test_what_it_shows_has_the_published_shapes(guide):
    order, feedback = examples(guide)
    assert not faults("request", order)
    assert not faults("feedbackRequest", feedback)


CARD = {"summary": "x", "indicator": "info", "source": {"label": "x"}}
LINK = {"label": "x", "url": "https://x.example.test", "type": "absolute"}
FEEDBACK = {"card": "x", "outcome": "overridden", "outcomeTimestamp": "2026-11-24T08:00:00Z"}


@pytest.mark.parametrize(
    ("shape", "wrong"),
    [
        ("card", {**CARD, "summary": "x" * 140}),
        ("card", {**CARD, "indicator": "hard-stop"}),
        ("card", {**CARD, "suggestions": []}),
        ("card", {**CARD, "links": [{**LINK, "appContext": "x"}]}),
        ("card", {**CARD, "overrideReasons": [{"code": "1", "system": "x"}]}),
        ("card", {**CARD, "patient": "x"}),
        ("answer", {"cards": [CARD], "systemActions": [{"type": "update"}]}),
        ("feedbackRequest", {"feedback": [{**FEEDBACK, "outcome": "accepted"}]}),
        ("feedbackRequest", {"feedback": [{**FEEDBACK, "outcomeTimestamp": "2026-11-24T08:00:00+08:00"}]}),
        ("tokenHeader", {"alg": "HS256", "kid": "x", "typ": "JWT"}),
    ],
)
def test_the_published_shapes_refuse_what_they_forbid(shape, wrong):
    right = {"card": CARD, "answer": {"cards": []}, "feedbackRequest": {"feedback": [FEEDBACK]}}
    right["tokenHeader"] = {"alg": "ES384", "kid": "x", "typ": "JWT"}
    assert not faults(shape, right[shape])
    assert faults(shape, wrong)


def test_its_numbers_are_the_codes(guide):
    plain = guide.replace(",", "")
    for number in (REMINDERS.count, REMINDERS_OF_PERSON.count, MOST_ORDERS, similarity.RELATED):
        assert str(number) in plain
    assert len(REPEAT_REASONS) == 6


def test_both_languages_show_the_same():
    english, chinese = (examples(Path(name).read_text("utf-8")) for name in GUIDES)
    assert english == chinese
