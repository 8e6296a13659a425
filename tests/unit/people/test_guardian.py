"""Ages to the second, what proves a guardian, and when that ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.guardian import (
    ADULT_WARD_LIFE,
    DOCUMENTS,
    WAIT,
    Document,
    GuardianRefused,
    Proof,
    birthday,
    is_under,
    needs_guardian,
    proven,
)
from chalicelib.domain.in_app import WORDINGS, InAppKind
from chalicelib.domain.national_id import NationalId
from chalicelib.domain.qr import qr_key, qr_text
from tests.support.clinic import NOW

SECOND = timedelta(seconds=1)
CHILD = NationalId("", "20180601", "F")
TEEN = NationalId("", "20110601", "F")
ADULT = NationalId("", "19500101", "M")
MOTHER = NationalId("", "19880101", "F")


def proof(ward=CHILD, kind="minor", document="birth_certificate", **changes):
    values = {"ward_id": "W", "ward": ward, "guardian_id": "G", "guardian": MOTHER, "kind": kind, "document": document}
    return Proof(**{**values, "hospital_id": "H1", "proven_by": "clerk", **changes})


@pytest.mark.parametrize(
    ("born", "years", "instant"),
    [
        ("20121124", 14, datetime(2026, 11, 23, 16, tzinfo=UTC)),  # midnight in Beijing
        ("20080229", 18, datetime(2026, 2, 27, 16, tzinfo=UTC)),  # Civil Code Art. 202
        ("20080229", 20, datetime(2028, 2, 28, 16, tzinfo=UTC)),
    ],
)
def test_a_birthday_begins_at_midnight_in_beijing(born, years, instant):
    assert birthday(born, years) == instant
    assert is_under(born, years, instant - SECOND)
    assert not is_under(born, years, instant)


def test_whoever_has_no_birth_date_is_no_child():
    for text in ("", "unknown", "20261399"):
        assert not needs_guardian(text, NOW)


@given(st.dates(date(1950, 1, 1), date(2026, 1, 1)), st.integers(0, 40_000))
def test_nobody_grows_younger(born, days):
    text = born.strftime("%Y%m%d")
    at = birthday(text, 0) + timedelta(days=days)
    if not needs_guardian(text, at):
        assert not needs_guardian(text, at + SECOND)
        assert at >= birthday(text, 14)


def test_a_minors_guardianship_begins_at_once_and_ends_with_their_eighteenth_birthday():
    held = proven(None, proof(), "R", NOW)
    assert (held.ward, held.starts_at, held.ends_at) == ("R", NOW, birthday("20180601", 18))
    assert held.is_live(NOW)
    assert held.is_live(held.ends_at - SECOND)
    assert not held.is_live(held.ends_at)


def test_an_adults_guardianship_waits_three_days_and_lasts_a_year():
    held = proven(None, proof(ADULT, "incapacity", "court_decision"), "R", NOW)
    assert not held.is_live(NOW + WAIT - SECOND)
    assert held.is_live(NOW + WAIT)
    assert held.is_live(NOW + ADULT_WARD_LIFE - SECOND)
    assert not held.is_live(NOW + ADULT_WARD_LIFE)
    later = NOW + timedelta(days=300)
    renewed = proven(held, proof(ADULT, "incapacity", "court_decision"), "other", later)
    assert (renewed.ward, renewed.starts_at, renewed.ends_at) == ("R", later, later + ADULT_WARD_LIFE)
    lapsed = NOW + timedelta(days=400)
    again = proven(held, proof(ADULT, "incapacity", "court_decision"), "other", lapsed)
    assert again.starts_at == lapsed + WAIT


def test_a_childs_second_guardian_waits_and_a_first_or_renewed_one_does_not():
    second = proven(None, proof(has_another=True), "R", NOW)
    assert second.waits(NOW + WAIT - SECOND)
    assert not second.is_live(NOW + WAIT - SECOND)
    assert second.is_live(NOW + WAIT)
    assert not second.waits(NOW + WAIT)
    assert proven(proven(None, proof(), "R", NOW), proof(has_another=True), "R", NOW).is_live(NOW)
    assert proven(second, proof(has_another=True), "R", NOW + SECOND).starts_at == NOW + SECOND + WAIT


def test_whoever_turned_eighteen_needs_a_decision_of_their_own_and_is_told_first():
    held = proven(None, proof(TEEN), "R", NOW)
    grown = birthday("20110601", 18)
    with pytest.raises(GuardianRefused, match="ward_adult"):
        proven(held, proof(TEEN), "R", grown)
    as_adult = proven(held, proof(TEEN, "incapacity", "court_decision"), "R", grown)
    assert as_adult.starts_at == grown + WAIT


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"guardian_id": "W"}, "same_person"),
        ({"guardian": TEEN}, "guardian_minor"),
        ({"ward": ADULT}, "ward_adult"),
        ({"kind": "incapacity", "document": "court_decision"}, "ward_minor"),
        ({"ward": ADULT, "kind": "incapacity"}, "document"),
        ({"ward": ADULT, "kind": "incapacity", "document": "household_register"}, "document"),
    ],
)
def test_a_desk_refuses_what_makes_nobody_a_guardian(changes, reason):
    with pytest.raises(GuardianRefused) as refused:
        proven(None, proof(**changes), "R", NOW)
    assert refused.value.reason == reason


def test_an_objection_is_lifted_only_with_the_ward_at_the_desk():
    held = replace(proven(None, proof(TEEN), "R", NOW), objected_at=NOW)
    assert not held.is_live(NOW)
    with pytest.raises(GuardianRefused, match="objected"):
        proven(held, proof(TEEN), "R", NOW)
    assert proven(held, proof(TEEN, ward_present=True), "R", NOW).is_live(NOW)


def test_a_ward_is_told_from_fourteen_on():
    held = proven(None, proof(), "R", NOW)
    fourteen = birthday("20180601", 14)
    assert not held.tells_ward(fourteen - SECOND)
    assert held.tells_ward(fourteen)
    assert proven(None, proof(ADULT, "incapacity", "court_decision"), "R", NOW).tells_ward(NOW)


def test_every_document_proves_something_and_every_notice_has_its_words():
    assert frozenset(get_args(Document)) == DOCUMENTS["minor"] | DOCUMENTS["incapacity"]
    assert set(get_args(InAppKind)) <= set(WORDINGS)
    assert all(wording.zh and wording.en for wording in WORDINGS.values())


def test_a_qr_says_nothing_and_only_ours_have_a_key():
    text = qr_text(bytes(range(32)))
    assert text == "IC1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert len(qr_key(text)) == 64
    assert qr_key(f" {text}\n") == qr_key(text)
    for other in ("", text[:-1], f"{text}A", text.replace("IC1", "IC2"), "https://example.test"):
        assert qr_key(other) == ""
