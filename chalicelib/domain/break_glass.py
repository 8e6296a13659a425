"""Break-glass: emergency access without anybody's consent, for which a doctor answers afterwards (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.access_words import Said
from chalicelib.domain.code import Limit
from chalicelib.domain.consent import Doctor, Encounter, Scope
from chalicelib.domain.identity import Link

BreakGlassReason = Literal["unconscious", "life_threatening", "time_critical", "cannot_understand", "other_emergency"]
BREAK_GLASS_REASONS: Mapping[str, Said] = {
    "unconscious": Said("患者昏迷或无法表达", "the patient is unconscious or cannot speak"),
    "life_threatening": Said("危及生命，来不及征得同意", "life is in danger and there is no time to ask"),
    "time_critical": Said("卒中、心梗、大出血等须争分夺秒", "stroke, infarction, bleeding: minutes count"),
    "cannot_understand": Said(
        "患者意识或判断障碍，且联系不到监护人", "the patient cannot understand, and no guardian can be reached"
    ),
    "other_emergency": Said("其他紧急情况（见说明）", "another emergency, as described"),
}

# Typed, not clicked: nobody breaks the glass by accident, and nobody can say that they did.
CONFIRMATION = Said("我确认情况紧急，并对本次访问负责", "I confirm this is an emergency and I answer for this access")
LEAST_TEXT = 10  # characters of the doctor's own words
BREAK_GLASS_DAY = Limit("glass", 3, "doctor", "day", "[A]: more in a shift is a habit; colleagues have theirs")
BREAK_GLASS_MONTH = Limit("glass", 10, "doctor", "month", "[A]: to be calibrated with the emergency departments")
REVIEW_LIFE = timedelta(hours=24)  # DESIGN §6
EMERGENCY_LIFE = timedelta(hours=72)  # [A] since the last event of the visit; then its patient is on a ward or home


@dataclass(frozen=True, slots=True)
class Rule:
    """Whether an emergency opens what is otherwise closed, and why."""

    when: str
    opens: bool
    reason: str


BREAK_GLASS_RULES: Mapping[str, Rule] = {
    "frozen": Rule(
        "the person froze the record",
        opens=True,
        reason="PIPL Art. 13(4): to protect life and health in an emergency needs no consent, so its withdrawal "
        "cannot stand in the way; a freeze says that somebody else may be acting, not 'let me die'. The review tells",
    ),
    "hidden": Rule(
        "the person hides the study",
        opens=True,
        reason="hiding keeps a study out of reminders and lookup; in an emergency it may be the one that matters. "
        "The person is told (PIPL Art. 18) and sees each study that was opened",
    ),
    "conflicted": Rule(
        "the study holds several patients' images",
        opens=False,
        reason="it may be another patient's: treating by it is a danger, and the other has no emergency",
    ),
    "contested": Rule(
        "the link between the visit's number and the person is contested",
        opens=False,
        reason="whose record it is, is exactly what is in doubt",
    ),
    "unconfirmed": Rule(
        "only the hospital's notice says whose number it is",
        opens=False,
        reason="else whoever types a national id into a notice opens that person. The hospital's own studies under "
        "the number do open; a desk with the card opens the rest",
    ),
    "no_link": Rule(
        "nobody is known behind the visit's number",
        opens=False,
        reason="there is no record to open; the refusal says so, so that nobody waits for one",
    ),
}


def is_emergency(encounter: Encounter, doctor: Doctor, now: datetime) -> bool:
    """An emergency visit that the hospital told of lately, or a doctor whose account says that emergencies are their
    work. Visits are often never closed: one of last year is no emergency."""
    told_lately = now < encounter.at + EMERGENCY_LIFE
    return (encounter.patient_class == "emergency" and told_lately) or doctor.emergency_role


def emergency_scope(link: Link | None) -> Scope | None:
    """What of a person an emergency opens; None: nothing, for it is not known who it is."""
    if link is None or link.status == "contested":
        return None
    return "person" if link.status == "confirmed" else "identity"


def is_confirmed(typed: str) -> bool:
    return typed.strip() in (CONFIRMATION.zh, CONFIRMATION.en)
