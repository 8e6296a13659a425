"""Responses: JSON as UTF-8, and the headers that every answer carries, in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalice.app import Response

# Every answer is about a person or says whether one exists: nothing on the way may keep it, guess its type,
# frame it, or tell where it was linked from.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
JSON = "application/json; charset=utf-8"


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer. Chinese stays Chinese: escaped it would be twice as long."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text, {"Content-Type": JSON, **(headers or {})}, status)


def sealed(response: Response) -> Response:
    """The response with the headers of every answer, which none can replace."""
    response.headers = {**response.headers, **HEADERS}
    return response
