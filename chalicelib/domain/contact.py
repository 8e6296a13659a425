"""Whom to reach at a hospital: its staff, at their desks. Told to regulators only, and never logged."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

ContactRole = Literal["network", "pacs", "radiology", "privacy", "management"]

MOST_CONTACTS: Final = 10
_PHONE: Final = re.compile(r"\+?[0-9][0-9 -]{4,22}[0-9]")
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Contact:
    """`phone` or `email`, or both."""

    role: ContactRole
    name: str = field(repr=False)
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)


def is_phone(text: str) -> bool:
    """Digits with blanks and hyphens, maybe of another country."""
    return bool(_PHONE.fullmatch(text))


def is_email(text: str) -> bool:
    return len(text) <= 128 and bool(_EMAIL.fullmatch(text))
