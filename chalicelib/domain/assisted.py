"""Doctor-assisted consent: for people without a phone that could answer (DESIGN §6).

The patient's card is in a reader at the doctor's desk, and somebody of another role, who has signed in afresh, saw it
there. Neither can do it alone, neither chooses what the patient is told, and an officer reads of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.access import Caller, Role
from chalicelib.domain.access_words import Said
from chalicelib.domain.code import Limit
from chalicelib.domain.identity import IdentityKey

AssistedReason = Literal["no_phone", "phone_lost", "phone_lapsed", "cannot_operate"]
ASSISTED_REASONS: Mapping[str, Said] = {
    "no_phone": Said("患者没有手机", "the patient has no phone"),
    "phone_lost": Said("患者手机遗失或停机", "the patient's phone is lost or out of service"),
    "phone_lapsed": Said("登记的手机号已失效", "the number on record has lapsed"),
    "cannot_operate": Said("患者无法自行操作手机", "the patient cannot use a phone"),
}

AssistedOutcome = Literal["waiting", "confirmed", "expired"]
WITNESS_ROLES: frozenset[Role] = frozenset({"desk_clerk", "privacy_officer"})  # of the hospital, and no doctor's
FRESH = timedelta(minutes=2)  # a witness signs in for this; whoever finds a session open cannot lend it
ASSISTED_LIFE = timedelta(minutes=10)  # [A] from the doctor's desk to the witness's login
WRONG_CARDS = Limit("card", 10, "doctor", "day", "[A]: a card in a reader matches; ten that do not are probing")
PAIR_THRESHOLD = 5  # [A] consents of one doctor with one witness in a month, from which an officer looks at the pair


@dataclass(frozen=True, slots=True)
class AssistedRequest:
    """What a doctor opened and a witness has yet to confirm. That the card was the patient's is all that is kept of
    it. `witness` and `confirmed_at` are set by exactly one witness."""

    request_id: str
    hospital_id: str
    encounter_id: str
    doctor_id: str
    person_id: str
    identity: IdentityKey
    reason: AssistedReason
    asked_at: datetime
    expires_at: datetime
    witness: str = ""
    confirmed_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        return self.confirmed_at is None and now < self.expires_at

    def outcome(self, now: datetime) -> AssistedOutcome:
        """As the request alone tells; one that was confirmed and got no consent, for the process died, is over."""
        return "waiting" if self.is_open(now) else "expired"


def deny_witness(witness: Caller, request: AssistedRequest, now: datetime) -> str:
    """Why this caller may not be the witness; "" when they may. Another hospital's never finds the request."""
    if witness.role not in WITNESS_ROLES:
        return "witness_role"
    if witness.subject == request.doctor_id:
        return "witness_is_doctor"
    if witness.signed_in_at is None or not now - FRESH <= witness.signed_in_at:
        return "witness_not_fresh"
    return "" if request.is_open(now) else "assisted_closed"
