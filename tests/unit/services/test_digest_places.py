from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.study import Place, StudyRef
from chalicelib.services.digest_places import DigestPlaces
from tests.support.fakes_ingest import Crash
from tests.support.fakes_settle import FakeStudies

REF = StudyRef("H1", "1.2.3")
ONE, OTHER = Place("instances/H1/d/a", "v1", 0, 25), Place("archives/H1/d/b", "v2", 7, 25)


class Bucket:
    """Whole versions; `streamed` tells each range read, and the `dies_at`-th is cut off, once."""

    def __init__(self, **versions):
        self.versions, self.streamed, self.dies_at = versions, [], 0

    def sha256(self, place):
        self.streamed.append((place.version_id, place.offset, place.length))
        if len(self.streamed) == self.dies_at:
            raise Crash
        whole = self.versions.get(place.version_id)
        return whole and hashlib.sha256(whole[place.offset : place.offset + place.length]).hexdigest()


def digests(bucket, *places, studies=None, block=10):
    return DigestPlaces(studies or FakeStudies(), bucket, workers=1, block=block)(REF, places)


def test_a_place_of_one_block_has_its_own_sha256():
    bucket = Bucket(v1=b"x" * 25)
    assert digests(bucket, ONE, block=25) == {("v1", 0): hashlib.sha256(b"x" * 25).hexdigest()}


@given(st.binary(min_size=1, max_size=60), st.integers(0, 9), st.integers(1, 70), st.integers(0, 59))
def test_copies_are_equal_exactly_if_their_bytes_are_wherever_they_lie(content, offset, block, at):
    spoiled = bytearray(content)
    spoiled[at % len(content)] ^= 1
    pad = b"z" * offset
    bucket = Bucket(v1=content, v2=pad + content + b"end", v3=bytes(spoiled))
    one, two, three = (
        replace(ONE, version_id=f"v{n}", offset=o, length=len(content)) for n, o in ((1, 0), (2, offset), (3, 0))
    )
    found = digests(bucket, one, two, three, block=block)
    assert found["v1", 0] == found["v2", offset] != found["v3", 0]


@pytest.mark.parametrize("dies_at", range(1, 7))
def test_a_run_cut_off_leaves_only_what_it_had_not_read(dies_at):
    content = bytes(range(25))
    bucket, studies = Bucket(v1=content, v2=b"1234567" + content), FakeStudies()
    bucket.dies_at = dies_at
    with pytest.raises(Crash):
        digests(bucket, ONE, OTHER, studies=studies)
    found = digests(bucket, ONE, OTHER, studies=studies)
    assert found["v1", 0] == found["v2", 7]
    assert len(bucket.streamed) == 7, "six blocks, and the one that was cut off once more"


def test_bytes_that_are_gone_equal_nothing_and_are_kept_by_no_fact():
    studies = FakeStudies()
    assert digests(Bucket(), ONE, studies=studies)["v1", 0] == ""
    assert studies.digests(REF) == {}


def test_instances_of_a_pack_keep_their_facts_apart():
    first, second = replace(ONE, length=20), replace(ONE, offset=20, length=20)
    bucket, studies = Bucket(v1=b"a" * 20 + b"b" * 20), FakeStudies()
    found = digests(bucket, first, second, studies=studies)
    assert found["v1", 0] != found["v1", 20]
    assert sorted(studies.digests(REF)) == [("v1", 9), ("v1", 19), ("v1", 29), ("v1", 39)]
