"""The operator's guide: its commands, tried, and that none is left out without a reason."""

from __future__ import annotations

import sys

import pytest

from infra.rehearse import guide
from infra.rehearse.guide import GUIDE, Block, CommandFailedError, Desk, blocks, play
from infra.rehearse.operate import WORDS
from tests.support.local_cloud import run_to_end

GIVEN = blocks(GUIDE.read_text(encoding="utf-8"))


@pytest.mark.exhaustive
def test_every_command_of_the_guide_works_and_does_what_it_says(package, tmp_path):
    given = ["--package", str(package.directory), "--directory", str(tmp_path / "run"), "--lang", "en"]
    done = run_to_end([sys.executable, "-m", "infra.rehearse.operate", *given])
    assert done.returncode == 0, done.stdout + done.stderr
    tried = [block for block in GIVEN if not block.reason and block.section != GIVEN[0].section]
    assert done.stdout.count("✓") == len(tried)
    for block in GIVEN:
        assert block.reason in done.stdout


def test_the_guide_has_a_block_for_each_part_of_an_operators_life():
    assert list(dict.fromkeys(block.section for block in GIVEN)) == [
        "Before each of these",
        "First deployment",
        "Upgrade",
        "Rollback",
        "Keys and secrets",
        "Onboarding",
        "Incident",
        "Restore",
        "Disposal",
        "Decommissioning",
    ]


def test_blocks_are_read_with_their_section_and_the_reason_behind_them():
    text = "## A\n\n```sh\none\n```\n\n<!-- not rehearsed: no\nDNS -->\n\n## B\n```sh\ntwo\nthree\n```\n"
    assert blocks(text) == [Block("A", "one\n", "no\nDNS"), Block("B", "two\nthree\n")]


def test_a_command_that_fails_stops_the_guide_and_says_where(tmp_path):
    desk = Desk(tmp_path, {"PATH": "/usr/bin:/bin"})
    given = [Block("Opening", "word=said\n"), Block("A", 'echo "$word"\n'), Block("B", "false\necho on\n")]
    ran = play(desk, given)
    assert next(ran) == (given[1], "said\n")
    with pytest.raises(CommandFailedError, match="B: false"):
        next(ran)
    assert guide.opening(given) == "word=said\n"


def test_both_languages_have_every_word():
    assert set(WORDS["zh"]) == set(WORDS["en"])
