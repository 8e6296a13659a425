"""Keys of what the ledger keeps of a hospital's day beside its exams, and of outages."""

from __future__ import annotations

from datetime import datetime

from chalicelib.store.keys import instant

DAYS = "DAY#"
OPENED = "DAYS"  # until when the days of all hospitals were opened
OUTAGES = "OUTAGES"
WITHDRAWN = "WITHDRAWN"  # outages that were, under the same sort keys
WARNED = "WARNED"
FLAG_STEPS = "FLAGSTEP#"
FIGURES = "FIGURES#"
REPORTS = "REPORTS"  # the periods whose reports are owed


def day(day: str) -> str:
    """Under the hospital, as the steps of its flags."""
    return f"{DAYS}{day}"


def figures(day: str) -> str:
    """Under the hospital."""
    return f"{FIGURES}{day}"


def flag_steps(day: str, rule: str) -> str:
    return f"{FLAG_STEPS}{day}#{rule}#"


def flag_step(day: str, rule: str, revision: int) -> str:
    return f"{flag_steps(day, rule)}{revision:09d}"


def outage(from_at: datetime, outage_id: str) -> str:
    return f"{instant(from_at)}#{outage_id}"


def due_until(at: datetime) -> str:
    """After all that is due at that instant or before: `$` follows `#`."""
    return f"{instant(at)}$"
