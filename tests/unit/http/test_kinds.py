"""What a route says of its fields is what is read of them, and what its document tells."""

import pytest
from jsonschema import Draft202012Validator

from chalicelib.domain.study import StudyRef
from chalicelib.http import kinds
from chalicelib.http.asked import BadRequest, Fields
from chalicelib.http.kinds import listed, one_of, optional, text, thing, whole
from chalicelib.http.openapi import document

NUMBERS = listed(whole(0, 9), 2, 2)
FIELDS = {
    "name": text(4),
    "word": optional(one_of(("a", "b")), ""),
    "number": optional(whole(0, 9), 5),
    "numbers": optional(NUMBERS, []),
    "people": optional(listed(thing(name=text(4)), 2, 0)),
}
READ = {
    "name": Fields.text,
    "word": Fields.choice,
    "number": Fields.number,
    "numbers": Fields.numbers,
    "people": lambda fields, name: [one.text("name") for one in fields.parts(name)],
}


def read(name, value):
    """As it is read, or None where it is refused."""
    try:
        return READ[name](Fields({name: value}, FIELDS), name)
    except BadRequest:
        return None


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("name", "张三", "张三"),
        ("name", "12345", None),
        ("name", "", None),
        ("name", None, None),
        ("word", "b", "b"),
        ("word", "", ""),
        ("word", None, ""),
        ("word", "c", None),
        ("word", 1, None),
        ("number", 1, 1),
        ("number", 1.0, 1),
        ("number", None, 5),
        ("number", 10, None),
        ("number", True, None),
        ("numbers", [1, 2.0], [1, 2]),
        ("numbers", [], []),
        ("numbers", None, []),
        ("numbers", [1], None),
        ("numbers", [1, -1], None),
        ("numbers", [1, False], None),
        ("numbers", "12", None),
        ("people", [{"name": "李"}, {"name": "王", "else": 1}], ["李", "王"]),
        ("people", [], []),
        ("people", None, []),
        ("people", [{"name": "李"}] * 3, None),
        ("people", [{}], None),
        ("people", ["李"], None),
    ],
)
def test_a_field_is_read_as_its_kind_tells_it(name, value, found):
    assert read(name, value) == found
    assert Draft202012Validator(FIELDS[name].told()).is_valid(value) is (found is not None)


def test_what_is_left_out_has_its_default():
    fields = Fields({}, FIELDS)
    assert [fields.text("word"), fields.number("number"), fields.numbers("numbers")] == ["", 5, []]
    assert fields.parts("people") == []


def test_a_list_without_elements_is_no_default_unless_it_says_so():
    chosen = {"studies": optional(listed(kinds.STUDY, 9))}
    with pytest.raises(BadRequest):
        Fields({"studies": []}, chosen).studies("studies")
    assert Fields({}, chosen).studies("studies") is None


REF = {"hospital_id": "H1", "study_instance_uid": "1.2"}


@pytest.mark.parametrize(
    "given",
    [[REF] * 3, [{**REF, "hospital_id": "h1"}], [{**REF, "study_instance_uid": "1..2"}], [{}], ["1.2"], REF, "1.2"],
)
def test_a_choice_of_studies_is_refused_as_a_whole_by_its_own_kind(given):
    chosen = {"studies": optional(listed(kinds.STUDY, 2))}
    with pytest.raises(BadRequest) as refused:
        Fields({"studies": given}, chosen).studies("studies")
    assert refused.value.field == "studies"
    assert Fields({"studies": [REF, REF]}, chosen).studies("studies") == {StudyRef("H1", "1.2")}


@pytest.mark.parametrize("value", ["-----BEGIN\nEND-----", {"kty": "RSA"}])
def test_a_key_is_a_text_or_an_object(value):
    assert Fields({"key": value}, {"key": kinds.ANY}).text_or_part("key") == value


@pytest.mark.parametrize("value", [None, 1, ["x"], True])
def test_a_key_is_nothing_else(value):
    with pytest.raises(BadRequest):
        Fields({"key": value}, {"key": kinds.ANY}).text_or_part("key")


def test_a_view_that_may_refuse_by_itself_tells_what_else_it_answers():
    answers = document()["paths"]["/hospital/studies/{uid}/retention"]["get"]["responses"]
    assert answers["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Retention"}
    assert "404" in answers


def test_a_view_with_several_answers_tells_each():
    told = document()["paths"]["/hospitals"]["post"]["responses"]["201"]["content"]["application/json"]["schema"]
    assert [one["$ref"].rsplit("/", 1)[-1] for one in told["anyOf"]] == ["RegisteredHospital", "NewHospital"]
