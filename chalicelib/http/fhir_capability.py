"""What can be asked of /fhir: the CapabilityStatement, from one table with the routes' own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from chalicelib.http.fhir_parameters import SEARCHED
from chalicelib.http.fhir_types import FHIR_JSON, filled


@dataclass(frozen=True, slots=True)
class _Resource:
    kind: str
    interactions: tuple[str, ...]
    documentation: str


_RESOURCES: Final = (
    _Resource(
        "ImagingStudy",
        ("read", "search-type"),
        "What the caller's grants cover. Lists hold no series; a read holds all. "
        "限于调用者获授权的检查；列表不含序列，单项读取含全部序列。",
    ),
    _Resource(
        "DiagnosticReport",
        ("read", "search-type"),
        "Reports that came with notices. A read signs presentedForm.url for at most five minutes. "
        "随通知上传的报告；单项读取给出最长五分钟有效的链接。",
    ),
    _Resource(
        "Consent",
        ("read", "search-type"),
        "The patient's own, or a ward's by X-Ward. 本人的授权；监护人以 X-Ward 指明被监护人。",
    ),
    _Resource(
        "AuditEvent",
        ("search-type",),
        "Who looked or tried to, for the patient themself or by X-Ward. 谁看过或试图查看本人的档案。",
    ),
)
_SECURITY: Final = (
    "A bearer token of an issuer that the service knows, or the session cookie of its own pages. What was never "
    "granted and what does not exist are one answer. "
    "须使用本服务认可的签发方的令牌；未获授权与不存在的资源，答复完全相同。"
)


def capability_statement(base: str) -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "software": {"name": "影像云 Imaging Cloud"},
        "implementation": {"description": "影像云 Imaging Cloud, FHIR R4", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json", FHIR_JSON],
        "rest": [
            {
                "mode": "server",
                "documentation": "Read only; a continuation token in the next link; a page holds 50, at most 100. "
                "What is not supported is refused, or told of and not heeded with Prefer: handling=lenient. "
                "只读；翻页请使用 next 链接；每页默认50项，最多100项；不支持的参数予以拒绝，"
                "带 Prefer: handling=lenient 时忽略并说明。",
                "security": {"description": _SECURITY},
                "resource": [_described(one) for one in _RESOURCES],
            }
        ],
    }


def _described(one: _Resource) -> dict[str, Any]:
    parameters = (*SEARCHED[one.kind], ("_count", "number", ""))
    return {
        "type": one.kind,
        "documentation": one.documentation,
        "interaction": [{"code": code} for code in one.interactions],
        "versioning": "no-version",
        "readHistory": False,
        "searchParam": [filled(name=name, type=kind, documentation=says) for name, kind, says in parameters],
    }
