"""What becomes of a quarantined upload after its record: pure steps, each by whom it is for.

    open → asked → granted or refused → (asked again)        any of them → closed

A release is no exception: it has the object looked at again under the rules of every upload, because something around
it has changed (a registration, a limit, the reader). What still cannot be indexed stays where it is; nothing is lost.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from chalicelib.domain.seal import canonical

State = Literal["open", "asked", "granted", "refused", "closed"]
Ground = Literal["registered_since", "needs_larger_limit", "misjudged"]
Decision = Literal["grant", "refuse"]
# Why a step is not possible: told to whom asks.
Refusal = Literal["not_releasable", "other_ground", "entry_closed", "not_asked", "other_instance", "not_received"]

GROUNDS: Final[Mapping[Ground, tuple[str, str]]] = {  # in English and Chinese
    "registered_since": (
        "The hospital was registered since, or its registration opened again.",
        "医院已完成登记，或登记已恢复。",
    ),
    "needs_larger_limit": ("The upload is right and needs a larger limit.", "上传内容无误，需要提高限额。"),
    "misjudged": ("The file is right: the platform misread it.", "文件无误，平台判断有误。"),
}
_MISJUDGED: Final[tuple[Ground, ...]] = ("misjudged",)
_LIMIT: Final[tuple[Ground, ...]] = ("needs_larger_limit",)
_REGISTERED: Final[tuple[Ground, ...]] = ("registered_since",)
# On which grounds a reason can be asked about. Of all others the bytes themselves are at fault: only other bytes help.
RELEASABLE: Final[Mapping[str, tuple[Ground, ...]]] = {
    "unknown_hospital": _REGISTERED,
    "hospital_closed": _REGISTERED,
    "too_large": _LIMIT,
    "archive_bomb": _LIMIT,
    "too_many_entries": _LIMIT,
    "notice_too_large": _LIMIT,
    "nested_too_deep": _LIMIT,
    "header_too_long": _LIMIT,
    "truncated": _MISJUDGED,
    "malformed": _MISJUDGED,
    "bad_archive": _MISJUDGED,
    "bad_pack_index": _MISJUDGED,
    "pack_mismatch": _MISJUDGED,
}
_ENTRY_OF_ARCHIVE: Final = re.compile(r"archives/.*#\d+", re.DOTALL)


class QuarantineRefused(Exception):  # noqa: N818 - named by the fact
    """The step is not possible. `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Standing:
    """How a quarantined upload stands. `entry_id` names it within its hospital; `reason` and `size` are its record's,
    for lists of many hospitals. Closed, it names what took its place: an entry of a study, or a notice."""

    hospital_id: str
    entry_id: str
    state: State = "open"
    reason: str = ""
    size: int = 0
    ground: str = ""
    asked_by: str = ""
    asked_at: datetime | None = None
    decided_by: str = ""
    decided_at: datetime | None = None
    note: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None
    study_instance_uid: str = ""
    version_id: str = ""
    offset: int = 0
    notice: str = ""
    revision: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its canonical JSON: what the audit holds of the step that led here."""
        told = {
            name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }
        return hashlib.sha256(canonical(told)).hexdigest()


@dataclass(frozen=True, slots=True)
class Replacement:
    """What took the place of a quarantined upload: an entry of a study, or the notice of that digest."""

    study_instance_uid: str = ""
    version_id: str = ""
    offset: int = 0
    notice: str = ""


def grounds(key: str, reason: str) -> tuple[Ground, ...]:
    """On which grounds a release may be asked for; () for none. An entry of an archive is released with the archive
    or sent again: by itself it is no object."""
    return () if _ENTRY_OF_ARCHIVE.fullmatch(key) else RELEASABLE.get(reason, ())


def asked(before: Standing, possible: tuple[Ground, ...], ground: Ground, by: str, now: datetime) -> Standing:
    """Raises QuarantineRefused. Asked already: as it stands."""
    if before.state == "closed":
        raise QuarantineRefused("entry_closed")
    if not possible:
        raise QuarantineRefused("not_releasable")
    if ground not in possible:
        raise QuarantineRefused("other_ground")
    if before.state == "asked":
        return before
    undecided = replace(before, decided_by="", decided_at=None, note="")
    return replace(undecided, state="asked", ground=ground, asked_by=by, asked_at=now)


def decided(before: Standing, decision: Decision, note: str, by: str, now: datetime) -> Standing:
    """Raises QuarantineRefused. Decided so already: as it stands, so that a grant can be carried out again."""
    state: State = "granted" if decision == "grant" else "refused"
    if before.state == state:
        return before
    if before.state == "closed":
        raise QuarantineRefused("entry_closed")
    if before.state != "asked":
        raise QuarantineRefused("not_asked")
    return replace(before, state=state, note=note, decided_by=by, decided_at=now)


def closed(before: Standing, by_what: Replacement, by: str, now: datetime) -> Standing:
    """Raises QuarantineRefused. Closed by the same already: as it stands."""
    told = asdict(by_what)
    if before.state == "closed":
        if all(getattr(before, name) == value for name, value in told.items()):
            return before
        raise QuarantineRefused("entry_closed")
    return replace(before, state="closed", closed_by=by, closed_at=now, **told)
