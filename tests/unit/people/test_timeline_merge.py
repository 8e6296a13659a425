from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.study import StudyRef
from chalicelib.domain.timeline import Lane, Position, merge, order, read_token
from tests.support.clinic import summary


def pages(lanes, limit, size):
    """Read all lanes the way the service does: a page of `size` each time from each lane's own start."""
    seen, token = [], ""
    for _ in range(500):
        position = read_token(token)
        read = [_read(name, items, position, size) for name, items in lanes.items() if not position.is_done(name)]
        found, position = merge(read, position, limit)
        assert len(found) <= limit
        seen += found
        token = position.token()
        if not token:
            return seen
    raise AssertionError("it never ends")


def _read(name, items, position, size):
    start = int(position.start(name) or 0)
    while True:
        page = items[start : start + size]
        following = str(start + size) if items[start + size :] else ""
        fresh = position.after(page)
        if fresh or not following:
            return Lane(name, str(start), fresh, following)
        start = int(following)


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
    assert merge([], Position(), 5) == ((), Position())


@pytest.mark.parametrize("token", ["?", "e30", "WzEsMiwzXQ", "WyJhIix7ImIiOjF9LFtdXQ", "bnVsbA"])
def test_a_token_of_someone_elses_is_refused(token):
    with pytest.raises(ValueError, match="not a token"):
        read_token(token)
