"""A doctor asking, and the one answer that a request gets, whichever way it comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.access import Basis, Purpose
from chalicelib.domain.consent import Scope
from chalicelib.domain.identity import IdentityKey

REQUEST_LIFE = timedelta(hours=24)  # to answer in the health app; the code sent with it lives five minutes

Outcome = Literal["waiting", "approved", "denied", "expired"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: given once, by whoever was first, whichever way. `by` is the person who answered in
    the app, themself or a guardian; "" for a code."""

    decision: Literal["approved", "denied"]
    basis: Basis
    at: datetime
    by: str = ""
    consent_id: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A doctor asking a patient, on no basis yet: a code or the health app answers, whichever is first.

    `owner` is the person's id, or the stand-in of an identity without a person. `scope` says what the right code
    opens: all confirmed identities of the person, or only the encounter's own identity at that hospital (an unverified
    phone); `code_holder` is the guardian whose phone it went to, "" for the patient's own; `only` are the hospitals
    that a number opens which still waits, () where it opens all. `listed` requests stand in the person's list: the
    identity was confirmed, and the doctor had not asked too often.
    """

    request_id: str
    owner: str
    doctor_id: str
    hospital_id: str
    encounter_id: str
    identity: IdentityKey
    scope: Scope
    purpose: Purpose
    asked_at: datetime
    expires_at: datetime
    listed: bool = False
    code_holder: str = ""
    only: tuple[str, ...] = ()
    answer: Answer | None = None

    def outcome(self, now: datetime) -> Outcome:
        if self.answer is not None:
            return self.answer.decision
        return "waiting" if now < self.expires_at else "expired"
