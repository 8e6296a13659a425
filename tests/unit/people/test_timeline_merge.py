from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.page import opaque
from chalicelib.domain.study import StudyRef
from chalicelib.domain.timeline import Lane, merge, order, read_token
from tests.support.clinic import summary


def pages(lanes, limit, size):
    """Read all lanes the way the service does: up to `size` of each that stand before where the list goes on."""
    seen, token = [], ""
    for _ in range(500):
        before = read_token(token)
        found, last = merge([_read(items, before, size) for items in lanes.values()], limit)
        assert len(found) <= limit
        seen += found
        token = opaque(last)
        if not token:
            return seen
    raise AssertionError("it never ends")


def _read(items, before, size):
    rest = [item for item in items if not before or order(item) < before]
    return Lane(rest[:size], len(rest) > size)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(20260101, 20260105)), max_size=25),
    st.integers(1, 6),
    st.integers(1, 6),
)
def test_every_study_comes_once_newest_first_whatever_the_pages(studies, limit, size):
    lanes = {}
    for number, (lane, date) in enumerate(studies):
        ref = StudyRef(f"H{lane}", f"1.{number}")
        lanes.setdefault(str(lane), []).append(summary(ref, study_date=str(date)))
    for items in lanes.values():
        items.sort(key=order, reverse=True)
    expected = sorted((item for items in lanes.values() for item in items), key=order, reverse=True)
    assert pages(lanes, limit, size) == expected


def test_no_lanes_make_an_empty_list_that_has_ended():
    assert merge([], 5) == ((), "")


def test_a_token_names_a_place_and_no_patient_however_many_identities_there_are():
    lanes = [
        Lane([summary(StudyRef(f"H{number}", "1.2"), patient_id="SECRET", study_date="20261124")], has_more=True)
        for number in range(200)
    ]
    _, last = merge(lanes, 1)
    assert base64.urlsafe_b64decode(opaque(last) + "==") == b"20261124#H99#1.2"


@pytest.mark.parametrize("token", ["?", "e30", "WzEsMiwzXQ", "bnVsbA", "MjAyNjExMjQ", "5Lit"])
def test_a_token_of_someone_elses_is_refused(token):
    with pytest.raises(ValueError, match="not a continuation token"):
        read_token(token)
