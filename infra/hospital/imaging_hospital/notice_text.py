"""Which character set a notice's file is in. Hospital systems often declare none, or a wrong one.

On the whole file at once: what is valid UTF-8 made of Han is UTF-8, whatever the label; else what is valid GB18030
(GB2312 and GBK are subsets of it) is that; else the declared set. Split into fields only after decoding: the second
byte of a Chinese character can be that of `|`, `^`, `~` or a backslash. Big5 cannot be told from GBK: it must be
declared.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

# HL7 v2 table 0211, as far as Python has it and a Chinese hospital could send it, and common misspellings.
DECLARED: Final = {
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "GB 18030-2000": "gb18030",
    "GB18030": "gb18030",
    "GB2312": "gb18030",
    "GBK": "gb18030",
    "BIG-5": "big5",
    "BIG5": "big5",
    "ASCII": "ascii",
    "8859/1": "latin-1",
}

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # what Excel calls "Unicode text"
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LETTERS = re.compile(r"[^\x00-\x7f\u00b7\u2010-\u2027\u3000-\u303f\uff00-\uffef]")  # neither ASCII nor punctuation
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_RUN = re.compile("[\u4e00-\u9fff]{2}")  # one Han alone may be an accented letter of UTF-8


class NotTextError(ValueError):
    """Neither UTF-8 nor GB18030 nor what was declared."""


def decode(raw: bytes, declared: str = "") -> str:
    """`declared` as in MSH-18, "" where nothing was. Raises NotTextError."""
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            return _surely(_strictly(raw, codec))
    if raw.isascii():
        return raw.decode("ascii")
    label = DECLARED.get(declared.strip().upper(), "")
    utf_8 = _strictly(raw, "utf-8")
    if utf_8 is not None and (label == "utf-8" or _is_chinese(utf_8)):
        return utf_8
    if label == "big5":
        return _surely(_strictly(raw, label))
    gb18030 = _strictly(raw, "gb18030")
    if gb18030 is not None and (utf_8 is None or label == "gb18030" or _RUN.search(gb18030)):
        return gb18030
    return _surely(utf_8)


def _strictly(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        return None


def _surely(text: str | None) -> str:
    if text is None:
        raise NotTextError
    return text


def _is_chinese(text: str) -> bool:
    """Nine in ten of its letters are Han, at least half of those in GB2312: another set's bytes would look rarer."""
    letters = _LETTERS.findall(text)
    han = [letter for letter in letters if _HAN.match(letter)]
    common = len("".join(han).encode("gb2312", "ignore")) // 2
    return bool(han) and len(han) * 10 >= len(letters) * 9 and common * 2 >= len(han)
