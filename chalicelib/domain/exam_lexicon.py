"""The words that descriptions of exams are read by, from `body_regions.tsv` and `exam_words.tsv`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from chalicelib.domain.body_region import regions, rows

NOTHING_NAMED: Final = "-"  # a phrase that names no region
HAN: Final = re.compile(r"[\u3400-\u9fff]")
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])[\s\u3000]+(?=[\u3400-\u9fff])")
_SPELT = re.compile(r"(?<![a-z])([cmd]) ([tr])(?![a-z])")  # C T, M R, D R; beside English words C T may be a spine
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_^]")
_BETWEEN_WORDS = r"[\s\-/_.,&]+"


def normal(text: str) -> str:
    """Half width, small letters, simplified Han, words that only a capital parts apart, no blanks between Han."""
    text = unicodedata.normalize("NFKC", text).translate(_simplified())
    text = " ".join(_HUMP.sub(" ", text).lower().split())
    return _BETWEEN_HAN.sub("", _SPELT.sub(r"\1\2", text) if HAN.search(text) else text)


@cache
def _simplified() -> Mapping[int, str]:
    """Of the Han that words of the tables are written with, as Hong Kong, Taiwan and old systems write them."""
    return {ord(traditional): simplified for traditional, simplified in rows("han_variants.tsv")}


@cache
def _tables() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for kind, listed in rows("exam_words.tsv"):
        found[kind] = (*found.get(kind, ()), *listed.split(";"))
    return found


def words(kind: str) -> tuple[str, ...]:
    """The words of a kind in `exam_words.tsv`."""
    return _tables()[kind]


@cache
def any_of(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(map(_pattern, sorted(words(kind), key=len, reverse=True))))


def says(kind: str, text: str) -> bool:
    """Whether a text made `normal` has a word of that kind."""
    return any_of(kind).search(text) is not None


def _pattern(word: str) -> str:
    r"""Never \b: Han are letters to it. A blank in a word may be any separator, or two."""
    loose = r"[\s\-/_.,&]*".join(re.escape(part) for part in re.split(r"[ -]", word)) if word[0].isalpha() else ""
    pattern = loose or re.escape(word)
    if word[0].isascii():
        after = "" if word.endswith("/") else r"(?![a-z0-9]|/[a-z])" if len(word) <= 2 else "(?![a-z])"
        return rf"(?<![a-z0-9/]){pattern}{after}" if len(word) <= 2 else rf"(?<![a-z]){pattern}{after}"
    return pattern


@cache
def han() -> Mapping[str, str]:
    found = {word: region.name for region in regions().values() for word in region.zh if HAN.match(word)}
    nothing = {word: NOTHING_NAMED for word in words("null") if HAN.match(word)}
    return {normal(word): name for word, name in (nothing | found).items()}


@cache
def longest_han() -> int:
    return max(map(len, han()))


@cache
def english_names() -> Mapping[str, str]:
    found = {word: region.name for region in regions().values() for word in (*region.en, *_latin(region.zh))}
    nothing = {word: NOTHING_NAMED for word in words("null") if not HAN.match(word)}
    echo = set(words("echo"))
    return {squeezed(word.lower()): name for word, name in (found | nothing).items() if word not in echo}


def _latin(zh: Sequence[str]) -> list[str]:
    return [word for word in zh if not HAN.match(word)]


@cache
def english() -> re.Pattern[str]:
    longest = sorted(english_names(), key=len, reverse=True)
    return re.compile("(?:" + "|".join(map(_loose, longest)) + ")(?![a-z])")


@cache
def echo() -> re.Pattern[str]:
    return re.compile("echo(?![a-z])")


def _loose(word: str) -> str:
    return _BETWEEN_WORDS.join(re.escape(part) for part in word.split(" "))


def squeezed(word: str) -> str:
    """One word for "c spine", "C-Spine" and "chest/abdomen": separators as one blank."""
    return " ".join(re.split(_BETWEEN_WORDS, word.strip()))
