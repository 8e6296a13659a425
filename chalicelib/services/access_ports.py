"""What people, consents and decisions need of the world; the rest is in `services.ports`.

Every read here is strongly consistent. `put`-like methods that take a revision answer False when someone else wrote
since it was read: a lost race, which the service runs again from the read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from chalicelib.domain.code import Code, Counter
from chalicelib.domain.consent import Consent, Doctor, Encounter
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.identity import FormerLink, IdentityKey, Link, Person
from chalicelib.domain.in_app import InAppNotice
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.page import Page
from chalicelib.domain.pair import Pair
from chalicelib.domain.qr import ShownQr
from chalicelib.domain.request import Answer, Request
from chalicelib.domain.retention import Visit
from chalicelib.domain.study import StudyRef, Summary

DoctorSaved = Literal["written", "changed", "licence_taken"]  # "changed": someone else wrote the account since


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

    def history(self, identity: IdentityKey) -> tuple[Link, ...]:
        """What a link was each time before it changed hands or status, oldest first."""
        ...

    def former_links(self, person_id: str) -> tuple[FormerLink, ...]:
        """What was linked to this person and went to another or to nobody, in the order of its end."""
        ...

    def save(self, change: LinkChange) -> bool:
        """Link, its copy under the person, its history, profile and phone holder in one transaction."""
        ...

    def save_person(self, person: Person, phone_key: str = "") -> bool:
        """The profile alone, under the revision it was read with; and the phone's holder where a key is given."""
        ...

    def phone_holder(self, phone_key: str) -> str:
        """The person for whom a number was verified last; "" when none."""
        ...


class Doctors(Protocol):
    def get(self, doctor_id: str) -> Doctor | None: ...

    def put(self, doctor: Doctor) -> bool:
        """Write the account under the revision it was read with (0: new). Its status and licence must be as read."""
        ...

    def save(self, doctor: Doctor, former: Doctor | None) -> DoctorSaved:
        """The same with whatever changed since it was read as `former`, and the licence that it stands for, both or
        neither: taken if no other account has it, given back where the account has it no more."""
        ...

    def holder(self, licence_number: str) -> str:
        """The account that stands for a licence; "" when none does."""
        ...


class Encounters(Protocol):
    def get(self, hospital_id: str, encounter_id: str) -> Encounter | None: ...

    def put(self, encounter: Encounter) -> bool:
        """Write unless a later event is known (of two at one time the closing one stands). False: it was older."""
        ...

    def remember(self, encounter: Encounter) -> None:
        """Keep under its identity that this event took place, for as long as the person's record: in any order and
        however often told, the last event of a visit's class and status is what stands."""
        ...

    def visits_of(self, identity: IdentityKey) -> frozenset[Visit]:
        """All that was remembered of one identity."""
        ...


class Consents(Protocol):
    """Requests with their codes, and consents."""

    def ask(self, request: Request, code: Code) -> None: ...

    def asked(self, owner: str, request_id: str) -> tuple[Request, Code] | None: ...

    def requests(self, owner: str) -> tuple[Request, ...]:
        """All requests to a person that are remembered, newest first, listed or not."""
        ...

    def attempt(self, owner: str, request_id: str, now: datetime) -> int | None:
        """Count one attempt, if the code is live. The attempts that are left after it; None: not live, none counted."""
        ...

    def answer(
        self,
        request: Request,
        answer: Answer,
        consent: Consent | None,
        now: datetime,
        under: Guardianship | None = None,
    ) -> bool:
        """Answer a request that is open and unanswered, and write the consent with it, both or neither; `under` must
        still be the guardianship as it was read. True for exactly one caller, ever; False as well when writers
        collided, so read again to see which."""
        ...

    def put(self, consent: Consent, under: Guardianship | None = None) -> bool:
        """Write a new consent. False: `under` is not the guardianship that was read any more, nothing is written."""
        ...

    def of_doctor(self, person_id: str, doctor_id: str, since: datetime) -> tuple[Consent, ...]:
        """A doctor's consents over a person granted since then, ended ones included."""
        ...

    def of_person(self, person_id: str) -> tuple[Consent, ...]:
        """All consents a person ever gave, newest first."""
        ...

    def revoke(self, consent: Consent, now: datetime) -> Consent:
        """The consent as it is revoked now; a first revocation keeps its time."""
        ...


class Guardians(Protocol):
    """Guardianships, under the ward; a guardian finds theirs by the reference that names a ward to them."""

    def get(self, ward_id: str, guardian_id: str) -> Guardianship | None: ...

    def of_ward(self, ward_id: str) -> tuple[Guardianship, ...]:
        """All that ever were, ended ones too."""
        ...

    def of_guardian(self, guardian_id: str) -> tuple[Guardianship, ...]: ...

    def by_reference(self, guardian_id: str, ward: str) -> Guardianship | None:
        """The guardian's own ward of that reference; None for any other's."""
        ...

    def put(self, guardianship: Guardianship) -> bool:
        """Write under the revision it was read with (0: new). False: someone else wrote since."""
        ...


class InAppNotices(Protocol):
    def tell(self, notice: InAppNotice) -> None: ...

    def of_person(self, person_id: str, token: str, limit: int) -> Page[InAppNotice]:
        """Newest first. ValueError when `token` is none of ours."""
        ...


class HiddenStudies(Protocol):
    """What a person keeps out of reminders, lookup and every list that is resolved from now on."""

    def hide(self, person_id: str, study: StudyRef, now: datetime) -> None: ...

    def show(self, person_id: str, study: StudyRef) -> None: ...

    def of_person(self, person_id: str) -> frozenset[StudyRef]: ...


class Pairs(Protocol):
    """How often two people of one hospital had a hand in the same thing, by month: for its privacy officer."""

    def count(self, hospital_id: str, pair: Pair, now: datetime) -> None: ...

    def of_hospital(self, hospital_id: str, month: str) -> tuple[tuple[Pair, int], ...]:
        """Of a month (YYYY-MM), the most frequent first."""
        ...


class Qrs(Protocol):
    def show(self, qr: ShownQr) -> None: ...

    def spend(self, key: str, now: datetime) -> ShownQr | None:
        """The QR, for exactly one caller ever and only while it lives; None for anyone else."""
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

    def link_and_manifest(self, summary: Summary) -> tuple[Link | None, bytes]:
        """The link of a study's patient, and the study's manifest; LookupError when that is not all there."""
        ...

    def summaries(self, studies: Sequence[StudyRef]) -> tuple[Summary, ...]:
        """Those that exist, in no particular order."""
        ...


class Timeline(Protocol):
    """The part of `ports.Studies` that lists."""

    def timeline(self, issuer: str, patient_id: str, before: str, limit: int) -> Page[Summary]:
        """An identity's studies, newest first (an index: eventually consistent), before a place of
        `domain.timeline.order` ("": from the newest on); `next_token` is where it goes on."""
        ...
