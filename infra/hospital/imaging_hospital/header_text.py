"""Text of a DICOM header as a person would read it, or the word that this machine had better not decide.

Chinese devices often declare a wrong character set, or none. Where bytes and label agree, or only one reading makes
sense, the text is decoded here; everything else (escape sequences, rarer labels, what could be two things) is sent as
a file of its own, for the cloud to read with more care (`header.Doubtful`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

GB18030: Final = "gb18030"
UTF_8: Final = "utf-8"

_LABELS: Final = {
    "GB18030": GB18030,
    "GBK": GB18030,
    "ISO_IR 192": UTF_8,
    "": "",
    "ISO_IR 6": "",
    "ISO_IR 100": "",
}
_PRIVATE: Final = re.compile("[\ue000-\uf8ff]")
_RUN: Final = re.compile("[\u4e00-\u9fff]{2,}")
_PLAIN: Final = re.compile("[\u4e00-\u9fff\u3001\u3002\uff01-\uff5e\\x00-\\x7f]+")  # Han, their punctuation, ASCII


def codec_of(label: str, texts: Sequence[bytes]) -> str | None:
    """The codec that all non-ASCII `texts` of one dataset are in; None when in doubt. `label`: (0008,0005)."""
    if any(b"\x1b" in text for text in texts):
        return None
    odd = [text for text in texts if not text.isascii()]
    if not odd:
        return "ascii"
    declared = _LABELS.get(label)
    if declared is None:
        return None
    if declared == UTF_8 and all(_read(text, UTF_8) for text in odd):
        return UTF_8
    may_be_utf_8 = any(_may_be_utf_8(text) for text in odd)
    if declared == GB18030 and not may_be_utf_8:
        return GB18030 if all(_read(text, GB18030) for text in odd) else None
    codec = UTF_8 if may_be_utf_8 else GB18030
    return codec if all(_makes_sense(_read(text, codec)) for text in odd) else None


def _may_be_utf_8(text: bytes) -> bool:
    """Valid in it, but for a character cut in half at the end."""
    try:
        text.decode(UTF_8)
    except UnicodeDecodeError as error:
        return error.start >= len(text) - 3 and not text[: error.start].isascii()
    return True


def _read(text: bytes, codec: str) -> str:
    """Empty when it is not valid in it, or holds what other editions of the codec read otherwise."""
    try:
        read = text.decode(codec)
    except UnicodeDecodeError:
        return ""
    return "" if _PRIVATE.search(read) else read


def _makes_sense(read: str) -> bool:
    """Nothing but Han and ASCII, and a run of at least two Han that are all common: GB 2312 has 6,763 of them, so what
    a wrong codec makes of other bytes does not pass."""
    return bool(_PLAIN.fullmatch(read)) and any(_is_common(run) for run in _RUN.findall(read))


def _is_common(run: str) -> bool:
    return len(run.encode("gb2312", "ignore")) == 2 * len(run)
