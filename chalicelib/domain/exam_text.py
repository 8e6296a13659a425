"""What a description of an exam, in Chinese or English, says of region, side and contrast (FACTS 1).

Full width becomes half width, blanks between Han go, the longest word wins, and a phrase that names no region though it
holds its word (coronal view, surgery, pain) wins over that word. A word of one Han counts only where it is a word of
its own: before a technique, a sign, another region. What is not in the tables is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from chalicelib.domain.body_region import Part, expand, merged, regions
from chalicelib.domain.exam_lexicon import (
    HAN,
    NOTHING_NAMED,
    any_of,
    echo,
    english,
    english_names,
    han,
    longest_han,
    normal,
    squeezed,
    words,
)

Contrast = Literal["", "plain", "contrast", "both"]
LONGEST: Final = 1024  # characters that are read: more says nothing more of a region

_PART = re.compile(r"[+;]")
_PAIN = re.compile(r"[部区]?(?:疼|痛|内科|外科|科)")
_SIDE = re.compile(
    r"双侧|双边|两侧|左右|左[、/,及和与]右|双|两|左侧|右侧|左|右"
    r"|(?<![a-z0-9])(?:bilateral|bilat|bil|b/l|both|[lr]/[lr]|left|right|lt|rt|[lr])(?![a-z0-9]|[ -]?spine|/[os])"
)
_SIDE_OF: Final = {"l": "L", "r": "R", "左": "L", "右": "R"}
_UNSPECIFIC: Final = ("VESSEL_UNSPEC", "EXTREMITY")
_SPINE: Final = frozenset({"C_SPINE", "T_SPINE", "L_SPINE", "SACRUM"})
_FOLDED_INTO_VESSELS: Final = frozenset(
    {"VESSEL_PULMONARY", "AORTA_THORACIC", "AORTA_ABDOMINAL", "AORTA", "CORONARY", "THORACIC_TRIPLE"}
)
_BINDING: Final = frozenset("及和与加或的侧边部段上中下近远单")
XR: Final = "XR"


@dataclass(frozen=True, slots=True)
class Reading:
    """`parts` in order of appearance, no composite among them. "" of contrast: nobody said."""

    parts: tuple[Part, ...] = ()
    contrast: Contrast = ""


@dataclass(frozen=True, slots=True)
class _Hit:
    """A word of the tables in a text."""

    start: int
    end: int
    name: str
    is_weak: bool

    @property
    def is_region(self) -> bool:
        return self.name != NOTHING_NAMED


@dataclass(frozen=True, slots=True)
class _Sided:
    """Where a text names a side."""

    start: int
    end: int
    side: str


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of a text. `is_angio`: its regions mean their vessels; `names_vessels`: it says for which it is made."""

    start: int
    end: int
    is_angio: bool
    names_vessels: bool


@lru_cache(maxsize=1024)
def read_text(text: str, group: str = "") -> Reading:
    """`group` is the modality's (domain.similarity.GROUPS), "" where it is not known."""
    folder, _, rest = text[:LONGEST].partition("^")  # devices put protocols into folders: Spine^LSpine
    plain = normal(rest)
    contrast = read_contrast(normal(text[:LONGEST]), group)
    found = (_parts(plain, group) if plain else ()) or _parts(normal(f"{folder} {rest}"), group)
    return Reading(found, contrast)


# Regions


def _parts(text: str, group: str) -> tuple[Part, ...]:
    hits = _hits(text, group)
    named = [hit for hit in hits if hit.is_region]
    if any(not hit.is_weak for hit in named):
        named = [hit for hit in named if not hit.is_weak]
    sides = list(_sides(text, hits))
    spans = _spans(text, hits)
    found: list[Part] = []
    for hit in named:
        side = _side(text, hit, sides, named)
        found += [Part(name, side if regions()[name].is_paired else "") for name in _as_vessels(hit, named, spans)]
    return _without_general(merged(tuple(found)))


def _hits(text: str, group: str) -> list[_Hit]:
    hits: list[_Hit] = []
    at = 0
    while at < len(text):
        hit = _hit(text, at, group)
        if hit:
            hits.append(hit)
        at = hit.end if hit else at + 1
    return hits


def _hit(text: str, at: int, group: str) -> _Hit | None:
    if HAN.match(text, at):
        return _hit_of_han(text, at)
    if at and ("a" <= text[at - 1] <= "z"):
        return None
    found = english().match(text, at) or (echo().match(text, at) if group in ("", "US") else None)
    if not found:
        return None
    word = squeezed(found[0])
    if group == XR and word == "a p":  # a view, anteroposterior
        return None
    return _Hit(at, found.end(), english_names().get(word, "HEART"), word in words("weak"))


def _hit_of_han(text: str, at: int) -> _Hit | None:
    for length in range(min(longest_han(), len(text) - at), 0, -1):
        end = at + length
        name = han().get(text[at:end])
        if name is None or (length == 1 and not _is_a_word(text, end)):
            continue
        aches = _PAIN.match(text, end)  # where it hurts, and which department asks, is no exam
        return _Hit(at, end, NOTHING_NAMED if aches else name, text[at:end] in words("weak"))
    return None


def _is_a_word(text: str, end: int) -> bool:
    """Whether one Han before this is a word of its own: 膝 of 左膝正位 is, that of 膝盖 is not."""
    if end == len(text) or not HAN.match(text, end):
        return True
    if text.startswith(words("follow"), end):
        return True
    return any(text[end : end + length] in han() for length in range(1, longest_han() + 1))


