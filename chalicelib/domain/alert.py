"""Reminders that were shown: what recognition is counted from. One for the same order, visit, doctor and day, however
often an ordering system asks; its id is the card's, and says of which day it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, cast

from chalicelib.domain.body_region import Part
from chalicelib.domain.exam_text import Contrast
from chalicelib.domain.similarity import Exam, Likeness
from chalicelib.domain.study import StudyRef

Outcome = Literal["accepted", "overridden"]
Answer = tuple[Outcome, str, datetime]  # what a doctor did with a reminder, a code of `repeat_reason` or "", and when
ID: Final = re.compile(r"[0-9]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Prior:
    """An earlier exam that a reminder names. `recognisable`: by its age, its contrast and its hospital's level."""

    study: StudyRef
    likeness: Likeness
    days: int
    recognisable: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """One reminder: to whom, in which visit, for which order, of which exams; the best first. `patient_id` is the
    encounter's: what the repeated exam will bear when it arrives."""

    alert_id: str
    hospital_id: str
    doctor_id: str
    encounter_id: str
    patient_id: str
    exam: Exam
    priors: tuple[Prior, ...]
    shown_at: datetime


def alert_id(day: date, asker: tuple[str, str, str], exam: Exam, best: StudyRef) -> str:
    """A UUID of version 8 (RFC 9562 §5.8) that begins with the day. The same for the same reminder. `asker`: hospital,
    doctor, encounter."""
    parts = sorted(map(str, exam.parts))
    told = [*asker, exam.group, parts, exam.contrast, best.hospital_id]
    digest = hashlib.sha256(json.dumps([*told, best.study_instance_uid]).encode()).hexdigest()
    return f"{day:%Y%m%d}-{digest[:4]}-8{digest[4:7]}-a{digest[7:10]}-{digest[10:22]}"


def day_of(shown: str) -> str:
    """The day (YYYY-MM-DD) that an alert's id begins with; "" for what is none of ours."""
    return f"{shown[:4]}-{shown[4:6]}-{shown[6:8]}" if ID.fullmatch(shown) else ""


def exam_to_texts(exam: Exam) -> tuple[str, ...]:
    return tuple(map(str, exam.parts))


def exam_from_texts(group: str, parts: tuple[str, ...], contrast: str) -> Exam:
    """From what was kept of one."""
    return Exam(group, tuple(map(Part.of, parts)), cast(Contrast, contrast))
