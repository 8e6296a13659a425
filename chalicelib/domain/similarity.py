"""Which earlier exam answers the question of a new one (FACTS 2). Never a hindrance: only a reminder.

`duplicate`: the same kind of machine, every region of the new exam seen on the same side, with contrast where the new
one wants it, and not too long ago. `related`: some of that, within half a year. What is not known is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final, Literal

from chalicelib.domain.body_region import Part, ancestors, rows
from chalicelib.domain.exam_text import Contrast, Reading, read_text

Likeness = Literal["duplicate", "related", "none"]

# DICOM's Modality (PS3.3 C.7.3.1.1.1) → the kind of machine.
GROUPS: Final[Mapping[str, str]] = {
    "CT": "CT",
    "MR": "MR",
    "US": "US",
    "IVUS": "US",
    "CR": "XR",
    "DX": "XR",
    "RG": "XR",
    "PX": "XR",
    "IO": "XR",
    "XR": "XR",
    "MG": "MG",
    "NM": "NM",
    "PT": "PT",
    "XA": "XA",
    "RF": "RF",
}
# The kind of a study of several: a PET/CT is a PET, an X-ray taken during it is not what it is for.
_FIRST_OF = ("PT", "NM", "MG", "XA", "MR", "CT", "RF", "US", "XR")

RELATED: Final = 180  # days
SAME_VISIT: Final = timedelta(hours=6)  # what was just made here is this very exam

_DEDICATED: Final = frozenset({"SINUS", "EAR", "ORBIT", "SELLA"})  # protocols of their own: no head shows them
_HEADS: Final = frozenset({"HEAD", "BRAIN"})
_BONE_VIEWS: Final = frozenset({"RIB", "STERNUM"})  # on X-ray films: no chest film, nor the other way round
_NOWHERE: Final = frozenset({"PHANTOM", "EXTREMITY", "VESSEL_UNSPEC", "SUPERFICIAL"})  # it could be any
_WHOLE: Final = "WHOLE_BODY"
_RANK: Final[Mapping[Contrast, int]] = {"": 0, "plain": 0, "contrast": 1, "both": 2}


@dataclass(frozen=True, slots=True)
class Exam:
    """What is compared: a kind of machine ("" unknown), regions, contrast ("" unknown: as plain, as in most lists)."""

    group: str
    parts: tuple[Part, ...]
    contrast: Contrast = ""


@cache
def windows(hospital_id: str = "") -> Mapping[str, int]:
    """Days in which an exam is still good, by kind of machine: `similar_windows.tsv`, the province's (*) and where a
    hospital says otherwise its own. [A], from the evidence in FACTS 2: there is no national interval."""
    listed = [(whose, group, int(days)) for whose, group, days in rows("similar_windows.tsv")]
    return {group: days for who in ("*", hospital_id) for whose, group, days in listed if whose == who}


def group_of(modalities: Iterable[str]) -> str:
    """The kind of machine of a study; "" where none is told."""
    groups = {GROUPS.get(modality.upper(), "") for modality in modalities}
    return next((group for group in _FIRST_OF if group in groups), "")


def exam_of(modality: str, description: str) -> Exam:
    """An exam as a list or an order words it."""
    group = group_of([modality])
    reading: Reading = read_text(description, group)
    return Exam(group, reading.parts, reading.contrast)


def compare(prior: Exam, new: Exam, days: int, within: Mapping[str, int] | None = None) -> Likeness:
    """`days` between the two, 0 for the same day; `within` the `windows` that count."""
    if not prior.group or not new.group or days > RELATED:
        return "none"
    covered = covers(prior, new)
    if covered == "none":
        return "none"
    in_time = days <= (windows() if within is None else within).get(new.group, 0)
    whole = covered == "all" and prior.group == new.group and in_time
    return "duplicate" if whole and _RANK[prior.contrast] >= _RANK[new.contrast] else "related"


def covers(prior: Exam, new: Exam) -> Literal["all", "some", "none"]:
    """How much of the new exam's regions the earlier one shows, whatever machine made it."""
    wanted = [part for part in new.parts if part.region not in _NOWHERE]
    shown = [part for part in prior.parts if part.region not in _NOWHERE]
    if not wanted or not shown:
        return "none"
    film = prior.group == "XR" and new.group == "XR"
    found = [max((_shown(one, part, film=film) for one in shown), default=0) for part in wanted]
    if all(level == _ALL for level in found):
        return "all"
    return "some" if any(found) else "none"


_NONE, _SOME, _ALL = 0, 1, 2


def _shown(prior: Part, new: Part, *, film: bool) -> int:
    if _WHOLE in (prior.region, new.region) and prior.region != new.region:
        return _SOME  # an exam of the whole body answers only for the whole body
    if not _overlap(prior.region, new.region, film=film):
        return _NONE
    if prior.side == new.side or not prior.side or not new.side or prior.side == "B":
        return _ALL  # a side that nobody named: the doctor judges
    return _SOME if new.side == "B" else _NONE


@cache
def _overlap(prior: str, new: str, *, film: bool) -> bool:
    """The same region, or one within the other."""
    if prior == new or {prior, new} <= _HEADS or (film and {prior, new} == {"PELVIS", "PELVIS_BONE"}):
        return True
    if {prior, new} & _DEDICATED or (film and {prior, new} & _BONE_VIEWS):
        return False
    return prior in ancestors(new) or new in ancestors(prior)
