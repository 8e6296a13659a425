"""What an ordering system asks about: a visit, and the exams that are about to be ordered in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.domain.body_region import Part, merged
from chalicelib.domain.exam_lexicon import normal, says
from chalicelib.domain.exam_text import read_text
from chalicelib.domain.similarity import GROUPS, Exam, group_of

# In this order: a PET/CT is a PET, 冠状动脉CT造影 is a CT.
_NAMED = ("PT", "NM", "MG", "MR", "CT", "US", "RF", "XA", "XR")


@dataclass(frozen=True, slots=True)
class Draft:
    """One order that is not sent yet. `numbers` are its own: an exam that bears one is this very exam. A follow-up
    and an urgent one wait for no reminder."""

    exam: Exam
    numbers: frozenset[str] = field(default=frozenset(), repr=False)
    is_follow_up: bool = False
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Ordering:
    """`patient_ids`: the names that the ordering system has for the patient; one must be the visit's. `encounter_ids`
    likewise for the visit, the likeliest first."""

    hospital_id: str
    doctor_id: str
    encounter_ids: tuple[str, ...] = field(repr=False)
    patient_ids: frozenset[str] = field(repr=False)
    drafts: tuple[Draft, ...] = ()


def ordered(texts: tuple[str, ...], modalities: tuple[str, ...], coded: tuple[Part, ...]) -> Exam:
    """The exam that an order's words (the likeliest first), codes of modality and codes of body sites name. A coded
    site wins over words, but takes their side; of words the first that name a region."""
    whole = " ".join(texts)
    group = group_of(modalities) or named_group(whole)
    readings = [read_text(text, group) for text in texts]
    said = next((reading.parts for reading in readings if reading.parts), ())
    sides = {part.region: part.side for part in said}
    parts = merged(tuple(Part(part.region, part.side or sides.get(part.region, "")) for part in coded)) or said
    if group == "MG" and not parts:
        parts = (Part("BREAST"),)  # there is nothing else to see
    known = next((reading for reading in readings if reading.contrast), None)
    return Exam(group, parts, known.contrast if known else "")


def named_group(text: str) -> str:
    """The kind of machine that words name; "" where none does."""
    plain = normal(text)
    return next((group for group in _NAMED if says(f"MODALITY_{group}", plain)), "")


def is_follow_up(text: str) -> bool:
    """Whether it says itself that it is to be repeated: after an operation, in a course of treatment."""
    return says("follow_up", normal(text))


def is_modality(code: str) -> bool:
    return code.upper() in GROUPS
