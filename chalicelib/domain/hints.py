"""A hint for the worklist: images that no notice names, and the one waiting notice that they may belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.exam import Exam

CLOSE = timedelta(hours=2)
HINT = "notice_may_fit"


def hinted(exams: Iterable[Exam]) -> tuple[Exam, ...]:
    """The exams, with a reason more where a study without accession number and notice fits exactly one notice that
    waits for images: by patient, modality and end. Only a person may say that they are one: two CTs of a patient in
    one morning look the same."""
    rows = tuple(exams)
    waiting: dict[tuple[str, str], list[Exam]] = defaultdict(list)
    for exam in rows:
        if exam.notified and exam.standing in ("pending", "missing") and not exam.received and exam.ended_at:
            waiting[exam.patient_id, exam.modality].append(exam)
    return tuple(replace(exam, worklist=(*exam.worklist, HINT)) if _fits_one(exam, waiting) else exam for exam in rows)


def _fits_one(exam: Exam, waiting: dict[tuple[str, str], list[Exam]]) -> bool:
    alone = not exam.notified and exam.key.accession in exam.study_instance_uids
    if not (alone and exam.patient_id and exam.modality and exam.ended_at):
        return False
    end = exam.ended_at
    near = [
        one
        for one in waiting.get((exam.patient_id, exam.modality), ())
        if one.ended_at and abs(one.ended_at - end) <= CLOSE
    ]
    return len(near) == 1
