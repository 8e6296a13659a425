"""What an exam that was not repeated saves, by the province's tables beside this file.

`savings.tsv`: fen an exam costs by kind of machine, and how many films are printed for a patient. A film is 16 yuan,
and there are four (the province's own figures); none of an ultrasound. The fees are assumptions [A], to be replaced by
the province's price list. `doses.tsv`: typical effective dose of an adult, µSv, by kind of machine and region, from
Mettler et al., Radiology 2008; 248:254-263 [A: typical, not the patient's own]. What is not in it is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from chalicelib.domain.body_region import Part, regions, rows

FILM_FEN: Final = 1600
NO_DOSE: Final = frozenset({"MR", "US"})  # no ionising radiation


@dataclass(frozen=True, slots=True)
class Saved:
    """Of one exam. `dose_usv` is None where it is not known."""

    film_fen: int
    fee_fen: int
    dose_usv: int | None


@cache
def savings(group: str, parts: tuple[Part, ...]) -> Saved:
    fee, films = prices().get(group, prices()["*"])
    return Saved(films * FILM_FEN, fee, dose(group, parts))


@cache
def prices() -> Mapping[str, tuple[int, int]]:
    """(fee in fen, films), by kind of machine; "*" for every other."""
    return {group: (int(fee), int(films)) for group, fee, films in rows("savings.tsv")}


def dose(group: str, parts: Iterable[Part]) -> int | None:
    """Of all regions together; None where one is not known."""
    if group in NO_DOSE:
        return 0
    found = [_dose(group, part.region) for part in parts]
    known = [one for one in found if one is not None]
    return sum(known) if found and len(known) == len(found) else None


def _dose(group: str, region: str) -> int | None:
    """Of the region, else of the nearest that it lies in."""
    table = _doses()
    while region and (group, region) not in table:
        region = regions()[region].parent
    return table.get((group, region))


@cache
def _doses() -> Mapping[tuple[str, str], int]:
    return {(group, region): int(usv) for group, region, usv in rows("doses.tsv")}
