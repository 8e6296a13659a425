"""What a study is an exam of: regions with their sides, and contrast, for lists and for `domain.similarity`.

Order of belief (FACTS 1): the code of AnatomicRegionSequence, the order's words, the study's, the protocol's, the
series', BodyPartExamined, which alone is wrong in 15 of 100. Each series has a say, but for localizers and what was
made after the exam. The keywords here are those of `Header.viewer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from chalicelib.domain.body_region import Part, merged, of_code, of_term, regions
from chalicelib.domain.exam_lexicon import normal, says
from chalicelib.domain.exam_text import Contrast, Reading, read_text
from chalicelib.domain.similarity import group_of
from chalicelib.domain.study import Header

# Titles of key objects that withdraw images (PS3.16 CID 7011): quality, safety, wrong worklist entry, kept too long.
REJECTING: Final = frozenset({"113001", "113037", "113038", "113039"})
MOST_SERIES: Final = 64  # of a study: what more of them say is nothing new


@dataclass(frozen=True, slots=True)
class Examined:
    """`parts` are `body_region.Part`s as texts. `rejected`: a key object in it withdraws images."""

    parts: tuple[str, ...] = ()
    contrast: Contrast = ""
    rejected: bool = False


def examined(headers: Sequence[Header]) -> Examined:
    """Of the served headers, in the order in which they count."""
    images = [header for header in headers if header.times.evidence] or list(headers)
    group = group_of(header.modality for header in images)
    each = _telling(images)
    telling = [header for header in each if not _is_localizer(header)] or each
    parts = merged(tuple(chain.from_iterable(_parts(header, group) for header in telling)))
    if group == "MG" and not parts:
        parts = merged(tuple(Part("BREAST", _side(header)) for header in telling))  # there is nothing else to see
    return Examined(tuple(map(str, parts)), _contrast(telling, group), any(map(_rejects, headers)))


def _telling(headers: Iterable[Header]) -> list[Header]:
    """One header of each series and side."""
    found: dict[tuple[str, str], Header] = {}
    for header in headers:
        if len(found) < MOST_SERIES:
            found.setdefault((header.series_instance_uid, _side(header)), header)
    return list(found.values())


def _parts(header: Header, group: str) -> Iterator[Part]:
    """By the first source that names a region; a side that its words leave open is the image's own."""
    found = next(filter(None, _sources(header, group)), ())
    side = _side(header)
    for part in found:
        yield Part(part.region, side) if side and not part.side and regions()[part.region].is_paired else part


def _sources(header: Header, group: str) -> Iterator[tuple[Part, ...]]:
    codes = _items(header.viewer, "AnatomicRegionSequence")
    yield merged(
        tuple(
            part for code in codes for part in of_code(_text(code, "CodingSchemeDesignator"), _text(code, "CodeValue"))
        )
    )
    yield from (read_text(text, group).parts for text in _wordings(header))
    yield of_term(header.body_part_examined) or read_text(header.body_part_examined, group).parts


def _wordings(header: Header) -> Iterator[str]:
    yield from _order(header)
    yield header.study_description
    yield _text(header.viewer, "ProtocolName")
    yield header.series_description


def _order(header: Header) -> Iterator[str]:
    yield _text(header.viewer, "RequestedProcedureDescription")
    for request in _items(header.viewer, "RequestAttributesSequence"):
        yield _text(request, "RequestedProcedureDescription")
        yield _text(request, "ScheduledProcedureStepDescription")


def _contrast(headers: Sequence[Header], group: str) -> Contrast:
    """As the order or the study says; else by the agent, where one was given in some series or in all."""
    for header in headers:
        readings: Iterator[Reading] = (
            read_text(text, group) for text in (*_order(header), header.study_description) if text
        )
        said = next((reading for reading in readings if reading.contrast), None)
        if said:
            return said.contrast
    given = {bool(_text(header.viewer, "ContrastBolusAgent")) for header in headers}
    if True not in given:
        return ""
    return "both" if False in given else "contrast"


def _side(header: Header) -> str:
    """ImageLaterality (DX, MG), else Laterality (PS3.3 C.8.11.1, C.7.3.1); U is unpaired."""
    side = _text(header.viewer, "ImageLaterality") or _text(header.viewer, "Laterality")
    return side if side in ("L", "R", "B") else ""


def _is_localizer(header: Header) -> bool:
    image_type = header.viewer.get("ImageType")
    named = isinstance(image_type, list) and "LOCALIZER" in image_type
    return named or says("localizer", normal(header.series_description))


def _rejects(header: Header) -> bool:
    return header.modality == "KO" and any(
        _text(code, "CodeValue") in REJECTING and _text(code, "CodingSchemeDesignator") == "DCM"
        for code in _items(header.viewer, "ConceptNameCodeSequence")
    )


def _items(values: Mapping[str, Any], keyword: str) -> list[Mapping[str, Any]]:
    found = values.get(keyword)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _text(values: Mapping[str, Any], keyword: str) -> str:
    found = values.get(keyword)
    return found.strip() if isinstance(found, str) else ""
