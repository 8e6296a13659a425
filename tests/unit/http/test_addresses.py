"""Where the API says that it answers: one address for every standard, at the stage, behind a name and on loopback."""

from datetime import UTC, datetime

import pytest
from chalice.app import Request

from chalicelib import wiring
from chalicelib.http import dicomweb_shapes, fhir_types
from chalicelib.http.asked import Asked
from chalicelib.http.fhir_imaging import dicomweb_of

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def asked(path):
    context = {"httpMethod": "GET", "resourcePath": "/x", "path": path, "domainName": "elsewhere.example"}
    event = {
        "multiValueQueryStringParameters": None,
        "headers": {"host": "elsewhere.example", "x-forwarded-host": "elsewhere.example"},
        "pathParameters": None,
        "requestContext": {name: value for name, value in context.items() if value is not None},
        "body": None,
        "stageVariables": None,
    }
    return Asked(Request(event), {}, NOW, {}, {})


@pytest.fixture(params=["https://yun.example.test", "http://127.0.0.1:8000"])
def origin(request, monkeypatch):
    monkeypatch.setattr(wiring, "origin", lambda: request.param)
    return request.param


@pytest.mark.parametrize("stage", ["/api", ""], ids=["at its stage", "the local cloud, without one"])
def test_dicomweb_answers_where_it_says_and_where_fhir_says(origin, stage):
    own = dicomweb_shapes.base_url(asked(f"{stage}/dicomweb/studies/1.2/metadata"))
    assert own == dicomweb_of(asked(f"{stage}/fhir/ImagingStudy/1")) == f"{origin}{stage}/dicomweb"
    assert fhir_types.base_url(asked(f"{stage}/fhir/metadata")) == f"{origin}{stage}/fhir"


@pytest.mark.parametrize("path", [None, "", "/other"])
def test_where_no_path_is_told_there_is_no_stage(origin, path):
    assert dicomweb_shapes.base_url(asked(path)) == f"{origin}/dicomweb"
    assert fhir_types.base_url(asked(path)) == f"{origin}/fhir"
