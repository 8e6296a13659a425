"""A person asks for a copy of their record; a worker builds it; the person fetches it by a link of five minutes."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.code import EXPORTS, counter
from chalicelib.domain.consent import Denied
from chalicelib.domain.export import EXPORT_NAME, EXPORT_PREFIX, Export, ExportState, covered
from chalicelib.domain.identity import Person
from chalicelib.domain.record import archive
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Counters, People, Randomness
from chalicelib.services.export_ports import ExportArchives, ExportQueue, Exports, ExportSigner
from chalicelib.services.gather_record import GatherRecord
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.record_decision import About, RecordDecision

ACTION, LOOK = "export_record", "read_export"
_SECRET_BYTES = 32


class TooManyExports(Exception):  # noqa: N818 - the fact is the name
    """The day's archives are used up."""


@dataclass(frozen=True, slots=True)
class OwnExport:
    """What a person is told of their archive. `url` only where it is ready: it opens for five minutes."""

    state: ExportState
    asked_at: datetime | None = None
    expires_at: datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class RequestExport:
    """Asked again while one is being built, that one is meant. Raises AccessDenied (frozen, session_ended),
    TooManyExports, AuditFailed."""

    own_account: OwnAccount
    exports: Exports
    queue: ExportQueue
    counters: Counters
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime) -> OwnExport:
        person = _open_account(self.own_account, self.record, caller, now)
        known = self.exports.get(person.person_id)
        if known is not None and known.state(now) == "building":
            self.record.allow(caller, ACTION, "building", now, About(person.person_id))
            return OwnExport("building", known.asked_at)
        about = About(person.person_id)
        if self.counters.take(counter(EXPORTS, person.person_id, now)) is None:
            self.record.note(caller, ACTION, "export_limit", now, about)
            raise TooManyExports
        self.record.allow(caller, ACTION, "asked", now, about)
        export = Export(ulid(now, self.random(RANDOM_BYTES)), person.person_id, now)
        self.exports.ask(export)
        self.queue.send(export.person_id, export.export_id)
        return OwnExport("building", now)


@dataclass(frozen=True, slots=True)
class ReadExport:
    """How far the archive is, and where it is to be had. Raises AccessDenied (frozen, session_ended), AuditFailed."""

    own_account: OwnAccount
    people: People
    exports: Exports
    signer: ExportSigner
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime) -> OwnExport:
        person = _open_account(self.own_account, self.record, caller, now)
        export = self.exports.get(person.person_id)
        state: ExportState = export.state(now) if export else "none"
        if export and state == "ready" and not set(export.covers) <= set(covered(self.people.links(person.person_id))):
            state = "expired"  # a link was undone since, and with it what the archive tells of it
        if export is None or state != "ready":
            self.record.allow(caller, LOOK, state, now, About(person.person_id))
            return OwnExport(state, export.asked_at if export else None)
        self.record.allow(caller, ACTION, "fetched", now, About(person.person_id))
        return OwnExport(state, export.asked_at, export.expires_at, self.signer.sign_export(export, now))


@dataclass(frozen=True, slots=True)
class BuildExport:
    """The worker's part. Repeating it is harmless: what is ready, overtaken or frozen meanwhile is left as it is."""

    exports: Exports
    people: People
    gather: GatherRecord
    archives: ExportArchives
    random: Randomness

    def __call__(self, person_id: str, export_id: str, now: datetime) -> bool:
        """Whether this call built it."""
        export = self.exports.get(person_id)
        if export is None or export.export_id != export_id or export.state(now) != "building":
            return False
        person = self.people.person(person_id)
        if person is not None and person.frozen_at is not None:
            return False
        gathered = self.gather(person or Person(person_id), now)
        body = archive(gathered, now)
        secret = base64.b32encode(self.random(_SECRET_BYTES)).decode().rstrip("=")
        place = self.archives.put(f"{EXPORT_PREFIX}{secret}/{EXPORT_NAME}", body)
        return self.exports.finish(replace(export, ready_at=now, place=place, covers=covered(gathered.links)))


def _open_account(own_account: OwnAccount, record: RecordDecision, caller: Caller, now: datetime) -> Person:
    person = own_account(caller, ACTION, now)
    if person.frozen_at is not None:
        record.deny(caller, ACTION, Denied("frozen", "frozen"), now, About(person.person_id))
    return person
