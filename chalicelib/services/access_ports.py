"""What people, consents and decisions need of the world; the rest is in `services.ports`.

Every read here is strongly consistent. `put`-like methods that take a revision answer False when someone else wrote
since it was read: a lost race, which the service runs again from the read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.domain.code import Code, Counter
from chalicelib.domain.consent import Consent, Doctor, Encounter, Request
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.page import Page
from chalicelib.domain.study import StudyRef, Summary


class Randomness(Protocol):
    def __call__(self, size: int, /) -> bytes:
        """`size` bytes that nobody can guess (`secrets.token_bytes`)."""
        ...


class People(Protocol):
    def person(self, person_id: str) -> Person | None: ...

    def link(self, identity: IdentityKey) -> Link | None: ...

    def links(self, person_id: str) -> tuple[Link, ...]:
        """All identities linked to a person, whatever their status."""
        ...

    def save(self, change: LinkChange) -> bool:
        """Link, its copy under the person, profile and phone holder in one transaction."""
        ...

    def phone_holder(self, phone_key: str) -> str:
        """The person for whom a number was verified last; "" when none."""
        ...


class Doctors(Protocol):
    def get(self, doctor_id: str) -> Doctor | None: ...

    def put(self, doctor: Doctor) -> bool:
        """Write the account under the revision it was read with (0: new)."""
        ...


class Encounters(Protocol):
    def get(self, hospital_id: str, encounter_id: str) -> Encounter | None: ...

    def put(self, encounter: Encounter) -> bool:
        """Write unless a later event is known (of two at one time the closing one stands). False: it was older."""
        ...


class Consents(Protocol):
    """Requests with their codes, and consents."""

    def ask(self, request: Request, code: Code) -> None: ...

    def asked(self, owner: str, request_id: str) -> tuple[Request, Code] | None: ...

    def attempt(self, owner: str, request_id: str, now: datetime) -> int | None:
        """Count one attempt, if the code is live. The attempts that are left after it; None: not live, none counted."""
        ...

    def use(self, owner: str, request_id: str, now: datetime) -> bool:
        """Spend the code. True for exactly one caller, ever."""
        ...

    def put(self, consent: Consent) -> None: ...

    def of_doctor(self, person_id: str, doctor_id: str, since: datetime) -> tuple[Consent, ...]:
        """A doctor's consents over a person granted since then, ended ones included."""
        ...

    def of_person(self, person_id: str) -> tuple[Consent, ...]:
        """All consents a person ever gave, newest first."""
        ...

    def revoke(self, consent: Consent, now: datetime) -> Consent:
        """The consent as it is revoked now; a first revocation keeps its time."""
        ...


class Counters(Protocol):
    def take(self, counter: Counter) -> int | None:
        """Count one, if the limit is not reached. How many are left after it; None: at the limit, none counted.
        However many callers come at once, no more than the limit get a number."""
        ...

    def give_back(self, counter: Counter) -> None:
        """Undo one `take`."""
        ...


class DecisionFacts(Protocol):
    """The first reads of a decision, each one call."""

    def study_and_doctor(self, study: StudyRef, doctor_id: str) -> tuple[Summary | None, Doctor | None]: ...

    def study_and_person(self, study: StudyRef, person_id: str) -> tuple[Summary | None, Person | None]: ...

    def summaries(self, studies: Sequence[StudyRef]) -> tuple[Summary, ...]:
        """Those that exist, in no particular order."""
        ...


class Timeline(Protocol):
    """The part of `ports.Studies` that lists."""

    def timeline(self, issuer: str, patient_id: str, token: str, limit: int) -> Page[Summary]:
        """An identity's studies, newest first (an index: eventually consistent)."""
        ...
