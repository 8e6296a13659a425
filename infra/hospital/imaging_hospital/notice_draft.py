"""What the readers of HL7, CSV and JSON have in common: a draft of a notice, and how one cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timezone
from typing import Any

from .local_time import CHINA
from .tongue import Said

NOT_A_TIME = Said("is no time with hours and minutes", "不是带时分的时间")


@dataclass(frozen=True)
class Reading:
    """How this hospital's files are read: `zone` is that of times without one, `fields` replaces places of
    hl7_tables.PLACES, `patient_classes` adds to table 0004."""

    zone: timezone = CHINA
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    patient_classes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """A notice not yet checked; `places` says where each field was found or is looked for."""

    notice: dict[str, Any]
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PassedOver:
    """Tells of no exam of ours. No fault: a feed carries much else."""

    why: Said
    values: Mapping[str, str]


class BadPlaceError(ValueError):
    """A place (OBR-8, a column) that cannot be understood. `path` is the field it was for, "" where it is for none.
    Never the value."""

    def __init__(self, place: str, what: Said, path: str = "") -> None:
        super().__init__(place)
        self.place, self.what, self.path = place, what, path
