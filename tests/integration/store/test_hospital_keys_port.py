"""The HospitalKeys and JoiningCodes ports, as the fakes and DynamoDB keep them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.joining_code import LIFE, TRIES, make_code, read_code
from chalicelib.store.hospital_keys import DynamoHospitalKeys, DynamoJoiningCodes
from tests.support.fakes_joining import FakeHospitalKeys, FakeJoiningCodes
from tests.support.hospital_keys import registered
from tests.support.tokens import NOW

FIRST, SECOND, OTHERS = registered("H1", "k1"), registered("H1", "k2"), registered("H2", "k1")
ENDED = replace(FIRST, ended_at=NOW + timedelta(days=1), ended_by="pacs-1")


@pytest.fixture(params=["fake", "dynamo"])
def keys(request):
    if request.param == "fake":
        return FakeHospitalKeys()
    cloud = request.getfixturevalue("cloud")
    return DynamoHospitalKeys(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"])


@pytest.fixture(params=["fake", "dynamo"])
def codes(request):
    if request.param == "fake":
        return FakeJoiningCodes()
    cloud = request.getfixturevalue("cloud")
    return DynamoJoiningCodes(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"])


def code(byte=7, hospital_id="H1"):
    text, kept = make_code(hospital_id, bytes([byte] * 15), NOW)
    return read_code(text), kept


def test_a_key_comes_back_as_it_was_added_and_under_its_own_hospital_only(keys):
    assert keys.add(FIRST)
    assert keys.add(OTHERS)
    assert keys.get("H1", FIRST.key.kid) == FIRST
    assert keys.get("H2", SECOND.key.kid) is None
    assert keys.of("H1") == (FIRST,)
    assert keys.of("H3") == ()


def test_a_key_is_added_once_and_one_that_ended_never_again(keys):
    assert keys.add(FIRST)
    assert not keys.add(replace(FIRST, added_by="other"))
    keys.end(ENDED)
    assert not keys.add(FIRST)
    assert keys.of("H1") == (ENDED,)


def test_a_key_ends_once_and_stays_as_it_ended_first(keys):
    keys.add(FIRST)
    keys.end(ENDED)
    keys.end(replace(ENDED, ended_at=NOW + timedelta(days=9), ended_by="r1"))
    assert keys.get("H1", FIRST.key.kid) == ENDED


def test_an_end_that_is_told_before_the_adding_holds(keys):
    keys.end(ENDED)
    assert not keys.add(FIRST)
    assert not [one for one in keys.of("H1") if one.is_live]


def test_a_key_is_added_beside_a_live_one_only(keys):
    assert not keys.add(SECOND, beside=FIRST.key.kid)
    keys.add(FIRST)
    assert keys.add(SECOND, beside=FIRST.key.kid)
    keys.end(ENDED)
    assert not keys.add(registered("H1", "k3"), beside=FIRST.key.kid)
    assert {one.key.kid for one in keys.of("H1")} == {FIRST.key.kid, SECOND.key.kid}


def test_a_code_is_kept_without_what_proves_it(codes):
    typed, kept = code()
    codes.put(kept)
    assert codes.get("H1") == kept
    assert codes.get("H2") is None
    assert codes.take_try("H1", typed, NOW).proves(typed)


def test_each_try_of_a_codes_name_counts_and_no_other(codes):
    typed, kept = code()
    codes.put(kept)
    assert codes.take_try("H1", code(8)[0], NOW) is None
    assert codes.take_try("H2", typed, NOW) is None
    found = [codes.take_try("H1", typed, NOW) for _ in range(TRIES + 2)]
    assert [one and one.tries for one in found] == [1, 2, 3, 4, 5, None, None]


def test_a_code_ends_by_the_clock(codes):
    typed, kept = code()
    codes.put(kept)
    assert codes.take_try("H1", typed, NOW + LIFE - timedelta(seconds=1))
    assert codes.take_try("H1", typed, NOW + LIFE) is None


def test_a_code_is_used_up_once_and_a_newer_one_stays(codes):
    _, first = code()
    typed, second = code(8)
    codes.put(first)
    codes.put(second)
    assert not codes.use_up(first)
    assert codes.use_up(second)
    assert not codes.use_up(second)
    assert codes.take_try("H1", typed, NOW) is None
    codes.void("H1")


def test_of_a_crowd_at_once_no_more_than_five_get_a_try(cloud):
    codes = DynamoJoiningCodes(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"])
    typed, kept = code()
    codes.put(kept)
    with ThreadPoolExecutor(8) as crowd:
        found = list(crowd.map(lambda _: codes.take_try("H1", typed, NOW), range(24)))
    assert len([one for one in found if one]) == TRIES
