"""What a notice may hold (infra/NOTICES.md), checked before it is sent, so that whoever sends it is told at once.

The cloud checks again and has the last word. Unknown fields pass; a known one that holds what it may not is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from .tongue import Said

MISSING = Said("is missing", "缺失")
TOO_LONG = Said("is longer than {most} characters", "超过 {most} 个字符")
CONTROL = Said("holds a control character", "含有控制字符")
NOT_TEXT = Said("must be text", "必须是文本")
NOT_ONE_OF = Said("must be one of: {words}", "必须是以下之一：{words}")
NOT_A_DATE = Said("must be a date such as 1980-01-02 or 19800102", "必须是日期，如 1980-01-02 或 19800102")
NOT_A_UID = Said("must be digits and dots, at most 64", "只能由数字和点组成，最多 64 个字符")
NOT_A_TIME = Said(
    "must be a time with its zone, such as 2026-11-20T12:00:00+08:00, not before 1990",
    "必须是带时区的时间，如 2026-11-20T12:00:00+08:00，且不早于 1990 年",
)
NOT_A_COUNT = Said("must be a whole number from 1 to 1,000,000", "必须是 1 到 1,000,000 的整数")
NOT_AN_OBJECT = Said("must be a JSON object", "必须是 JSON 对象")
NO_NUMBER = Said(
    "is missing or means none, and there is no study_instance_uid either: give one of the two",
    "缺失或等于没有，且没有 study_instance_uid：两者至少给一个",
)
TOO_LARGE = Said(
    "makes the notice larger than 4.5 MB: send the report as an encapsulated PDF among the images",
    "使通知超过 4.5 MB：请把报告作为封装 PDF 与影像一起发送",
)
BAD_REPORT = Said("must be a PDF in base64", "必须是 base64 编码的 PDF")

MOST_BYTES: Final = 4_500_000  # what the API takes
_NO_NUMBER = re.compile(r"[\W_0]*|NONE|NULL|N/?A|UNKNOWN|TEST|无", re.IGNORECASE)  # as the cloud has it
_SEXES = ("M", "F", "O", "男", "女")
_DATE = re.compile(r"\d{4}(?:-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|\d{4})")
_CLASSES = ("outpatient", "inpatient", "emergency")


class BadFieldError(ValueError):
    """`path` as infra/NOTICES.md names the field. Its text never holds the value."""

    def __init__(self, path: str, what: Said, **values: Any) -> None:
        super().__init__(path)
        self.path, self.what, self.values = path, what, values


def check(notice: Mapping[str, Any]) -> None:
    """Raises BadFieldError for the first field that the cloud would refuse, in the cloud's order."""
    fields = _Fields(notice, "")
    if fields.choice("type", ("exam", "encounter")) == "exam":
        _exam(fields)
    else:
        fields.text("encounter_id", 64)
        fields.choice("status", ("open", "closed"))
        fields.text("doctor_id", 128, must=False)
        _patient(fields.inside("patient"))
        fields.choice("patient_class", _CLASSES)
        fields.time("at")


def _exam(fields: _Fields) -> None:
    status = fields.choice("status", ("scheduled", "performed", "cancelled"))
    described = status != "cancelled"
    number = fields.text("accession_number", 64, must=False)
    uid = fields.text("study_instance_uid", 64, must=False)
    if uid and not re.fullmatch(r"[0-9.]{1,64}", uid):
        raise BadFieldError("study_instance_uid", NOT_A_UID)
    if _NO_NUMBER.fullmatch(number) and not uid:
        raise BadFieldError("accession_number", NO_NUMBER)
    fields.text("notice_id", 128)
    _patient(fields.inside("patient"))
    fields.choice("patient_class", _CLASSES, must=described)
    fields.text("modality", 16, must=described)
    fields.text("procedure", 1024, must=False)
    fields.time("sent_at", must=False)
    fields.time("scheduled_at", must=status == "scheduled")
    fields.time("performed_at", must=status == "performed")
    fields.count("declared_instances")
    if fields.told.get("report") is not None:
        _report(fields.inside("report"))


def _patient(fields: _Fields) -> None:
    fields.text("patient_id", 64)
    fields.text("name", 324, must=False)
    if (sex := fields.text("sex", 64, must=False)) and sex.upper() not in (*_SEXES, "MALE", "FEMALE", "OTHER"):
        raise BadFieldError("patient.sex", NOT_ONE_OF, words=", ".join(_SEXES))
    if (born := fields.text("birth_date", 64, must=False)) and not _DATE.fullmatch(born):
        raise BadFieldError("patient.birth_date", NOT_A_DATE)
    fields.text("national_id", 64, must=False)
    fields.text("phone", 64, must=False)


def _report(fields: _Fields) -> None:
    if fields.choice("content_type", ("application/pdf", "application/fhir+json")) == "application/pdf":
        encoded = fields.told.get("content_base64")
        if (
            not isinstance(encoded, str)
            or not re.fullmatch(r"JVBERi0[A-Za-z0-9+/]+={0,2}", encoded)
            or len(encoded) % 4
        ):
            raise BadFieldError("report.content_base64", BAD_REPORT)
    else:
        fields.inside("resource").choice("resourceType", ("DiagnosticReport",))


@dataclass(frozen=True)
class _Fields:
    told: Mapping[str, Any]
    path: str

    def bad(self, name: str, what: Said, **values: Any) -> BadFieldError:
        return BadFieldError(f"{self.path}{name}", what, **values)

    def inside(self, name: str) -> _Fields:
        value = self.told.get(name)
        if not isinstance(value, dict):
            raise self.bad(name, MISSING if value is None else NOT_AN_OBJECT)
        return _Fields(value, f"{self.path}{name}.")

    def text(self, name: str, most: int, *, must: bool = True) -> str:
        value = self.told.get(name)
        if value is not None and not isinstance(value, str):
            raise self.bad(name, NOT_TEXT)
        text = (value or "").strip()
        if must and not text:
            raise self.bad(name, MISSING)
        if len(text) > most:
            raise self.bad(name, TOO_LONG, most=most)
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
            raise self.bad(name, CONTROL)
        return text

    def choice(self, name: str, words: tuple[str, ...], *, must: bool = True) -> str:
        word = self.text(name, 64, must=must)
        if word not in words and (must or word):
            raise self.bad(name, NOT_ONE_OF, words=", ".join(words))
        return word

    def time(self, name: str, *, must: bool = True) -> None:
        text = self.text(name, 64, must=must)
        if not text:
            return
        try:
            at = datetime.fromisoformat(text)
            fits = at.tzinfo is not None and 1990 <= at.astimezone(UTC).year < 2200
        except (ValueError, OverflowError):
            fits = False
        if not fits:
            raise self.bad(name, NOT_A_TIME)

    def count(self, name: str) -> None:
        value = self.told.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000):
            raise self.bad(name, NOT_A_COUNT)
