"""Every refusal beneath /fhir, the door's own too, as an OperationOutcome: the same facts in FHIR's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from chalicelib.http.fhir_types import FHIR_JSON, OURS, ROOT, Element, coding, concept, filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.app import Response

# Never granted and unknown are one answer, and to FHIR's clients what is not found (R4, security: 404 rather than 403).
_NOT_FOUND: Final = {"en": "There is no such thing, or it is not open to you.", "zh": "未找到，或您无权查看。"}
_FORM_ONLY: Final = {"en": "This cannot be sent in that media type.", "zh": "不支持所用的媒体类型。"}
_NOT_HEEDED: Final = "不支持此检索参数，已忽略。 This parameter is not supported and was not heeded."
_ISSUES: Final = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    415: "not-supported",
    429: "throttled",
    503: "transient",
}


def is_fhir(path: str) -> bool:
    return path == ROOT or path.startswith(f"{ROOT}/")


def status_of(error: str, status: int) -> int:
    return 404 if error == "no_grant" else status


def not_heeded(names: Sequence[str]) -> Element:
    """Of a search that was answered all the same, as its client asked (R4, search: Prefer handling=lenient)."""
    says = concept(coding(f"{OURS}error", "not_heeded"), says=_NOT_HEEDED)
    issues = [{"severity": "warning", "code": "not-supported", "details": says, "expression": [one]} for one in names]
    return {"resourceType": "OperationOutcome", "issue": issues}


def as_outcome(response: Response) -> Response:
    """The response, or where it tells of an error (`http.errors`) the same as a resource."""
    if response.status_code < 400 or not isinstance(response.body, str):
        return response
    told = json.loads(response.body)
    if "resourceType" in told:
        return response
    error, message = told.get("error", "internal"), told.get("message", _NOT_FOUND)
    response.status_code = status_of(error, response.status_code)
    if error == "unsupported_media_type":
        message = _FORM_ONLY
    issue = filled(
        severity="error",
        code=_ISSUES.get(response.status_code, "exception"),
        details=concept(coding(f"{OURS}error", error), says=f"{message['zh']} {message['en']}"),
        expression=[told["field"]] if "field" in told else [],
    )
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    response.body = json.dumps(outcome, ensure_ascii=False, separators=(",", ":"))
    response.headers = {**response.headers, "Content-Type": f"{FHIR_JSON}; charset=utf-8"}
    return response
