"""The ids of FHIR resources: at most 64 of [A-Za-z0-9.-] (R4 `id`), the same for ever, and read back without a look-up.

A study's is its hospital and its UID, the UID as one number: nothing of a patient goes in. A report's is its study's,
and what tells it from the study's other reports. Clients must not read them.
"""

from __future__ import annotations

import hashlib
import re
import string
from typing import Final

from chalicelib.domain.study import StudyRef

_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_OF_UID: Final = "0123456789a"  # `a` is the dot, so that `int` reads it
_STUDY: Final = re.compile(r"([A-Z0-9]{1,16})-([0-9A-Za-z]{1,38})")
_UID: Final = re.compile(r"[0-9.]{1,64}")  # as ingest takes them
_REPORT: Final = re.compile(r"[0-9A-Za-z]{1,7}")
_REPORT_BYTES: Final = 5  # 40 bits, seven of our digits: 16 + 1 + 38 + 1 + 7 ≤ 64


def study_id(ref: StudyRef) -> str:
    """A leading 1 keeps the zeros that a UID may begin with."""
    number = int(f"1{ref.study_instance_uid.replace('.', 'a')}", len(_OF_UID))
    return f"{ref.hospital_id}-{_written(number, _DIGITS)}"


def study_of(resource_id: str) -> StudyRef | None:
    """None for what `study_id` gives of no study."""
    found = _STUDY.fullmatch(resource_id)
    if found is None:
        return None
    number = 0
    for digit in found[2]:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    uid = _written(number, _OF_UID).replace("a", ".")[1:]
    ref = StudyRef(found[1], uid)
    return ref if _UID.fullmatch(uid) and study_id(ref) == resource_id else None


def report_id(ref: StudyRef, digest: str) -> str:
    """`digest`: of the report's bytes."""
    short = int.from_bytes(hashlib.sha256(digest.encode()).digest()[:_REPORT_BYTES])
    return f"{study_id(ref)}.{_written(short, _DIGITS)}"


def study_of_report(resource_id: str) -> StudyRef | None:
    """None for what `report_id` gives of no report."""
    study, _, report = resource_id.partition(".")
    return study_of(study) if _REPORT.fullmatch(report) else None


def _written(number: int, digits: str) -> str:
    written = ""
    while number:
        number, digit = divmod(number, len(digits))
        written = digits[digit] + written
    return written or digits[0]
