"""The API's document: whole, valid, and made of nothing but what the routes say."""

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

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


def test_no_two_operations_have_one_name(told):
    names = [one["operationId"] for one in operations(told).values()]
    assert len(names) == len(set(names))


def test_what_is_served_is_the_same_and_fits_an_answer(told):
    assert json.loads(served()) == json.loads(json.dumps(told))
    assert len(served().encode()) < MOST_BYTES


def test_a_type_that_json_has_not_is_no_schema():
    with pytest.raises(TypeError):
        Described(closed=False).schema(bytes)
