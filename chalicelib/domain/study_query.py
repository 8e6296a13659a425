"""What a search asks of studies, besides that the caller may see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.study import StudyRef, Summary


@dataclass(frozen=True, slots=True)
class Days:
    """Days compared with those from `first` to `last`: eq, ne, gt, ge, lt, le (FHIR R4, search: prefixes)."""

    how: str
    first: date
    last: date

    def holds(self, day: date) -> bool:
        return _COMPARED[self.how](day, self)


_COMPARED: Final[Mapping[str, Callable[[date, Days], bool]]] = {
    "eq": lambda day, asked: asked.first <= day <= asked.last,
    "ne": lambda day, asked: not asked.first <= day <= asked.last,
    "gt": lambda day, asked: day > asked.last,
    "ge": lambda day, asked: day >= asked.first,
    "lt": lambda day, asked: day < asked.first,
    "le": lambda day, asked: day <= asked.last,
}
COMPARATORS: Final = frozenset(_COMPARED)


@dataclass(frozen=True, slots=True)
class StudyQuery:
    """What is empty asks for nothing. `refs`: one of these. `accession_of`: whose accession number is asked for, "" for
    any hospital's. `patient` selects the person behind a number, `services.find_studies` says how."""

    refs: frozenset[StudyRef] | None = None
    study_instance_uid: str = ""
    accession_number: str = ""
    accession_of: str = ""
    modalities: frozenset[str] = frozenset()
    started: tuple[Days, ...] = ()
    patient: IdentityKey | None = None

    def fits(self, summary: Summary) -> bool:
        """All but the patient."""
        ref = summary.ref
        return (
            (self.refs is None or ref in self.refs)
            and self.study_instance_uid in ("", ref.study_instance_uid)
            and self.accession_number in ("", summary.accession_number)
            and (not self.accession_number or self.accession_of in ("", ref.hospital_id))
            and (not self.modalities or not self.modalities.isdisjoint(summary.modalities))
            and (not self.started or self._started(study_day(summary)))
        )

    def _started(self, day: date | None) -> bool:
        return day is not None and all(asked.holds(day) for asked in self.started)


def study_day(summary: Summary) -> date | None:
    """The study's date where it is one. Some devices write 2026.11.24."""
    return day_of(summary.study_date)


def day_of(text: str) -> date | None:
    """A DA, with or without dots."""
    try:
        return datetime.strptime(re.sub(r"[^0-9]", "", text)[:8], "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
