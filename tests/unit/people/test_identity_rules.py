from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identity import (
    IdentityKey,
    Link,
    Person,
    is_placeholder,
    normal_date,
    normal_sex,
    person_of,
    stand_in,
)
from chalicelib.domain.names import name_key, names_agree, names_conflict
from chalicelib.domain.national_id import BadNationalId, check_digit, read_national_id
from chalicelib.domain.phone import masked_phone, normal_phone
from chalicelib.domain.ulid import ALPHABET, LENGTH, ulid, ulid_floor

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


def national_id(birth_date="19800102", order="011", region="320102"):
    first = f"{region}{birth_date}{order}"
    return first + check_digit(first)


# Placeholders


@pytest.mark.parametrize(
    "local_id",
    [
        *("", " ", "0", "00", "000000", "０００", "123456", "12345678", "1234567890", "999999", "???", "xxx"),
        *("TEST", "test-01", "Test 2", "ANONYMOUS", "unknown", "N/A", "null", "匿名", "无名氏"),
    ],
)
def test_an_id_that_names_nobody_is_a_placeholder(local_id):
    assert is_placeholder(local_id)


@pytest.mark.parametrize("name", ["无名氏", "无名氏^", "匿名", "无名男 3", "Anonymous", "TEST=测试", "^无名氏", "水模"])
def test_a_name_that_names_nobody_is_a_placeholder(name):
    assert is_placeholder("A100", name)


@pytest.mark.parametrize(
    ("local_id", "name"),
    [
        ("1", "张三"),
        ("12345", ""),
        ("1CT1", "CompressedSamples^CT1"),
        ("A0", "吴名"),
        ("P0001", "Testa^Maria"),
        ("100000", "王测"),
        ("4MR1", "CompressedSamples^MR1"),
        ("10086", "Wu^Ming=吴明"),
    ],
)
def test_a_real_patient_is_no_placeholder(local_id, name):
    assert not is_placeholder(local_id, name)


# Names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("张三", "张^三"),
        ("张三", "Zhang^San=张^三"),
        ("Zhang^San=张^三", "张 三="),
        ("ZHANG SAN", "zhang^san"),
        ("Zhang^San", "Zhang^San=张^三"),
        ("Lǐ^Sì", "li si"),
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
        ("阿卜杜拉・买买提", "阿卜杜拉^买买提"),
        ("阿卜杜拉．买买提", "阿卜杜拉买买提"),
        ("張三=", "張三"),
        ("Ｚｈａｎｇ　Ｓａｎ", "ZHANGSAN"),
        ("\ue81e", "\u9fb4"),
        ("=张^三", "张三"),
    ],
)
def test_spellings_of_one_name_agree(one, other):
    assert names_agree(one, other)
    assert names_agree(other, one)
    assert not names_conflict(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("张三", "张珊"), ("Zhang^San=张^三", "Zhang^San=张^珊"), ("LI SI", "LI SHI"), ("张三", "李四")],
)
def test_unlike_names_conflict(one, other):
    assert not names_agree(one, other)
    assert names_conflict(one, other)


@pytest.mark.parametrize(("one", "other"), [("张三", "ZHANG SAN"), ("", "张三"), ("", ""), ("^", "张三")])
def test_han_against_pinyin_or_nothing_says_nothing(one, other):
    assert not names_agree(one, other)
    assert not names_conflict(one, other)


@given(st.text(), st.text())
def test_no_names_both_agree_and_conflict(one, other):
    assert not (names_agree(one, other) and names_conflict(one, other))
    assert names_agree(one, other) == names_agree(other, one)


@given(st.text(alphabet="张三李四阿卜·^ ", min_size=1))
def test_a_name_agrees_with_itself_however_it_is_spaced(name):
    if name_key(name).han:
        assert names_agree(name, " ".join(name))


# National ids


def test_a_good_number_tells_birth_date_and_sex():
    read = read_national_id(f" {national_id().lower()} ", NOW)
    assert (read.birth_date, read.sex) == ("19800102", "M")
    assert read_national_id(national_id(order="022"), NOW).sex == "F"


