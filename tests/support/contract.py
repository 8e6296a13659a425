"""Every answer that a test gets is held against the API's own document, in which no field stands that is not told."""

from __future__ import annotations

import json
import re
from functools import cache
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from chalicelib.http.openapi import document

WHOLE = "urn:whole"


@cache
def _document():
    return document(closed=True)


@cache
def _registry():
    return Registry().with_resource(WHOLE, Resource(_document(), DRAFT202012))


@cache
def _templates():
    """Paths with fewer parts that may be anything come first: /me/studies/hidden is no {uid}."""
    found = [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), path) for path in _document()["paths"]]
    return sorted(found, key=lambda one: one[1].count("{"))


def operation(method, path):
    """The operation that answers, or None: unknown paths have no document."""
    plain = urlsplit(path).path
    known = next((template for pattern, template in _templates() if pattern.fullmatch(plain)), None)
    return _document()["paths"][known].get(method.lower()) if known else None


def _resolved(one):
    return _document()["components"]["responses"][one["$ref"].rsplit("/", 1)[-1]] if "$ref" in one else one


@cache
def _validator(schema):
    return Draft202012Validator(_absolute(json.loads(schema)), registry=_registry())


def _absolute(schema):
    if isinstance(schema, dict):
        return {key: f"{WHOLE}{of}" if key == "$ref" else _absolute(of) for key, of in schema.items()}
    return [_absolute(one) for one in schema] if isinstance(schema, list) else schema


def hold(method, path, answer):
    """AssertionError where the document does not tell of this answer."""
    told = operation(method, path)
    if told is None:
        return
    where = f"{method} {told['operationId']} {answer.status_code}"
    assert str(answer.status_code) in told["responses"], f"{where} is not told: {_error(answer)}"
    content = _resolved(told["responses"][str(answer.status_code)]).get("content")
    if not content:
        assert not answer.body, f"{where} has a body that is not told"
        return
    media = answer.headers.get("Content-Type", "").split(";")[0].strip()
    assert media in content, f"{where} is {media}, which is not told"
    if "json" in media:
        validator = _validator(json.dumps(content[media]["schema"], sort_keys=True))
        wrong = next(iter(validator.iter_errors(json.loads(answer.body))), None)
        assert wrong is None, f"{where}: {wrong.message} at {wrong.json_path}"


def _error(answer):
    return json.loads(answer.body).get("error") if answer.body.startswith(b"{") else ""
