"""The resident identity number of GB 11643. It passes through memory once, to be hashed; nothing keeps or shows it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643, ISO 7064 MOD 11-2
_CHECK = "10X98765432"
_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_LEGACY = re.compile(r"[0-9]{15}")
_EARLIEST = date(1900, 1, 1)
_CHINA = timedelta(hours=8)  # births are dated in Beijing time

Sex = Literal["M", "F"]
BadReason = Literal["length", "characters", "birth_date", "check_digit", "legacy"]


class BadNationalId(ValueError):  # noqa: N818 - the fact is the name
    """Not a valid number. `reason` names the fault; the number itself is never part of it."""

    def __init__(self, reason: BadReason) -> None:
        super().__init__(reason)
        self.reason: BadReason = reason


@dataclass(frozen=True, slots=True)
class NationalId:
    """A checked number with what it says of its holder. `birth_date` is YYYYMMDD."""

    number: str = field(repr=False)
    birth_date: str = field(repr=False)
    sex: Sex = field(repr=False)


def read_national_id(text: str, now: datetime) -> NationalId:
    """Check length, characters, birth date and check digit; raises BadNationalId.

    The region code is never looked at: codes are withdrawn over the years while people keep their numbers. The 15-digit
    numbers issued before 1999 are refused ("legacy") rather than lengthened: they hold no check digit, some were
    issued twice, and two people must never become one person. Cards that carry them ended in 2013.
    """
    number = unicodedata.normalize("NFKC", text).strip().upper()
    if _LEGACY.fullmatch(number):
        raise BadNationalId("legacy")
    if len(number) != 18:
        raise BadNationalId("length")
    if not _SHAPE.fullmatch(number):
        raise BadNationalId("characters")
    if not _plausible(number[6:14], (now + _CHINA).date()):
        raise BadNationalId("birth_date")
    if check_digit(number[:17]) != number[17]:
        raise BadNationalId("check_digit")
    return NationalId(number, number[6:14], "M" if int(number[16]) % 2 else "F")


def check_digit(first_17: str) -> str:
    """The 18th character that belongs to the first 17 digits."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def _plausible(digits: str, today: date) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return _EARLIEST <= born <= today
