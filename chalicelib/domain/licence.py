"""A doctor's practising licence: one of them, one account."""

from __future__ import annotations

import unicodedata

from chalicelib.domain.consent import Doctor


def normal_licence(text: str) -> str:
    """The number without blanks and hyphens, full-width characters and letter case made alike. Its digits are not
    judged: the register of licences is elsewhere."""
    return "".join(unicodedata.normalize("NFKC", text).upper().replace("-", "").split())


def held_licence(doctor: Doctor | None) -> str:
    """The licence that an account stands for; "" where there is none. Whoever left has given it back."""
    return normal_licence(doctor.licence_number) if doctor is not None and doctor.status != "left" else ""


def licence_given_back(doctor: Doctor, former: Doctor | None) -> str:
    """The licence that an account may have to give back when it becomes `doctor`; "" for none. None while a review
    stands against it: else a new account for the same licence would have the right that this one lost."""
    if former is None or doctor.break_glass_stops:
        return ""
    had = normal_licence(former.licence_number)
    return had if had != held_licence(doctor) else ""
