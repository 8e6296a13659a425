"""Requests are parsed strictly, and what is wrong is named by its field only."""

import contextlib
from datetime import UTC, date, datetime, timedelta

import pytest
from chalice.app import Request
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import Caller
from chalicelib.domain.study import StudyRef
from chalicelib.http.asked import CALLER, MAX_BODY, Asked, BadRequest
from chalicelib.http.kinds import DAY, FLAG, INSTANT, TOKEN, one_of, optional, text, whole

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
QUERIES = {"token": TOKEN, "from": optional(DAY), "to": optional(DAY)}
BODY = {
    "name": text(),
    "phone": text(),
    "empty": optional(text()),
    "none": optional(text()),
    "absent": optional(text(), "else"),
    "from": INSTANT,
    "sex": one_of("MFO"),
    "n": whole(),
    "m": optional(whole(), 7),
    "yes": FLAG,
    "no": optional(FLAG, default=True),
    "day": DAY,
}


def asked(body=None, path=None, query=None, caller=None, declared=BODY):
    event = {
        "multiValueQueryStringParameters": query,
        "headers": {},
        "pathParameters": path,
        "requestContext": {"httpMethod": "POST", "resourcePath": "/x", CALLER: caller},
        "body": body,
        "stageVariables": {},
    }
    return Asked(Request(event), path or {}, NOW, declared, QUERIES)


def refused(parse):
    with pytest.raises(BadRequest) as told:
        parse()
    return told.value.field


@pytest.mark.parametrize(
    "body", [None, "", "[]", "1", "{", '"x"', "null", '{"a": NaN}', '{"a": Infinity}', "[" * 100_000, b"\xff"]
)
def test_a_body_is_a_json_object(body):
    assert refused(asked(body).fields) == "body"


def test_a_body_beyond_what_a_function_can_be_handed_is_refused():
    assert refused(asked("x" * (MAX_BODY + 1)).fields) == "body"


@pytest.mark.parametrize("value", ["null", '""', '"  "', "1", "[]", '"a\\u0000b"', '"\\ud800"', '"' + "x" * 257 + '"'])
def test_a_text_is_text(value):
    assert refused(lambda: asked(f'{{"name": {value}}}').fields().text("name")) == "name"


def test_a_text_is_kept_as_it_is():
    fields = asked('{"name": "张三 ", "empty": "", "none": null}').fields()
    assert fields.text("name") == "张三 "
    assert [fields.text(name) for name in ("empty", "none", "absent")] == ["", "", "else"]


@pytest.mark.parametrize(
    "at",
    [
        "now",
        "2026-11-24",
        "2026-11-24T08:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:00:00-08:00",
        "0002-01-01Z",
    ],
)
def test_an_instant_is_one_that_can_be_reckoned_with(at):
    assert refused(lambda: asked(f'{{"from": "{at}"}}').fields().instant("from")) == "from"


def test_an_instant_has_any_zone():
    told = asked('{"from": "2026-11-24T08:00:00+08:00"}').fields().instant("from")
    assert (told, told.tzinfo) == (datetime(2026, 11, 24, tzinfo=UTC), UTC)


def test_a_missing_field_is_named():
    assert refused(lambda: asked("{}").fields().text("phone")) == "phone"


def test_choices_numbers_flags_and_days():
    fields = asked('{"sex": "F", "n": 3, "yes": true, "day": "2024-02-29"}').fields()
    assert (fields.choice("sex"), fields.number("n"), fields.flag("yes")) == ("F", 3, True)
    assert fields.day("day") == date(2024, 2, 29)
    assert (fields.number("m"), fields.flag("no")) == (7, True)


@pytest.mark.parametrize(
    ("kind", "body", "parse"),
    [
        (one_of("MFO"), '{"x": "Q"}', lambda fields: fields.choice("x")),
        (one_of("MFO"), '{"x": ["M"]}', lambda fields: fields.choice("x")),
        (whole(), '{"x": true}', lambda fields: fields.number("x")),
        (whole(), '{"x": 1.5}', lambda fields: fields.number("x")),
        (whole(), '{"x": "1"}', lambda fields: fields.number("x")),
        (whole(), '{"x": -1}', lambda fields: fields.number("x")),
        (FLAG, '{"x": 1}', lambda fields: fields.flag("x")),
        (DAY, '{"x": "2023-02-29"}', lambda fields: fields.day("x")),
        (DAY, '{"x": "20230228"}', lambda fields: fields.day("x")),
        (DAY, '{"x": 20230228}', lambda fields: fields.day("x")),
    ],
)
def test_a_value_of_another_kind_is_refused(kind, body, parse):
    assert refused(lambda: parse(asked(body, declared={"x": kind}).fields())) == "x"


def test_a_field_of_which_the_route_says_nothing_is_never_read():
    with pytest.raises(KeyError):
        asked('{"other": "x"}').fields().text("other")
    with pytest.raises(KeyError):
        asked(query={"other": ["x"]}).query("other")


def test_a_study_is_named_by_hospital_and_uid():
    named = asked(path={"hospital_id": "H1", "uid": "1.2.840"})
    assert named.study() == StudyRef("H1", "1.2.840")
    own = asked(path={"uid": "1.2.840"}, caller=Caller("hospital", "H2", hospital_id="H2"))
    assert own.study() == StudyRef("H2", "1.2.840")


@pytest.mark.parametrize("hospital", ["", "h1", "H1%2F..", "H" * 17, "H 1", "Ｈ1", "H1#"])
def test_a_hospital_id_is_letters_and_digits(hospital):
    assert refused(asked(path={"hospital_id": hospital, "uid": "1.2"}).study) == "hospital_id"


@pytest.mark.parametrize("uid", ["", "1..2", ".1", "1.", "1.2a", "1" * 65, "1.2%23", "１.2"])
def test_a_uid_is_digits_and_dots(uid):
    assert refused(asked(path={"hospital_id": "H1", "uid": uid}).study) == "uid"


def test_a_part_of_the_path_is_decoded():
    assert asked(path={"encounter_id": "%E9%97%A8%E8%AF%8A%2F7"}).name("encounter_id") == "门诊/7"
    assert refused(lambda: asked(path={"encounter_id": "%FF"}).name("encounter_id")) == "encounter_id"
    assert refused(lambda: asked(path={"encounter_id": "%00"}).name("encounter_id")) == "encounter_id"


def test_a_query_parameter_is_given_once_or_not_at_all():
    assert asked().query("token") == asked(query={"other": ["1"]}).query("token") == ""
    assert asked(query={"token": ["t"]}).query("token") == "t"
    assert refused(lambda: asked(query={"token": ["a", "b"]}).query("token")) == "token"
    assert refused(lambda: asked(query={"token": [""]}).query("token")) == "token"


def test_a_span_of_days_runs_forward():
    span = asked(query={"from": ["2026-11-01"], "to": ["2026-11-30"]})
    assert span.days() == (date(2026, 11, 1), date(2026, 11, 30))
    assert refused(asked(query={"from": ["2026-11-02"], "to": ["2026-11-01"]}).days) == "to"
    assert refused(asked(query={"to": ["2026-11-01"]}).days) == "from"


def test_days_left_out_are_the_last_ones_where_a_route_has_a_default():
    assert asked().days(default=timedelta(days=31)) == (date(2026, 10, 25), date(2026, 11, 25))
    half = asked(query={"from": ["2026-11-01"]})
    assert refused(lambda: half.days(default=timedelta(days=31))) == "to"


@given(st.binary(max_size=200))
def test_no_body_makes_the_parser_raise_anything_else(body):
    with contextlib.suppress(BadRequest):
        asked(body).fields().text("name")
