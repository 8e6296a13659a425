"""Which character set text really is in (FACTS §6). Chinese devices often declare a wrong one, or none.

Per dataset, on the bytes of all its texts together: escape sequences mean what they say; pure ASCII is ASCII; what is
valid UTF-8 made of Han is UTF-8, whatever the label; what is valid GB18030 with two Han in a row, one of them common,
is GB18030; then the label; then a character cut in half at the end is dropped; Latin-1 reads the rest. Big5 and EUC-KR
cannot be told from GBK this way. Split values and name components after decoding: 5C, 5E, 7C can be trail bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from pydicom.charset import (
    CODES_TO_ENCODINGS,
    STAND_ALONE_ENCODINGS,
    handled_encodings,
    python_encoding,
)
from pydicom.valuerep import TEXT_VR_DELIMS

LATIN_1 = "iso8859"  # pydicom's name for what has no declared set
GB18030 = "gb18030"
UTF_8 = "utf-8"
IR_58 = b"\x1b$)A"
ASCII = b"\x1b(B"

# GB2312 and GBK are subsets of GB18030, and Python's codecs for them refuse characters that devices do write.
_FAMILY = {"GBK": GB18030, "GB2312": GB18030, "iso_ir_58": GB18030, "GB18030": GB18030, "UTF8": UTF_8}
# Terms outside the standard that are met in the field; pydicom accepts every codec name of Python here.
_ALIASES = {
    **dict.fromkeys(("GB2312", "GB 18030", "GB_18030", "gb2312", "gbk", "gb18030", "GB-18030"), GB18030),
    **dict.fromkeys(("UTF-8", "utf-8", "utf8", "UTF8"), UTF_8),
}
_MISSPELT = re.compile(r"ISO_IR_|GB[ _-]18030")
_LABELS_THAT_LIE = frozenset({LATIN_1, "latin_1", GB18030, UTF_8})
"""Labels under which other bytes are common. A Greek or Korean label is believed: its text could pass for GB18030."""
_SEVERAL = re.compile(r"ISO.2022.IR.100 *\\(?!.*(58|GB))")  # Western with another script but Chinese: set on purpose

_ESCAPES = re.compile(b"|".join(re.escape(code) for code in CODES_TO_ENCODINGS))
_FRAGMENTS = re.compile(rb"(^[^\x1b]+|[\x1b][^\x1b]*)")
_UTF_8_HAN = re.compile(rb"[\xe3-\xe9\xef\xf0][\x80-\xbf][\x80-\xbf]")
_CUT = ("incomplete", "unexpected end")  # how Python's codecs call it
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HANS = re.compile(f"[{_HAN}]")
_RUNS = re.compile(f"[{_HAN}]{{2,}}")
_FOUR_BYTES = re.compile("[\u3400-\u4db5\U00020000-\U0003ffff]")
_FULL_WIDTH = re.compile("[\uff21-\uff3a\uff41-\uff5a]")
_GB_18030_2022 = str.maketrans(
    "\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
    "\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb",
)
"""Python's codec still gives the private-use code points of 2005 for 18 characters that GB 18030-2022 has moved. DICOM
names no edition since CP-2354, and no font draws the old ones."""
_SPLIT_NAME = re.compile(f"[{_HAN}][\\^ =]+[{_HAN}]")


class Text(NamedTuple):
    """Decoded text, padding included; `repaired` when the declared set was wrong, missing or not kept to."""

    value: str
    codec: str
    repaired: bool


class Charset:
    """The declared terms (the value of (0008,0005), without padding) and what all texts of the dataset are in."""

    def __init__(self, declared: str, texts: Iterable[bytes]) -> None:
        self._terms = terms(declared)
        self._first = self._terms[0]
        self._misspelt = _MISSPELT.search(declared) is not None
        self._believed = self._first not in _LABELS_THAT_LIE or _SEVERAL.match(declared) is not None
        self._found: dict[bytes, Text] = {}
        odd = [text for text in texts if not text.isascii() and not _is_escaped(text)]
        if odd:
            self._detect(odd)

    def decode(self, raw: bytes, *, customizable: bool = True) -> Text:
        """`raw` without its padding. Not `customizable`: a VR such as CS, to which (0008,0005) does not apply."""
        if raw.isascii() and b"\x1b" not in raw:
            return Text(raw.decode("ascii"), "ascii", repaired=False)
        if customizable and _is_escaped(raw):
            return self._escaped(raw)
        if raw not in self._found:
            self._detect([raw])
        found = self._found.get(raw)
        if found is not None:
            return found if customizable else found._replace(repaired=True)
        return self._declared(raw) if customizable else Text(raw.decode("latin-1"), "latin-1", repaired=False)

    def _detect(self, texts: Sequence[bytes]) -> None:
        """UTF-8, then GB18030, each over all texts that are valid in it together."""
        if self._first == UTF_8 or _UTF_8_HAN.search(b"\n".join(texts)):
            valid, most = self._valid(texts, UTF_8)
            if not most and self._first != UTF_8:  # one text of another maker's among many
                valid = {raw: text for raw, text in valid.items() if _reads_better_than_gb18030(text.value)}
            if valid and self._is_utf_8("\n".join(text.value for text in valid.values())):
                self._found |= valid
        rest = [text for text in texts if text not in self._found]
        if rest and not self._believed:
            valid, most = self._valid(rest, GB18030)
            if most and _is_gb18030("\n".join(text.value for text in valid.values())):
                self._found |= valid

    def _valid(self, texts: Sequence[bytes], codec: str) -> tuple[dict[bytes, Text], bool]:
        """The texts that are valid in this codec, and whether they are most of the bytes."""
        valid = {raw: text for raw in texts if (text := self._strictly(raw, codec)) is not None}
        return valid, 2 * sum(map(len, valid)) > sum(map(len, texts))

    def _strictly(self, raw: bytes, codec: str) -> Text | None:
        """`raw` in this codec, but for one character cut in half at its very end; None when it does not fit."""
        try:
            return Text(_decoded(raw, codec), _shown(codec), repaired=codec != self._first or self._misspelt)
        except UnicodeDecodeError as error:
            cut = codec in (GB18030, UTF_8) and error.start >= len(raw) - 3 and error.reason.startswith(_CUT)
            if not cut or raw[: error.start].isascii():
                return None
            return Text(_decoded(raw[: error.start], codec), codec, repaired=True)

    def _is_utf_8(self, text: str) -> bool:
        """Han and hardly a letter of another script (a μ stands in Chinese text too), half of the Han common, whether
        simplified or traditional, or more of them than GB18030 would make of it. Where the label is believed, two of
        them; where it says UTF-8, nothing is asked."""
        if self._first == UTF_8:
            return True
        han = "".join(_HANS.findall(text))
        other = sum(char.isalpha() and not (char.isascii() or _FULL_WIDTH.match(char)) for char in _HANS.sub("", text))
        if len(han) < (2 if self._believed else 1) or 4 * other > len(han):
            return False
        return 2 * _common_anywhere(han) >= len(han) or _reads_better_than_gb18030(text)

    def _declared(self, raw: bytes) -> Text:
        codec = self._first
        if (text := self._strictly(raw, codec)) is not None:
            return text
        if self._believed:  # as pydicom has it
            return Text(raw.decode(codec, errors="replace"), codec, repaired=True)
        if codec == UTF_8 and (text := self._strictly(raw, GB18030)) is not None and _HANS.search(text.value):
            return text
        return Text(raw.decode("latin-1"), "latin-1", repaired=True)

    def _escaped(self, raw: bytes) -> Text:
        """Code extensions (PS3.5 6.1.2.5), for IR 58 by its own escape (Annex K), for others as pydicom has it."""
        chinese = IR_58 in raw
        value = "".join(self._fragment(fragment, chinese=chinese) for fragment in _FRAGMENTS.findall(raw))
        declared = not chinese or GB18030 in self._terms
        return Text(value, "iso2022_58" if chinese else self._first, repaired=not declared)

    def _fragment(self, raw: bytes, *, chinese: bool) -> str:
        first = self._first
        if chinese and raw.startswith((IR_58, ASCII)):
            text = raw.removeprefix(IR_58).removeprefix(ASCII)
            found = self._strictly(text, GB18030)
            return text.decode(GB18030, errors="replace") if found is None else found.value
        if not raw.startswith(b"\x1b"):
            return _loosely(raw, first)
        length = 4 if raw.startswith((b"\x1b$(", b"\x1b$)")) else 3
        codec = CODES_TO_ENCODINGS.get(raw[:length], "")
        if codec != LATIN_1 and codec not in self._terms:
            return raw.decode(first, errors="replace")
        if codec in handled_encodings:
            return _loosely(raw, codec, first)
        text = raw[length:]
        end = next((i for i, byte in enumerate(text) if byte in TEXT_VR_DELIMS), len(text))
        try:
            return text[:end].decode(codec) + text[end:].decode(first)
        except UnicodeError:
            return raw.decode(first, errors="replace")


@lru_cache(maxsize=256)
def terms(declared: str) -> tuple[str, ...]:
    """Python's codecs for the declared terms, with pydicom's corrections of misspelt ones; Latin-1 for unknown ones
    and where there is none."""
    names = [name.strip(" \0") for name in declared.split("\\")]
    codecs = [_codec(name) for name in names]
    if len(names) > 1 and names[0] in STAND_ALONE_ENCODINGS:
        return (codecs[0],)
    extensions = [codec for name, codec in zip(names[1:], codecs[1:], strict=True) if name not in STAND_ALONE_ENCODINGS]
    return (codecs[0], *extensions)


def _codec(name: str) -> str:
    if name in _ALIASES:
        return _ALIASES[name]
    if re.match(r"ISO[^_]IR", name):
        name = "ISO_IR" + name[6:]
    elif re.match(r"ISO.2022.IR.", name):
        name = "ISO 2022 IR " + name[12:]
    elif re.match(r"ISO_IR_", name):
        name = "ISO_IR " + name[7:]
    codec = python_encoding.get(name, LATIN_1)
    return _FAMILY.get(codec, codec)


def _decoded(raw: bytes, codec: str) -> str:
    text = raw.decode(codec)
    return text.translate(_GB_18030_2022) if codec == GB18030 else text


def _is_escaped(raw: bytes) -> bool:
    return b"\x1b" in raw and _ESCAPES.search(raw) is not None


def _loosely(raw: bytes, codec: str, fallback: str = "") -> str:
    try:
        return raw.decode(codec)
    except UnicodeError:
        return raw.decode(fallback or codec, errors="replace")


def _is_gb18030(text: str) -> bool:
    """Two Han in a row, one of them common; or, split as a name is, two that are both common, or one of them so rare
    that it takes four bytes, which nothing else looks like."""
    if any(_common(run) for run in _RUNS.findall(text)):
        return True
    pairs = [pair[0] + pair[-1] for pair in _SPLIT_NAME.findall(text)]
    return any(_common(pair) + len(_FOUR_BYTES.findall(pair)) == 2 and _common(pair) for pair in pairs)


def _common(han: str) -> int:
    """How many of these are in GB2312, which has 6,763 Han."""
    return len(han.encode("gb2312", "ignore")) // 2


def _common_anywhere(han: str) -> int:
    """The same for simplified or for traditional characters: level 1 of Big5 is 5,401 Han, by its lead bytes."""
    return max(_common(han), sum(0xA4 <= lead <= 0xC6 for lead in han.encode("big5", "ignore")[::2]))


def _reads_better_than_gb18030(text: str) -> bool:
    """Whether more of it is common Han than of what its UTF-8 bytes would be as GB18030."""
    other = text.encode().decode(GB18030, "replace")
    return _common_anywhere("".join(_HANS.findall(text))) * len(other) > _common("".join(_HANS.findall(other))) * len(
        text
    )


def _shown(codec: str) -> str:
    return "latin-1" if codec in (LATIN_1, "latin_1") else codec