def _as_vessels(hit: _Hit, named: Sequence[_Hit], spans: Sequence[_Span]) -> Sequence[str]:
    """An angiography of the head shows its vessels; one of the chest is a chest with contrast, unless it says which
    vessels it is for. Only within the part of the description that speaks of it; one that names no region speaks of
    those before: 头颅平扫+MRA is the head and its vessels."""
    names = expand(hit.name)
    own = next(span for span in spans if span.start <= hit.start < span.end)
    beside = {one.name for one in named if own.start <= one.start < own.end}
    if "CHEST" in names and own.names_vessels and beside & _FOLDED_INTO_VESSELS:
        told = {"CHEST", "ABDOMEN"} if "AORTA" in beside else {"CHEST"}
        return [name for name in names if name not in told]
    if own.is_angio:
        return [regions()[name].angio or name for name in names]
    if any(span.is_angio and span.start > hit.start and not _within(named, span) for span in spans):
        return [*names, *(found for name in names if (found := regions()[name].angio))]
    return names


def _within(named: Sequence[_Hit], span: _Span) -> bool:
    return any(span.start <= hit.start < span.end for hit in named)


def _spans(text: str, hits: Sequence[_Hit]) -> list[_Span]:
    """The parts of a description, as signs of addition part them."""
    blank = list(text)
    for hit in hits:
        if hit.name not in _UNSPECIFIC:
            blank[hit.start : hit.end] = "　" * (hit.end - hit.start)
    rest = "".join(blank)
    cuts = [0, *(cut.end() for cut in _PART.finditer(text)), len(text) + 1]
    vessels, for_pe, plain = any_of("angio"), any_of("embolism"), any_of("plain")
    return [
        _Span(
            start,
            end,
            is_angio=bool(vessels.search(rest, start, end)),
            names_vessels=bool(
                for_pe.search(text, start, end)
                or (vessels.search(text, start, end) and not plain.search(text, start, end))
            ),
        )
        for start, end in pairwise(cuts)
    ]


def _without_general(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """What says less than another word beside it: some vessel, some limb, the spine beside the part of it."""
    names = {part.region for part in parts}
    less = {*_UNSPECIFIC} if names - {*_UNSPECIFIC} else set[str]()
    if names & _SPINE:
        less.add("SPINE")
    return tuple(part for part in parts if part.region not in less)


# Sides


def _is_paired(hit: _Hit) -> bool:
    return any(regions()[name].is_paired or regions()[name].angio for name in expand(hit.name))


def _sides(text: str, hits: Sequence[_Hit]) -> Iterator[_Sided]:
    """Where a side is named, but for what belongs to another word: a left heart, an L spine, a left lateral view."""
    for found in _SIDE.finditer(text):
        inside = next((hit for hit in hits if hit.start <= found.start() < hit.end), None)
        if inside is None or (inside.is_region and _is_paired(inside)):
            yield _Sided(found.start(), found.end(), _side_of(found[0]))


def _side_of(word: str) -> str:
    if len(word) > 2 and word[0] in "lr" and word[1] == "/":
        return "B" if word[0] != word[2] else _SIDE_OF[word[0]]
    return "B" if word[0] in "双两b" or {"左", "右"} <= set(word) else _SIDE_OF[word[0]]


def _side(text: str, hit: _Hit, sides: Sequence[_Sided], named: Sequence[_Hit]) -> str:
    """Chinese names the side before, English often behind: as the first of the paired regions has it."""
    first = next((one for one in named if _is_paired(one)), hit)
    before = [sided for sided in sides if sided.start <= hit.start]
    behind = [sided for sided in sides if sided.start > hit.start]
    leads = any(sided.start <= first.start for sided in sides)
    if leads or not behind:
        return before[-1].side if before and _reaches(text, before[-1], hit, named) else ""
    return behind[0].side


def _reaches(text: str, sided: _Sided, hit: _Hit, named: Sequence[_Hit]) -> bool:
    """Whether nothing but regions and what binds them stands between: in 左肾结石 泌尿系CT the left is a stone's."""
    gap = list(text[sided.end : hit.start])
    for one in named:
        for at in range(max(one.start, sided.end), min(one.end, hit.start)):
            gap[at - sided.end] = " "
    return not set(HAN.findall("".join(gap))) - _BINDING


# Contrast


def read_contrast(text: str, group: str = "") -> Contrast:
    """Of a text made `normal`."""
    rest = any_of("plain").sub("　", text)
    if any_of("both").search(text):
        return "both"
    plain, contrast = rest != text, _has_contrast(rest, group)
    if plain and contrast:
        return "both"
    return "plain" if plain else "contrast" if contrast else ""


def _has_contrast(text: str, group: str) -> bool:
    kinds = ["contrast"]
    if group not in ("NM", "PT"):
        kinds += ["contrast_unless_nuclear"]
    if group not in ("MR", "NM", "PT") and not any_of("MODALITY_MR").search(text):
        kinds += ["contrast_unless_mr", "contrast_xray"]
    if group in ("", "CT", "MR"):
        kinds += ["contrast_by_letter"]
    if group in ("", "CT"):
        kinds += ["embolism"]
    return any(any_of(kind).search(text) for kind in kinds)
