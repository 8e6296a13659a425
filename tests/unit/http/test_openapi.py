"""The API's document: whole, valid, and made of nothing but what the routes say."""

import json
import os
import re
import subprocess
import sys

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from chalicelib.http.errors import RAISED
from chalicelib.http.json_types import Described
from chalicelib.http.openapi import PARTS, document, served
from chalicelib.http.role_table import ROUTES

MOST_BYTES = 1_000_000  # in one answer, which holds six times that


@pytest.fixture(scope="module")
def told():
    return document()


def operations(told):
    return {(method.upper(), path): one for path, methods in told["paths"].items() for method, one in methods.items()}


def test_it_is_openapi_3_1(told):
    OpenAPIV31SpecValidator(told).validate()
    assert told["openapi"].startswith("3.1")


def test_it_tells_of_every_route_and_of_no_other(told):
    assert operations(told).keys() == ROUTES.keys()


def test_every_route_says_what_it_answers_and_how_it_refuses(told):
    for route, one in operations(told).items():
        statuses = {status[0] for status in one["responses"]}
        assert statuses & {"2", "3"}, route
        assert {"400", "500", "503"} <= one["responses"].keys(), route
        assert ("401" in one["responses"]) or ROUTES[route].whose == "open", route


def test_every_part_of_a_path_is_described(told):
    named = {name for _, path in operations(told) for name in re.findall(r"{(\w+)}", path)}
    assert named <= PARTS.keys()


def test_roles_and_wards_are_those_of_the_table(told):
    for route, one in operations(told).items():
        assert set(one["x-roles"]) == ROUTES[route].roles
        ward = [parameter for parameter in one["parameters"] if parameter["name"] == "X-Ward"]
        assert bool(ward) == ("guardian" in ROUTES[route].roles and ROUTES[route].whose != "session")


def test_a_view_is_told_by_its_name_and_in_its_own_words(told):
    retire = told["paths"]["/hospital/keys/retire"]["post"]
    assert (retire["summary"], retire["description"]) == ("Retire key", "Not the last one.")


def test_every_route_that_no_standard_explains_is_described(told):
    bare = [route for route, one in operations(told).items() if not one.get("description")]
    assert [path for _, path in bare if not path.startswith(("/dicomweb/", "/fhir/"))] == []


def test_a_route_that_may_answer_unauthenticated_asks_for_a_token(told):
    for route, one in operations(told).items():
        assert bool(one["security"]) == ("401" in one["responses"]), route


def test_what_a_refusal_tells_beside_its_word_is_described(told):
    fields = told["components"]["schemas"]["Error"]["properties"]
    assert [name for name, schema in fields.items() if not schema] == []
    assert {name for raised in RAISED.values() for name in raised.tells} <= fields.keys()
    assert fields["field"]["type"] == "string"


def test_no_two_operations_have_one_name(told):
    names = [one["operationId"] for one in operations(told).values()]
    assert len(names) == len(set(names))


def test_every_process_tells_the_same():
    """Sets have another order in each process."""
    script = "from chalicelib.http.openapi import served; print(served())"
    made = {
        subprocess.check_output([sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed})  # noqa: S603 - our own words
        for seed in ("1", "2")
    }
    assert len(made) == 1


def test_what_is_served_is_the_same_and_fits_an_answer(told):
    assert json.loads(served()) == json.loads(json.dumps(told))
    assert len(served().encode()) < MOST_BYTES


def test_a_type_that_json_has_not_is_no_schema():
    with pytest.raises(TypeError):
        Described(closed=False).schema(bytes)