def test_the_standards_own_example_is_good():
    assert read_national_id("11010519491231002X", NOW).birth_date == "19491231"


@pytest.mark.parametrize("region", ["000000", "999999", "320102", "320000", "829999"])
def test_no_region_code_is_ever_a_reason_to_refuse(region):
    assert read_national_id(national_id(region=region), NOW)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", "length"),
        ("12345", "length"),
        ("320102800102011", "legacy"),
        ("3201021980010201AX", "characters"),
        (national_id("19800230"), "birth_date"),
        (national_id("18991231"), "birth_date"),
        (national_id("20261126"), "birth_date"),
        ("11010519491231003X", "check_digit"),
    ],
)
def test_a_bad_number_is_refused_by_the_name_of_its_fault(number, reason):
    with pytest.raises(BadNationalId) as bad:
        read_national_id(number, NOW)
    assert bad.value.reason == reason
    assert not number or number not in str(bad.value)


def test_births_are_dated_in_beijing():
    assert read_national_id(national_id("20261125"), NOW)


@given(st.integers(0, 16), st.integers(1, 9))
def test_any_one_wrong_digit_is_found(position, change):
    number = national_id()
    wrong = str((int(number[position]) + change) % 10)
    with pytest.raises(BadNationalId):
        read_national_id(number[:position] + wrong + number[position + 1 :], NOW)


def test_neither_number_nor_phone_shows_in_a_repr():
    read = read_national_id(national_id(), NOW)
    assert read.number not in repr(read)
    assert "138" not in repr(Person("P", phone="13800138000"))
    assert "138" not in repr(Link(IdentityKey("H", "A"), "P", "confirmed", NOW, phone="13800138000"))


# Phones


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "+86 138 0013 8000",
        "0086-138-0013-8000",
        "86 13800138000",
        "(138)00138000",
        "１３８００１３８０００",
    ],
)
def test_a_mainland_mobile_number_is_found_however_it_is_typed(text):
    assert normal_phone(text) == "13800138000"


@pytest.mark.parametrize("text", ["", "12800138000", "1380013800", "138001380001", "025-88888888", "+1 13800138000"])
def test_anything_else_is_no_number(text):
    assert normal_phone(text) == ""


def test_a_phone_is_shown_masked():
    assert masked_phone("13800138000") == "138****8000"
    assert masked_phone("") == ""


# Small things


@pytest.mark.parametrize(
    ("text", "date"),
    [("1980-01-02", "19800102"), ("1980/1/2", "19800102"), ("19800102", "19800102"), ("1980", ""), ("", "")],
)
def test_dates_are_compared_as_eight_digits(text, date):
    assert normal_date(text) == date


def test_sexes_are_compared_as_dicom_writes_them():
    assert [normal_sex(text) for text in ("M", "女", "female", "O", "?")] == ["M", "F", "F", "O", ""]


def test_a_person_id_is_26_characters_of_the_hash_and_a_stand_in_is_none():
    person_id = person_of(bytes(range(32)))
    assert len(person_id) == LENGTH
    assert set(person_id) <= set(ALPHABET)
    assert person_of(bytes(range(1, 33))) != person_id
    assert len(stand_in(IdentityKey("H1", "A1"))) != LENGTH
    assert stand_in(IdentityKey("H1", "A1")) != stand_in(IdentityKey("H", "1A1"))


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_ulids_sort_by_time(one_ms, other_ms):
    one, other = sorted(NOW + timedelta(milliseconds=ms) for ms in (one_ms, other_ms))
    assert ulid_floor(one) <= ulid(one, b"\xff" * 10)
    if one < other:
        assert ulid(one, b"\xff" * 10) < ulid_floor(other)


def test_a_ulid_is_the_specifications():
    at = datetime.fromtimestamp(1469918176385 / 1000, UTC).replace(microsecond=385000)
    assert ulid(at, bytes(10)) == "01ARYZ6S41" + "0" * 16
    with pytest.raises(ValueError, match="10 random bytes"):
        ulid(at, b"short")
