"""Regions of the body: which there are, what lies in what, and what devices call them. The table is
`body_regions.tsv`: region, group, parent, paired, what a composite expands to, which vessels its angiography shows,
terms of BodyPartExamined (PS3.16 Annex L, then what vendors write), words in Chinese and in English.

Codes stand apart, in `body_region_codes.tsv`: those of SNOMED CT and SRT that PS3.16 CID 4030, 4031 and Annex L use,
and nothing else of either, for who may ship them is a question of licence (infra/REMINDERS.md). Without it all but
AnatomicRegionSequence is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

SIDES: Final = ("", "L", "R", "B")
_NO_TERM = re.compile(r"[^A-Z0-9]")
_SPINE_OF_A_CT = re.compile(r"CT[^A-Z0-9]+SPINE")
_SCHEMES: Final = {"SCT": "sct", "SNM3": "srt", "SRT": "srt", "99SDM": "srt"}


@dataclass(frozen=True, slots=True)
class Region:
    """`expands`: a composite is nothing but its parts. `angio`: the vessels that an angiography of it shows."""

    name: str
    group: str
    parent: str
    is_paired: bool
    expands: tuple[str, ...]
    angio: str
    dicom: tuple[str, ...]
    zh: tuple[str, ...]
    en: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A region and its side: L, R, B for both, "" where nobody said or where there is but one. Never a composite."""

    region: str
    side: str = ""

    def __str__(self) -> str:
        return f"{self.region}:{self.side}" if self.side else self.region

    @classmethod
    def of(cls, text: str) -> Part:
        """From what `str` gave."""
        region, _, side = text.partition(":")
        return cls(region, side)


@cache
def regions() -> Mapping[str, Region]:
    """All of them, by name."""
    return {region.name: region for region in map(_region, rows("body_regions.tsv"))}


def rows(name: str) -> Iterator[list[str]]:
    """The lines of a table beside this file, without its heading, as cells."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines()[1:])


def _region(cells: list[str]) -> Region:
    name, group, parent, paired, expands, angio, *words = cells
    dicom, zh, en = (tuple(filter(None, cell.split(";"))) for cell in words)
    return Region(name, group, parent, paired == "1", tuple(filter(None, expands.split(";"))), angio, dicom, zh, en)


def expand(name: str) -> tuple[str, ...]:
    """The regions that a name stands for: a composite's parts, else itself."""
    return regions()[name].expands or (name,)


def ancestors(name: str) -> frozenset[str]:
    """What a region lies in, itself left out."""
    found, parent = set[str](), regions()[name].parent
    while parent:
        found.add(parent)
        parent = regions()[parent].parent
    return frozenset(found)


def of_term(body_part_examined: str) -> tuple[Part, ...]:
    """What BodyPartExamined says, if it is a term of Annex L or of a vendor: capitals, without blanks and signs. "CT
    SPINE" is a spine; only what is written as one word is cervicothoracic."""
    raw = unicodedata.normalize("NFKC", body_part_examined).upper().strip()
    if _SPINE_OF_A_CT.fullmatch(raw):
        raw = "SPINE"
    term = _NO_TERM.sub("", raw)
    name = _terms().get(term)
    if name is None:
        return ()
    side = term[0] if term[0] in "LR" and _terms().get(term[1:]) == name else ""
    return tuple(Part(one, side if regions()[one].is_paired else "") for one in expand(name))


@cache
def _terms() -> Mapping[str, str]:
    return {term: region.name for region in reversed(tuple(regions().values())) for term in region.dicom}


def of_code(scheme: str, value: str) -> tuple[Part, ...]:
    """What a code of AnatomicRegionSequence says; both generations of SNOMED's codes for chest, abdomen and pelvis."""
    name = _codes().get((_SCHEMES.get(scheme.strip().upper(), ""), value.strip().upper()))
    return tuple(Part(one) for one in expand(name)) if name else ()


@cache
def _codes() -> Mapping[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for name, sct, srt in rows("body_region_codes.tsv"):
        found |= {("sct", code): name for code in sct.split(";")} | {("srt", code): name for code in srt.split(";")}
    return found


def merged(parts: Iterator[Part] | tuple[Part, ...]) -> tuple[Part, ...]:
    """Each region once, in order of appearance; left and right make both, and a side that is known stands."""
    found: dict[str, str] = {}
    for part in parts:
        sides = {found.get(part.region, ""), part.side} - {""}
        found[part.region] = "B" if len(sides) > 1 else "".join(sides)
    return tuple(Part(region, side) for region, side in found.items())
