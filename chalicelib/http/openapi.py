"""The whole API as OpenAPI 3.1, made from what its routes say of themselves: their kinds, their views' annotations and
docstrings, the table of roles, and the table of facts. Loaded only when it is asked for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from importlib import import_module
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from chalice.app import Response

from chalicelib.http import kinds
from chalicelib.http.asked import Asked
from chalicelib.http.errors import FACTS
from chalicelib.http.fhir_outcome import is_fhir, status_of
from chalicelib.http.fhir_types import FHIR_JSON
from chalicelib.http.json_types import Described
from chalicelib.http.kinds import Kind, Schema
from chalicelib.http.role_table import ROUTES, Allowed
from chalicelib.http.routes import Route

Shape = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
JSON_TYPE = "application/json"
NO_GRANT = "no_grant"

_NAMES = {"Asked": Asked, "Response": Response}  # which views name, and their modules import for mypy alone
# What a route may tell without saying so: any route; one behind the door; one that writes.
ANY_ROUTE = ("bad_request", "unsupported_media_type", "internal", "try_again")
BEHIND_THE_DOOR = ("unauthenticated", "session_ended", "not_allowed", NO_GRANT, "doctor_inactive", "hospital_closed")
WRITING = ("csrf",)
OF_PERSONS = ("frozen", "consent_expired", "consent_revoked", "guardianship_ended", "guardian_needed")

# The parts of paths: one name means one thing.
PARTS: Mapping[str, tuple[Kind, str]] = {
    "hospital_id": (kinds.HOSPITAL, "A registered hospital"),
    "uid": (kinds.UID, "StudyInstanceUID"),
    "series": (kinds.UID, "SeriesInstanceUID"),
    "instance": (kinds.UID, "SOPInstanceUID"),
    "frames": (kinds.text(1024), "Frame numbers from 1, by commas (PS3.18 §10.4.1.1.6)"),
    "encounter_id": (kinds.text(128), "The hospital's own number of the visit"),
    "disposal_id": (kinds.ULID, "A proposal"),
    "period": (kinds.matching(r"\d{4}(-\d{2}(-\d{2})?|-W\d{2})", 10), "2026-11-20, 2026-W47 or 2026-11"),
    "service_id": (kinds.text(64), "As GET /cds-services lists it"),
    "study_id": (kinds.text(64), "The resource's id"),
    "report_id": (kinds.text(64), "The resource's id"),
    "consent_id": (kinds.text(64), "The resource's id"),
}


def document(*, closed: bool = False) -> Shape:
    """OpenAPI 3.1.1. `closed`: as the tests hold answers against it, with not a field more than is told."""
    from chalicelib.http.blueprints import MODULES

    modules = {name: import_module(f"chalicelib.http.{name}") for name in MODULES}
    described, refusals = Described(closed=closed), _Refusals()
    paths: dict[str, Shape] = defaultdict(dict)
    for tag, module in modules.items():
        for route in module.routes.all.values():
            paths[route.path][route.method.lower()] = _operation(route, tag, described, refusals)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Imaging Cloud 影像云",
            "version": "1",
            "description": "Every request ends in an answer and, unless it tells nothing of anybody, in an event of "
            "the audit. A list goes on with the `next_token` of its last part as `token`; an empty one is its end.",
        },
        "jsonSchemaDialect": DIALECT,
        "servers": [{"url": "."}],
        "tags": [{"name": name, "description": _first(module.__doc__)} for name, module in modules.items()],
        "paths": dict(paths),
        "components": {
            "schemas": {**described.schemas, "Error": ERROR, "OperationOutcome": OUTCOME},
            "responses": refusals.responses,
            "securitySchemes": SECURITY,
        },
    }


def _operation(route: Route, tag: str, described: Described, refusals: _Refusals) -> Shape:
    allowed = ROUTES[(route.method, route.path)]
    told: Shape = {
        "operationId": f"{tag}_{route.view.__name__}",
        "tags": [tag],
        "summary": route.view.__name__.replace("_", " ").capitalize(),
        "x-roles": sorted(allowed.roles),
        "security": _security(route, allowed),
        "parameters": [*_parts(route), *_queries(route), *_headers(allowed)],
        "responses": {**_answers(route, described), **refusals.of(route, allowed)},
    }
    if route.view.__doc__:
        told["description"] = _flat(route.view.__doc__)
    if route.body is not None:
        types = route.takes or (JSON_TYPE,)
        told["requestBody"] = {"required": True, "content": {one: {"schema": kinds.of(route.body)} for one in types}}
    elif route.method == "POST" and route.takes:  # whose own standard says what is in them
        told["requestBody"] = {"required": True, "content": {one: {"schema": BINARY} for one in route.takes}}
    return told


def _security(route: Route, allowed: Allowed) -> list[Shape]:
    """What is open at the door may ask for a token itself: one that is made for its own address."""
    if allowed.whose == "open":
        return [{"bearer": []}] if "unauthenticated" in route.tells else []
    return [{"bearer": []}, {"cookie": []}]


def _parts(route: Route) -> list[Shape]:
    return [_parameter(name, "path", *PARTS[name]) for name in re.findall(r"{(\w+)}", route.path)]


def _queries(route: Route) -> list[Shape]:
    return [_parameter(name, "query", kind) for name, kind in route.query.items()]


def _headers(allowed: Allowed) -> list[Shape]:
    """The ward is in a header, for paths and queries end up in logs."""
    if "guardian" not in allowed.roles or allowed.whose == "session":
        return []
    needed = allowed.roles == {"guardian"} and allowed.whose == "ward"
    kind = kinds.ULID if needed else Kind({"type": "string"}, required=False)  # to others it says nothing
    return [_parameter("X-Ward", "header", kind, "For guardians: which ward, as GET /wards names it")]


def _parameter(name: str, where: str, kind: Kind, says: str = "") -> Shape:
    told: Shape = {"name": name, "in": where, "required": kind.required, "schema": dict(kind.schema)}
    if kind.default not in (None, ""):
        told["schema"]["default"] = kind.default
    return {**told, "description": says} if says else told


def _answers(route: Route, described: Described) -> Shape:
    """What it answers when nothing is refused."""
    if route.answers:
        return {str(status): _media(status, told, described) for status, told in route.answers.items()}
    told = _without_response(get_type_hints(route.view, localns=_NAMES, include_extras=True)["return"])
    if told is Response:
        return {}
    return {str(route.status): _media(route.status, told, described)}


def _without_response(told: Any) -> Any:
    """What a view returns unless it refuses by a Response of its own, such as that there is no such thing."""
    if get_origin(told) not in (Union, UnionType):
        return told
    return Union[tuple(part for part in get_args(told) if part is not Response)]  # noqa: UP007 - as many as there are


def _media(status: int, told: Any, described: Described) -> Shape:
    """Of a type, or of bodies of other standards, whose own specification says what is in them."""
    if not isinstance(told, tuple):
        return {"description": _phrase(status), "content": {JSON_TYPE: {"schema": described.schema(told)}}}
    bodies = {one: {"schema": {} if "json" in one else BINARY} for one in told}
    return {"description": _phrase(status), **({"content": bodies} if bodies else {})}


@dataclass
class _Refusals:
    """Answers that tell of a refusal, each written once for all routes that give it."""

    made: dict[tuple[str, ...], str] = field(default_factory=dict)
    responses: dict[str, Shape] = field(default_factory=dict)

    def of(self, route: Route, allowed: Allowed) -> Shape:
        by_status: dict[int, list[str]] = defaultdict(list)
        for code in sorted(_codes(route, allowed)):
            status = 403 if code == NO_GRANT else FACTS[code].status
            by_status[status_of(code, status) if is_fhir(route.path) else status].append(code)
        return {str(status): self._one(status, codes, route.path) for status, codes in sorted(by_status.items())}

    def _one(self, status: int, codes: list[str], path: str) -> Shape:
        media, told = (FHIR_JSON, OUTCOME_REF) if is_fhir(path) else (JSON_TYPE, ERROR_REF)
        key = (str(status), media, *codes)
        if key not in self.made:
            count = sum(made[0] == str(status) for made in self.made)
            self.made[key] = f"Refused{status}" + (f"_{count}" if count else "")
            schema = told if is_fhir(path) else {**told, "properties": {"error": {"enum": codes}}}
            self.responses[self.made[key]] = {"description": ", ".join(codes), "content": {media: {"schema": schema}}}
        return {"$ref": f"#/components/responses/{self.made[key]}"}


def _codes(route: Route, allowed: Allowed) -> set[str]:
    """What it may refuse with."""
    codes = {*ANY_ROUTE, *route.tells}
    if allowed.whose == "open":
        return codes
    if allowed.roles & {"doctor", "patient", "guardian"}:
        codes |= set(OF_PERSONS)
    return codes | {*BEHIND_THE_DOOR, *(WRITING if route.method != "GET" else ())}


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def _first(text: str | None) -> str:
    return _flat((text or "").strip().partition("\n\n")[0])


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@cache
def served() -> str:
    """The document as it is served; the same until the next deployment."""
    import json

    return json.dumps(document(), ensure_ascii=False, separators=(",", ":"))


ERROR_REF: Schema = {"$ref": "#/components/schemas/Error"}
OUTCOME_REF: Schema = {"$ref": "#/components/schemas/OperationOutcome"}
BINARY: Schema = {"type": "string", "format": "binary"}
_WORDS: Schema = {
    "type": "object",
    "required": ["en", "zh"],
    "properties": {"en": {"type": "string"}, "zh": {"type": "string"}},
}
ERROR: Schema = {
    "type": "object",
    "description": "A refusal: what it is in one word, and in a sentence of each language. no_grant has no sentence.",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": " ".join(f"`{code}`: {fact.en}" for code, fact in FACTS.items())},
        "message": _WORDS,
        "hint": _WORDS,
        "field": {"type": "string", "description": "Which field, never its value"},
        "reason": {"type": "string", "description": "Why, in one word"},
        "state": {"type": "string", "description": "How that stands on which the request came too late"},
        "attempts_left": {"type": "integer", "description": "With this code"},
        "tries_left": {"type": ["integer", "null"], "description": "With this joining code; null where none was used"},
        "doctor_id": {"type": "string", "description": "Whose account stands for the licence"},
        "refused": {"type": "array", "description": "Each study of the list, why it must be kept and until when"},
    },
}
OUTCOME: Schema = {
    "type": "object",
    "description": "FHIR R4 OperationOutcome",
    "required": ["resourceType", "issue"],
    "properties": {"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array", "minItems": 1}},
}
SECURITY: Schema = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT (RS256)",
        "description": "Of a registered issuer, for at most 15 minutes; a hospital signs its own with the key that it "
        "joined with, for at most 5, each used once. Of CDS Hooks `aud` is the URL that is called.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-session",
        "description": "Of POST /session. What writes needs Origin and X-CSRF too.",
    },
}
