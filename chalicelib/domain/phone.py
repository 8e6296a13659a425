from __future__ import annotations

import re
import unicodedata

_NOISE = re.compile(r"[\s\-()]")
_COUNTRY = re.compile(r"^(?:\+86|0086|86(?=1\d{10}$))")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")  # the mainland numbering plan's mobile ranges; SMS reaches no other


def normal_phone(text: str) -> str:
    """The 11 digits of a mainland mobile number, or "" when it is none: a code can be sent to nothing else."""
    digits = _COUNTRY.sub("", _NOISE.sub("", unicodedata.normalize("NFKC", text)))
    return digits if _MOBILE.fullmatch(digits) else ""


def masked_phone(phone: str) -> str:
    """How a number is shown, to its owner too: 138****5678."""
    return f"{phone[:3]}****{phone[-4:]}" if phone else ""
