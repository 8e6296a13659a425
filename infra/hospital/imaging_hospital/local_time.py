"""Times as hospital systems write them: ISO 8601, HL7 (YYYYMMDDHHMMSS), or as Excel shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8))

_TIME = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d{2})(?P<day>\d{2})|[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?)"
    r"(?:[ T]*(?P<hour>\d{1,2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2}))?(?:[.,]\d+)?"
    r" *(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)


class NotATimeError(ValueError):
    """No time that could be meant."""


def moment(text: str, zone: timezone, *, whole_days: bool = False) -> datetime:
    """An aware instant; `zone` where the text names none. A date alone only where `whole_days`: its start.

    Raises NotATimeError.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None or (found["hour"] is None and not whole_days):
        raise NotATimeError
    names = ("year", "month" if found["month"] else "m", "day" if found["day"] else "d", "hour", "minute")
    year, month, day, hour, minute = (int(found[name] or 0) for name in names)
    second = min(int(found["second"] or 0), 59)  # a leap second is written 60
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone(found["zone"]) or zone)
    except ValueError:
        raise NotATimeError from None


def _zone(text: str | None) -> timezone | None:
    if text in (None, "Z"):
        return UTC if text else None
    digits = text.replace(":", "")
    try:
        return timezone((1 if digits[0] == "+" else -1) * timedelta(hours=int(digits[1:3]), minutes=int(digits[3:])))
    except ValueError:
        raise NotATimeError from None
