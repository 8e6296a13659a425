"""Comparing names as hospitals write them: group 1 may hold Han or pinyin, carets are often absent (PS3.5 6.2.1)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

# The dot inside a Uyghur, Tibetan or foreign name is typed in many ways; none of them tells people apart.
_DOTS = frozenset("·•・‧∙⋅●◦᛫.,。、﹒⸱ꞏ")

# Eight characters have private-use code points in the older GB 18030 tables, Python 3.11's among them (GB 18030-2022).
_PRIVATE_USE = {
    0xE81E: 0x9FB4,
    0xE826: 0x9FB5,
    0xE82B: 0x9FB6,
    0xE82C: 0x9FB7,
    0xE832: 0x9FB8,
    0xE843: 0x9FB9,
    0xE854: 0x9FBA,
    0xE864: 0x9FBB,
}
_HAN = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF), (0x3007, 0x3007))


@dataclass(frozen=True, slots=True)
class NameKey:
    """A name's two comparable forms; "" where the name does not hold that form."""

    han: str
    latin: str


def name_key(name: str) -> NameKey:
    """Han without carets, blanks and dots, and pinyin in capitals without blanks, from any PN group that holds them."""
    han = latin = ""
    for group in name.split("="):
        letters = _letters(group)
        if any(_is_han(letter) for letter in letters):
            han = han or letters
        else:
            latin = latin or _plain_latin(letters)
    return NameKey(han, latin)


def names_agree(one: str, other: str) -> bool:
    """Whether two spellings can be the same name. Han decides where both hold Han; pinyin alone is many to one."""
    first, second = name_key(one), name_key(other)
    if first.han and second.han:
        return first.han == second.han
    return bool(first.latin) and first.latin == second.latin


def names_conflict(one: str, other: str) -> bool:
    """Whether two spellings cannot be the same name. Han against pinyin says nothing either way."""
    first, second = name_key(one), name_key(other)
    if first.han and second.han:
        return first.han != second.han
    return bool(first.latin and second.latin) and first.latin != second.latin


def _letters(group: str) -> str:
    text = unicodedata.normalize("NFKC", group.translate(_PRIVATE_USE)).upper()
    return "".join(letter for letter in text if letter not in _DOTS and unicodedata.category(letter)[0] not in "PSZC")


def _plain_latin(letters: str) -> str:
    """Tone marks dropped: LǏ and LI are one pinyin."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(letter))


def _is_han(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _HAN)
