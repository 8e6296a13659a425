"""What became of instances that were to be stored, in the terms of PS3.18 §10.5 and Annex I."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 4_300_000  # a function is handed 6 MB, of which base64 takes a quarter
MOST_INSTANCES: Final = 200  # in one request: each is a PUT, sixteen at a time

# Failure Reason (0008,1197), PS3.18 Table I.2-2
PROCESSING: Final = 0x0110  # ours: send it again
NO_INSTANCE: Final = 0x0122  # SOP class not supported: a DICOMDIR is no instance
NO_UIDS: Final = 0xA900  # A9xx, does not match its SOP class: a UID that every class demands is missing or is none
OTHER_STUDY: Final = 0xA901  # A9xx: not of the study that the request names
UNREADABLE: Final = 0xC000  # Cxxx, cannot understand

# Words of `domain.quarantine.REASONS` as such; what is not here cannot be understood.
_REASONS: Final[Mapping[str, int]] = {"dicomdir": NO_INSTANCE, "missing_uid": NO_UIDS, "bad_uid": NO_UIDS}


def failure_reason(word: str) -> int:
    return _REASONS.get(word, UNREADABLE)


@dataclass(frozen=True, slots=True)
class Reference:
    """An instance in the bucket."""

    study_uid: str
    series_uid: str
    sop_class_uid: str
    sop_uid: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A part that was not kept. Its UIDs are "" where it does not say them."""

    reason: int
    sop_class_uid: str = ""
    sop_uid: str = ""


@dataclass(frozen=True, slots=True)
class StoreOutcome:
    """Of every part one or the other, in the parts' order."""

    stored: tuple[Reference, ...]
    failed: tuple[Failure, ...]

    @property
    def is_ours(self) -> bool:
        """Nothing is kept, by no fault of the sender's."""
        return not self.stored and all(one.reason == PROCESSING for one in self.failed)
