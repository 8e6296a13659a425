"""What the services need of the world, one small Protocol each. `chalicelib.store` holds the real ones,
`tests.support.fakes` the ones in memory; one behavioural suite runs against both.

Every port raises its own adapter's error when AWS fails: that is our fault, and the trigger retries. The typed
answers below (None, False) are facts that a service decides on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.domain.access import AuditEvent, Grant
from chalicelib.domain.exam import StudyFact
from chalicelib.domain.page import Page
from chalicelib.domain.quarantine import entry_id
from chalicelib.domain.session import Session, TokenRefused
from chalicelib.domain.span import ALWAYS, Span
from chalicelib.domain.study import Amendment, Checksum, Entry, Hospital, Place, StudyRef, Summary
from chalicelib.domain.upload_key import Uploaded


class Clock(Protocol):
    """The time, aware UTC. A port only where a service must read it at a certain moment; else `now` is passed in."""

    def __call__(self) -> datetime: ...


# Uploads


@dataclass(frozen=True, slots=True)
class ObjectPart:
    """The answer to one ranged GET of one object version. `size` is the whole object's, in bytes."""

    data: bytes
    size: int
    version_id: str
    last_modified: datetime
    checksum: Checksum | None = None
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version as ListObjectVersions names it."""

    key: str
    version_id: str
    size: int
    last_modified: datetime


class Uploads(Protocol):
    """The uploads bucket."""

    def read(self, key: str, version_id: str | None, start: int, length: int) -> ObjectPart | None:
        """`length` bytes from `start`, or fewer at the end; the current version when `version_id` is None.
        None when the object or version is gone. An empty object gives empty data and size 0."""
        ...

    def sha256(self, place: Place) -> str | None:
        """Streamed SHA-256 (hex) of a place's bytes; None when gone."""
        ...

    def put_new(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """Write unless the key exists (`If-None-Match: *`). False when it did."""
        ...

    def versions(self, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        """Every version under a prefix, delete markers left out, in key order; only of keys behind `after`."""
        ...


class Receipts(Protocol):
    """`receipts/{date}/{batch}` in the uploads bucket: for each batch, what became of every object version."""

    def write(self, batch: str, at: datetime, outcomes: Sequence[Mapping[str, str]]) -> None:
        """`outcomes` are objects of `key`, `version_id` and `outcome`; `batch` is derived from them, so that a
        repetition writes the same receipt again. See `services.leave_receipt`."""
        ...

    def of(self, date: str, share: str, after: str = "") -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
        """The receipts of that UTC date whose names begin with `share`, behind the name `after`, by name: the name, and
        (key, version_id) of everything it names."""
        ...


@dataclass(frozen=True, slots=True)
class QuarantineRecord:
    """Why one object version could not be indexed. `reason` is a word of `domain.quarantine.REASONS`;
    `sop_instance_uid` is what the file's own head claims, where that much could be read. `entry_id` names the record
    within its hospital: the same for ever, as it follows from the object version alone."""

    hospital_id: str
    key: str
    version_id: str
    size: int
    received_at: datetime | None
    reason: str
    detail: str
    recorded_at: datetime
    sop_instance_uid: str = ""

    @property
    def entry_id(self) -> str:
        return entry_id(self.key, self.version_id, self.received_at)


class Quarantine(Protocol):
    """The quarantine bucket. One record per object version, always the same key: repetition changes nothing.
    The bytes stay where they were uploaded: nobody holds delete-version there."""

    def put(self, record: QuarantineRecord) -> None: ...

    def list(self, hospital_id: str, token: str, limit: int) -> Page[QuarantineRecord]:
        """Oldest date of upload first. ValueError: not a token of ours."""
        ...


class Journal(Protocol):
    """Received instances, grow-only: any order, repetition or re-batching of writes ends in the same items."""

    def write(self, received: Mapping[StudyRef, Sequence[Entry]], now: datetime) -> None:
        """Blind batch writes over any number of studies and hospitals; returns after their last answer. Several
        entries of one object version in a study (a pack) become compressed PACK parts: pass a pack whole."""
        ...

    def read(self, ref: StudyRef) -> tuple[Entry, ...]:
        """All entries of a study, strongly consistent, in no particular order."""
        ...


class Refeed(Protocol):
    """The upload queues, told again of what they may have missed."""

    def feed(self, objects: Collection[Uploaded]) -> None:
        """One event like S3's own for each object version, to the queue of its kind."""
        ...


class SettleQueue(Protocol):
    """The FIFO queue of DESIGN §4.6. A message's body is {"hospital_id", "study_instance_uid"}."""

    def send(self, refs: Collection[StudyRef]) -> None:
        """One message per study; the deduplication id carries the clock read now, after the journal's answer."""
        ...


# Studies


class Studies(Protocol):
    """SUMMARY, MANIFEST, AMEND, DIGEST and the pointers. Reads are strongly consistent unless said otherwise."""

    def summary(self, ref: StudyRef) -> Summary | None: ...

    def manifest(self, ref: StudyRef, digest: str, parts: int) -> bytes:
        """The manifest's canonical JSON, as `put_manifest` got it. LookupError when it is not all there."""
        ...

    def put_manifest(self, ref: StudyRef, digest: str, body: bytes, read_revision: int) -> int:
        """Write the blob (compressed, in parts under 300 KB) under its digest, to stay; the number of parts.
        `read_revision` is SUMMARY's as read before (0: absent). A blob that a settle with a newer reading wrote stays
        as that one left it: its bytes are the same."""
        ...

    def expire_manifest(self, ref: StudyRef, digest: str, parts: int, flipped: int, at: datetime) -> None:
        """Let a superseded blob go at an instant: after the flip away from it, which made SUMMARY's revision
        `flipped`. Parts that a settle with that reading or a newer one wrote again stay, for SUMMARY may name them."""
        ...

    def flip(self, summary: Summary, read_revision: int) -> bool:
        """Put SUMMARY as revision `read_revision + 1` if it still is at `read_revision` (0: absent). False: lost."""
        ...

    def put_pointer(self, ref: StudyRef) -> None: ...

    def hospitals_holding(self, study_instance_uid: str) -> tuple[str, ...]: ...

    def amendments(self, ref: StudyRef) -> tuple[Amendment, ...]: ...

    def amend(self, ref: StudyRef, amendment: Amendment) -> None: ...

    def digests(self, ref: StudyRef) -> Mapping[tuple[str, int], str]:
        """(version_id, offset) → SHA-256 facts known of this study."""
        ...

    def put_digest(self, ref: StudyRef, place: Place, sha256: str) -> None: ...

    def timeline(self, issuer: str, patient_id: str, before: str, limit: int) -> Page[Summary]:
        """An identity's studies, newest first (an index: eventually consistent; re-read before acting). Conflicted
        studies stand in nobody's. They stand before a place of `domain.timeline.order` ("": from the newest on);
        `next_token` is where it goes on."""
        ...


class Hospitals(Protocol):
    def get(self, hospital_id: str) -> Hospital | None:
        """A registered hospital; may be cached for minutes."""
        ...

    def put(self, hospital: Hospital) -> None: ...

    def list(self) -> tuple[Hospital, ...]: ...

    def page(self, token: str, limit: int) -> Page[Hospital]:
        """A part of the list, by id. ValueError when `token` is none of ours."""
        ...


# Access


class Audit(Protocol):
    def put(self, event: AuditEvent) -> None:
        """One conditional put. Any failure must deny what was asked."""
        ...

    def of_person(
        self, person_id: str, token: str, limit: int, *, routine: bool = False, span: Span = ALWAYS
    ) -> Page[AuditEvent]:
        """Newest first: all of a span but what is routine (`AuditEvent.is_routine`), or that alone."""
        ...


class Mac(Protocol):
    """The keyed hash: KMS HMAC_SHA_256, key not exportable (DESIGN §5)."""

    def __call__(self, domain: str, message: str) -> bytes:
        """32 bytes. `domain` ("national_id", "code") keeps the uses apart."""
        ...


class Sms(Protocol):
    def send(self, phone: str, template: str, values: Mapping[str, str]) -> None:
        """Have one message sent. `template` is a key of `store.sms.TEXTS`; nothing of it is ever logged."""
        ...


class SmsGateway(Protocol):
    def send(self, phone: str, template: str, values: Mapping[str, str], message_id: str = "") -> None:
        """Hand one message to the gateway, as `Sms`. A gateway that got the same `message_id` twice sends once."""
        ...


class Signer(Protocol):
    def sign(
        self, grant: Grant, places: Sequence[Place], now: datetime, content_type: str = "application/dicom"
    ) -> tuple[str, ...]:
        """A GET URL for each place's object version, in order, valid ≤ 5 minutes and never past the grant.
        The answer to it will say `content_type`. Places of another hospital than the grant's are refused."""
        ...


class Tokens(Protocol):
    def verify(self, token: str, now: datetime) -> Session | TokenRefused:
        """Whom a bearer token speaks for, or the one reason why it is not believed. One that is good for a single use
        is spent by this."""
        ...


class SpentTokens(Protocol):
    def spend(self, issuer: str, jti: str, expires_at: datetime) -> bool:
        """Whether this token (RFC 7519 §4.1.7: unique per issuer) was not used before: True for exactly one caller,
        however many come at once. It may be forgotten some time after `expires_at`."""
        ...


# Ledger: what other parts need of it. The ports of its own stores are in `services.ledger_ports`.


class ExamsPort(Protocol):
    """Where settle tells the ledger. `services.derive_exams.DeriveExams` is the real one."""

    def study_settled(self, ref: StudyRef, fact: StudyFact, now: datetime) -> None:
        """Add the fact and derive the exam. Repeating it, in any order with others, changes nothing more."""
        ...


class OldestUnprocessed(Protocol):
    def __call__(self) -> timedelta | None:
        """Age of the oldest event in our queues; None when there is no measurement (then a sweep holds)."""
        ...


class Topic(Protocol):
    def publish(self, subject: str, body: Mapping[str, Any]) -> None: ...
