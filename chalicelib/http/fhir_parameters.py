"""What FHIR's searches can ask for: name, type of R4's search, and what is to be said of it. One table for the
CapabilityStatement, the API's document, and whoever reads either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.http.kinds import Kinds, optional, text

LONGEST: Final = 512  # characters of a value

_PATIENT: Final = (
    "patient:identifier",
    "token",
    "system|value, or the value alone for the caller's own hospital; by POST only: 仅可用 POST",
)
_STUDY: Final = (
    ("identifier", "token", "urn:dicom:uid|urn:oid:{UID}, or an accession number 检查号"),
    _PATIENT,
    ("started", "date", "days, months, years; eq ne gt ge lt le"),
    ("modality", "token", "DCM's code, with its system or without 设备类型"),
)
_ID: Final = ("_id", "token", "")

SEARCHED: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "ImagingStudy": (_ID, *_STUDY),
    "DiagnosticReport": (_ID, ("study", "reference", "as in R5: those of one ImagingStudy"), *_STUDY),
    "Consent": (
        _ID,
        ("status", "token", "active, inactive"),
        ("date", "date", "when it was given 授权时间; eq gt ge lt le sa eb"),
        ("category", "token", "emrgonly: emergencies 紧急访问; IDSCL: all 全部"),
        ("data", "reference", "those that name an ImagingStudy 所涉检查"),
    ),
    "AuditEvent": (("date", "date", "when it was 发生时间; to the millisecond; eq gt ge lt le sa eb"),),
}
_ANY_SEARCH: Final = ("_count", "token")  # and what any request may name:
ANY_READ: Final[Kinds] = {name: optional(text(64)) for name in ("_format", "_pretty")}


def in_form(kind: str) -> Kinds:
    """By POST."""
    names = (*(name for name, _, _ in SEARCHED[kind]), *_ANY_SEARCH)
    return {**ANY_READ, **{name: optional(text(LONGEST)) for name in names}}


def in_address(kind: str) -> Kinds:
    """By GET: a patient's number stands in no address."""
    return {name: kind_ for name, kind_ in in_form(kind).items() if ":identifier" not in name}
