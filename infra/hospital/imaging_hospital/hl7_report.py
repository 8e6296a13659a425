"""The report inside a result: a PDF in an OBX of type ED (7.4.2.5, 2.A.24), else its text as a FHIR
DiagnosticReport."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from .hl7_message import Group
from .hl7_tables import REPORT_STATUS

TEXTS: Final = frozenset({"TX", "FT", "ST"})  # 2.A: text, formatted text, string
MOST_TEXT: Final = 200_000  # characters; a report has some hundreds
_IMPRESSION = re.compile(r"&IMP\b|(?i:impression|conclusion)|诊断|结论|印象|提示")


def report(group: Group, notice: Mapping[str, Any]) -> dict[str, Any]:
    """{"report": …} as infra/NOTICES.md has it, or nothing where the message carries none."""
    observations = [Group(group.common, [segment]) for segment in group.own if str(segment[0]) == "OBX"]
    for observation in observations:
        if pdf := _pdf(observation):
            return {"report": {"content_type": "application/pdf", "content_base64": pdf}}
    status = REPORT_STATUS.get(group.text("OBR-25").upper())
    lines = [line for observation in observations if (line := _line(observation))]
    if not lines or status is None:
        return {}
    resource: dict[str, Any] = {"resourceType": "DiagnosticReport", "status": status}
    if notice.get("procedure"):
        resource["code"] = {"text": notice["procedure"]}
    impression = [text for label, text in lines if _IMPRESSION.search(label)]
    resource["conclusion"] = "\n".join(impression or [text for _, text in lines])[:MOST_TEXT]
    findings = [text for label, text in lines if not _IMPRESSION.search(label)]
    if impression and findings:
        resource["presentedForm"] = [_attached("\n".join(findings)[:MOST_TEXT])]
    return {"report": {"content_type": "application/fhir+json", "resource": resource}}


def _pdf(observation: Group) -> str:
    if observation.text("OBX-2") != "ED" or observation.text("OBX-5.4").lower() != "base64":
        return ""
    text = re.sub(r"\s", "", observation.text("OBX-5.5"))
    try:
        return text if base64.b64decode(text, validate=True).startswith(b"%PDF-") else ""
    except (binascii.Error, ValueError):
        return ""


def _line(observation: Group) -> tuple[str, str] | None:
    """What it is called, and its text; repetitions are lines (7.4.2.5)."""
    if observation.text("OBX-2") not in TEXTS or not observation.repetitions("OBX", 3):
        return None
    label = str(observation.own[0](3))  # with its suffix, such as &IMP (appendix 7.1 of v2.3, still in use)
    texts = [observation.text("OBX-5", n) for n in range(1, observation.repetitions("OBX", 5) + 1)]
    text = "\n".join(text for text in texts if text)
    return (label, text) if text else None


def _attached(text: str) -> dict[str, str]:
    return {
        "contentType": "text/plain; charset=utf-8",
        "title": "findings",
        "data": base64.b64encode(text.encode()).decode(),
    }
