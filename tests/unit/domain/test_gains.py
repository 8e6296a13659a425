"""Figures equal a recount from what happened, however often and in whatever order it was told."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.alert import Alert, Prior
from chalicelib.domain.body_region import Part, regions
from chalicelib.domain.gains import (
    ANSWERED,
    HAPPENINGS,
    MEASURES,
    OUTCOMES,
    OVERRIDES,
    REASONS,
    Happening,
    by_source,
    figures,
)
from chalicelib.domain.repeat import WITHIN, outcome
from chalicelib.domain.savings import dose, prices, savings
from chalicelib.domain.similarity import exam_of
from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.domain.summary import destroyed

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
OWN = Hospital("H2", "二院")
PRIOR = StudyRef("H1", "1.2.3")
ALERT = Alert(
    "a", "H2", "d1", "E1", "Q1", exam_of("CT", "胸部CT平扫"), (Prior(PRIOR, "duplicate", 3, recognisable=True),), NOW
)

happenings = st.builds(
    Happening,
    measure=st.sampled_from([*HAPPENINGS, ANSWERED]),
    key=st.sampled_from("abcd"),
    day=st.just("2026-11-24"),
    at=st.integers(0, 3).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    receiving=st.sampled_from(["H1", "H2"]),
    source=st.sampled_from(["H1", "H3"]),
    encounter_id=st.just("E1"),
    group=st.sampled_from(["CT", "MR", "XA"]),
    parts=st.sampled_from([("CHEST",), ("HEAD", "CHEST"), ()]),
    revision=st.integers(0, 3),
)


def recount(told):
    """In another way: the last word on each thing, then each figure by itself."""
    decided = {"recognised", "passed_over", *REASONS}
    total = Counter()
    for kinds in (decided, {*OVERRIDES, ANSWERED}, set(OUTCOMES), {"alerts"}, {"viewed"}):
        things = {(one.receiving, one.key) for one in told if one.measure in kinds}
        for thing in things:
            said = [one for one in told if (one.receiving, one.key) == thing and one.measure in kinds]
            last = max(said, key=lambda one: (one.revision, one.at, one.measure))
            same = [
                one for one in said if (one.revision, one.at, one.measure) == (last.revision, last.at, last.measure)
            ]
            total[last.measure] += last.measure != ANSWERED
            total["refused"] += last.measure in (*REASONS, *OVERRIDES)
            if last.measure == "avoided":
                saved = savings(same[0].group, tuple(map(Part.of, same[0].parts)))
                total["film_fen"] += saved.film_fen
                total["fee_fen"] += saved.fee_fen
                total["dose_known"] += saved.dose_usv is not None
                total["dose_usv"] += saved.dose_usv or 0
    return +total


@settings(max_examples=150, deadline=None)
@given(st.lists(happenings, max_size=25), st.randoms(use_true_random=False))
def test_the_figures_are_a_recount_under_any_repetition_and_order(told, rng):
    facts = {
        (one.receiving, one.measure, one.key, one.revision): one for one in told
    }  # what a place holds first, stays
    plain = list(facts.values())
    again = plain + [rng.choice(plain) for _ in range(10 if plain else 0)]
    rng.shuffle(again)
    wanted = recount(plain)
    assert figures(again) == wanted
    assert sum(by_source(again).values(), Counter()) == wanted
    assert set(wanted) <= set(MEASURES)


def test_the_last_judgement_counts_and_no_other():
    said = Happening("refused_3", "k", "2026-11-24", NOW, "H2", "H1", "E1", revision=1)
    again = replace(said, measure="recognised", revision=2)
    assert figures([again, said, said]) == {"recognised": 1}


# What became of a reminder


def made(description="胸部CT平扫", modality="CT", hospital_id="H2", after=timedelta(days=1), **changes):
    exam = exam_of(modality, description)
    plain = replace(destroyed(StudyRef(hospital_id, "1.2.9")), state="served", modalities=(modality,))
    known = replace(plain, regions=tuple(map(str, exam.parts)), exam_ended_at=NOW + after)
    return replace(known, **changes)


@pytest.mark.parametrize(
    ("study", "wanted"),
    [
        (made(), "repeated"),
        (made("胸腹部CT增强"), "repeated"),
        (made("头颅CT平扫"), "avoided"),
        (made("胸部正位DR", "DX"), "avoided"),
        (made(hospital_id="H3"), "avoided"),
        (made(after=WITHIN), "repeated"),
        (made(after=WITHIN + timedelta(seconds=1)), "avoided"),
        (made(after=timedelta(0)), "avoided"),
        (made(exam_ended_at=None, study_date="20261124"), "repeated"),
        (made(exam_ended_at=None, study_date="2026.12.01"), "repeated"),
        (made(exam_ended_at=None, study_date="20261202"), "avoided"),
        (made(exam_ended_at=None, study_date="nobody knows"), "avoided"),
        (made(state="conflicted"), "avoided"),
        (made(rejected=True), "avoided"),
        (made(ref=PRIOR), "avoided"),
    ],
)
def test_a_repeat_is_what_was_ordered_made_there_within_seven_days(study, wanted):
    assert outcome(ALERT, [study], OWN, opened=True) == wanted
    assert outcome(ALERT, [study], OWN, opened=False) == wanted.replace("avoided", "untouched")


def test_a_part_of_what_was_ordered_is_neither_repeated_nor_avoided():
    both = replace(ALERT, exam=exam_of("CT", "胸腹部CT平扫"))
    assert outcome(both, [made()], OWN, opened=True) == "unclear"
    assert outcome(both, [made(), made("胸腹部CT平扫")], OWN, opened=True) == "repeated"


# The tables


def test_a_film_is_sixteen_yuan_and_four_are_printed():
    assert savings("CT", (Part("CHEST"),)).film_fen == 4 * 1600


def test_the_dose_is_of_all_regions_or_not_known():
    assert dose("CT", (Part("CHEST"), Part("LIVER"))) == 15_000
    assert dose("CT", (Part("CHEST"), Part("KNEE"))) is None
    assert dose("CT", ()) is None
    assert dose("MR", (Part("KNEE"),)) == 0


def test_the_tables_name_regions_that_there_are_and_sensible_amounts():
    from chalicelib.domain.body_region import rows

    assert {region for _, region, _ in rows("doses.tsv")} <= set(regions())
    assert all(0 < int(usv) <= 20_000 for _, _, usv in rows("doses.tsv"))
    assert all(fee > 0 and films in range(9) for fee, films in prices().values())
