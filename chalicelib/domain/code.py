"""Codes by SMS: their limits, and where one may be sent (DESIGN §6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.consent import Scope
from chalicelib.domain.guardian import needs_guardian
from chalicelib.domain.identity import Link, Person


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` per holder and window. `source` is where the number comes from."""

    kind: str
    count: int
    holder: Literal["code", "person", "doctor"]
    window: Literal["life", "month", "day", "hour"]
    source: str


CODE_DIGITS = 6  # DESIGN §6
CODE_LIFE = timedelta(minutes=5)  # DESIGN §6
WRONG_PER_CODE = Limit("wrong", 5, "code", "life", "DESIGN §6")
WRONG_PER_PERSON = Limit("wrong", 5, "person", "day", "DESIGN §6: 1,825 guesses a year hit one in 10^6 with 0.18 %")
WRONG_PER_DOCTOR = Limit("wrong", 10, "doctor", "day", "DESIGN §6: 3,650 guesses a year hit one in 10^6 with 0.36 %")
GUARDIAN_NOTICES = Limit("guardian_notice", 3, "person", "day", "[A]: a desk that repeats itself sends no more")
EXPORTS = Limit("export", 3, "person", "day", "[A]: a copy of all, PIPL Art. 45; each costs seconds of a function")
WRONG_QR_PER_DOCTOR = Limit("qr", 10, "doctor", "hour", "[A]: a patient's code of 256 bits is not guessed, but probed")
REMINDERS = Limit("reminder", 1000, "doctor", "day", "[A]: a clinic of 100 patients, each order asked of at both hooks")
REMINDERS_OF_PERSON = Limit("reminder", 100, "person", "day", "[A]: no visit orders more; who probes a patient does")
PHONE_NOTICES = Limit("phone", 5, "person", "day", "[A]: each tells up to all numbers of a person; vendors stop at 10")
SENDS = Limit("send", 3, "person", "hour", "DESIGN §6, per doctor and patient; vendors stop at 5 an hour and number")

_WINDOWS = {
    "month": ("%Y-%m", timedelta(days=31)),
    "day": ("%Y-%m-%d", timedelta(days=1)),
    "hour": ("%Y-%m-%dT%H", timedelta(hours=1)),
}


@dataclass(frozen=True, slots=True)
class Counter:
    """One count in one window (months, days and hours of UTC). It may be forgotten at `forget_at`, well after."""

    holder: Literal["person", "doctor"]
    holder_id: str
    kind: str
    window: str
    limit: int
    forget_at: datetime


def counter(limit: Limit, holder_id: str, now: datetime, about: str = "") -> Counter:
    """The counter that a limit runs on now; `about` splits it further (sends are counted per doctor)."""
    if limit.holder == "code":
        raise ValueError("attempts on a code are counted in the code")
    shape, length = _WINDOWS[limit.window]
    kind = f"{limit.kind}.{about}" if about else limit.kind
    return Counter(limit.holder, holder_id, kind, now.strftime(shape), limit.count, now + 2 * length)


@dataclass(frozen=True, slots=True)
class Code:
    """The answer a request waits for, as its keyed hash. `reachable` is False when nobody was sent it: none matches."""

    request_id: str
    mac: bytes = field(repr=False)
    reachable: bool
    expires_at: datetime
    attempts: int = 0

    def is_live(self, now: datetime) -> bool:
        """Whether a guess may still be looked at. That it was used is said by its request, which is answered once."""
        return now < self.expires_at and self.attempts < WRONG_PER_CODE.count


@dataclass(frozen=True, slots=True)
class Route:
    """Where a code goes and what it opens. `guardian_id`: whose phone it is, where it is not the patient's. `only`:
    the hospitals that a number opens which does not open all yet (domain.phone); () where it does."""

    phone: str = field(repr=False)
    scope: Scope
    guardian_id: str = ""
    only: tuple[str, ...] = ()


def code_route(
    link: Link | None, person: Person | None, *, holds_phone: bool, now: datetime, guardian: Person | None = None
) -> Route | None:
    """The phone that may answer for an identity, or None when nobody can be asked.

    The person's verified phone answers for all confirmed identities, but only an identity that is confirmed leads to
    it. Else the hospital's own number answers, for its own studies alone. `holds_phone` is False when the number
    was verified for another person since: it was recycled. For a child under 14 only the verified phone of `guardian`
    answers, a proven one who holds it (PIPL Art. 31): a number in the child's own name is nobody's consent.
    """
    if link is None or link.status == "contested" or (person is not None and person.frozen_at is not None):
        return None
    if needs_guardian(person.birth_date if person is not None and person.birth_date else link.birth_date, now):
        if guardian is None or link.status != "confirmed":
            return None
        return Route(guardian.phone, "person", guardian.person_id)
    if link.status == "confirmed" and person is not None and holds_phone and person.has_phone(now):
        return Route(person.phone, "person")
    return Route(link.phone, "identity") if link.phone else None
