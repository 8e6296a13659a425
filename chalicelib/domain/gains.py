"""What mutual recognition gains, counted from facts. A fact is one happening under a key that follows from what
happened; told again it is the same fact, so a day's figures follow from the set of its facts and nothing is incremented
(infra/RECOGNITION.md).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from chalicelib.domain.body_region import Part
from chalicelib.domain.repeat_reason import CODES
from chalicelib.domain.savings import savings
from chalicelib.domain.study import Hospital, StudyRef

REASONS: Final = tuple(f"refused_{code}" for code in sorted(CODES))
# Refused on the reminder's own card, apart from what was said of an exam (domain.card_answer).
OVERRIDES: Final = tuple(f"overridden_{code}" for code in sorted(CODES))
REFUSALS: Final = (*REASONS, *OVERRIDES)
ANSWERED: Final = "answered"  # no refusal, or none that counts: it adds to no figure
# Of a reminder, when it is seven days old (domain.repeat).
OUTCOMES: Final = ("repeated", "avoided", "unclear", "untouched")
# What one happening can be. `passed_over`: images that could not be had, monitoring: no refusal (FACTS 1).
HAPPENINGS: Final = (
    "alerts",
    "viewed",
    "recognised",
    *REFUSALS,
    "passed_over",
    *OUTCOMES,
)
SAVED: Final = ("film_fen", "fee_fen", "dose_usv")
MEASURES: Final = (*HAPPENINGS, "refused", "dose_known", *SAVED)

Figures = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Happening:
    """One fact. `key` names what it is about, `revision` how often it was said otherwise before: the last one counts.
    `day` is the receiving hospital's own; `source` is where the earlier exam was made. Holds nothing of the patient but
    the hospital's number of the visit."""

    measure: str
    key: str
    day: str
    at: datetime
    receiving: str
    source: str
    encounter_id: str
    group: str = ""
    parts: tuple[str, ...] = ()
    revision: int = 0


def key_of(*parts: str) -> str:
    """The same for the same parts, whatever is in them."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def decided_key(encounter_id: str, doctor_id: str, study: StudyRef) -> str:
    """A doctor decides on a study once in a visit, and may think again."""
    return key_of(encounter_id, doctor_id, study.hospital_id, study.study_instance_uid)


def day_at(at: datetime, hospital: Hospital) -> str:
    """The hospital's own day."""
    return at.astimezone(timezone(timedelta(minutes=hospital.utc_offset_minutes))).date().isoformat()


def standing(happenings: Iterable[Happening]) -> tuple[Happening, ...]:
    """Each thing once, as it was said last, in a fixed order."""
    last: dict[tuple[str, str, str], Happening] = {}
    for one in happenings:
        name = (one.receiving, kind_of(one.measure), one.key)
        if name not in last or _rank(one) > _rank(last[name]):
            last[name] = one
    return tuple(sorted(last.values(), key=lambda one: (one.receiving, kind_of(one.measure), one.key)))


def figures(happenings: Iterable[Happening]) -> Counter[str]:
    """The sums of what stands. Money in fen, dose in microsievert: whole numbers add up to the same in any order."""
    total: Counter[str] = Counter()
    for one in standing(happenings):
        total.update(counted(one))
    return total


def by_source(happenings: Iterable[Happening]) -> dict[str, Counter[str]]:
    """The same, by the hospital where the earlier exam was made."""
    found: dict[str, Counter[str]] = {}
    for one in standing(happenings):
        found.setdefault(one.source, Counter()).update(counted(one))
    return found


def counted(one: Happening) -> Counter[str]:
    """What one happening adds to which figure."""
    found = Counter({one.measure: 1} if one.measure != ANSWERED else {})
    if one.measure in REFUSALS:
        found["refused"] = 1
    if one.measure == "avoided":
        saved = savings(one.group, tuple(map(Part.of, one.parts)))
        found |= Counter(film_fen=saved.film_fen, fee_fen=saved.fee_fen)
        if saved.dose_usv is not None:
            found |= Counter(dose_known=1, dose_usv=saved.dose_usv)
    return +found


def kind_of(measure: str) -> str:
    """What cannot both be true of one thing is of one kind."""
    if measure in ("recognised", "passed_over", *REASONS):
        return "decided"
    if measure in OVERRIDES:
        return ANSWERED
    return "outcome" if measure in OUTCOMES else measure


def _rank(one: Happening) -> tuple[int, datetime, str]:
    return one.revision, one.at, one.measure
