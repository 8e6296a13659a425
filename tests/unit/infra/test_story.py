"""That the story cannot claim what did not hold."""

from __future__ import annotations

import io
import string

import pytest
from rich.console import Console

from infra.local.client import Answer, Client, NotHeldError, expect, until
from infra.local.story import Stage, play
from infra.local.story_doctor import as_it_was, lasting_items
from infra.local.story_steps import STEPS
from infra.local.story_text import FRAME, TEXTS


@pytest.fixture
def stage() -> Stage:
    return Stage(Client({}), Console(file=io.StringIO(), width=200), "en")


def shown(stage: Stage) -> str:
    return stage.console.file.getvalue()


def held(stage: Stage) -> dict[str, object]:
    return {}


def fails(stage: Stage) -> dict[str, object]:
    expect(2 + 2 == 5, "arithmetic [gives way]")
    return {}


def breaks(stage: Stage) -> dict[str, object]:
    return {"names": {}["nothing"]}


def test_a_story_whose_steps_all_hold_is_true(stage: Stage) -> None:
    assert play(stage, {"doctor": held, "patient": held}) is True
    assert shown(stage).count("✓") == 2


@pytest.mark.parametrize("step", [fails, breaks])
def test_a_step_that_does_not_hold_ends_the_story_as_false(stage: Stage, step) -> None:
    assert play(stage, {"doctor": held, "patient": step, "notices": held}) is False
    assert shown(stage).count("✓") == 1
    assert "failed here" in shown(stage)


def test_what_failed_is_shown_as_it_is(stage: Stage) -> None:
    play(stage, {"doctor": fails})
    assert "arithmetic [gives way]" in shown(stage)


def test_an_answer_of_another_status_does_not_hold() -> None:
    with pytest.raises(NotHeldError, match="status 500 instead of"):
        Answer(500, {}, b"{}").of(200, 201)


def test_what_never_comes_does_not_hold() -> None:
    with pytest.raises(NotHeldError, match="rain"):
        until(lambda: None, "rain", seconds=0, pause=0)


def test_every_step_has_its_sentences_in_both_languages() -> None:
    assert list(STEPS) == list(TEXTS)
    assert FRAME["zh"].keys() == FRAME["en"].keys()
    for text in TEXTS.values():
        assert _names(text.zh_done) == _names(text.en_done)


def _names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def item(owner: str, what: str, **more: str) -> dict[str, dict[str, str]]:
    return {"PK": {"S": owner}, "SK": {"S": what}, **{name: {"S": value} for name, value in more.items()}}


DRILLED = [
    item("STUDY#H1#1.2", "SUMMARY", digest="b"),
    item("STUDY#H1#1.2", "MANIFEST#a#0"),
    item("HOSPITAL#H1", "QUARANTINE#2026-11-24/ab", state="asked"),
    item("HOSPITAL#H1", "PROFILE"),
]


@pytest.mark.parametrize(
    ("left", "same"),
    [
        (DRILLED, True),
        ([DRILLED[0], *DRILLED[2:]], True),  # a manifest that a later one had superseded
        (DRILLED[:3], True),  # the profile is not of the index
        (DRILLED[1:], False),
        ([*DRILLED[:2], DRILLED[3]], False),
        ([*DRILLED[:2], item("HOSPITAL#H1", "QUARANTINE#2026-11-24/ab", state="open")], False),
        ([*DRILLED, item("UID#1.2", "H1")], False),
    ],
)
def test_the_drill_of_a_rebuild_fails_when_a_study_or_a_step_after_a_quarantine_is_lost_or_another(left, same):
    assert as_it_was(lasting_items(DRILLED), lasting_items(left)) is same
