"""A person, or a ward's guardian, asks for a copy of the record; a worker builds it; a link of five minutes opens it.

PIPL Art. 45; for a child its guardian, Art. 31. A ward from 14 on is told. Hiding studies and freezing are no
guardian's right: what happened to a child must stay visible to the doctors it is brought to.
"""

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
from chalicelib.services.act_as import ActAs, Acting
from chalicelib.services.export_ports import ExportArchives, ExportQueue, Exports, ExportSigner
from chalicelib.services.gather_record import GatherRecord
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
    """Asked again while one is being built, that one is meant. Raises AccessDenied (frozen, session_ended,
    guardianship_ended, no_grant), TooManyExports, AuditFailed."""

    act_as: ActAs
    exports: Exports
    queue: ExportQueue
    counters: Counters
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime, ward: str = "") -> OwnExport:
        acting, about = _open_account(self.act_as, self.record, caller, now, ward)
        person = acting.person
        known = self.exports.get(person.person_id)
        if known is not None and known.state(now) == "building":
            self.record.allow(caller, ACTION, "building", now, about)
            return OwnExport("building", known.asked_at)
        if self.counters.take(counter(EXPORTS, person.person_id, now)) is None:
            self.record.note(caller, ACTION, "export_limit", now, about)
            raise TooManyExports
        self.record.allow(caller, ACTION, "asked", now, about)
        self.act_as.tell(acting, "guardian_read", now)
        export = Export(ulid(now, self.random(RANDOM_BYTES)), person.person_id, now)
        self.exports.ask(export)
        self.queue.send(export.person_id, export.export_id)
        return OwnExport("building", now)


@dataclass(frozen=True, slots=True)
class ReadExport:
    """How far the archive is, and where it is to be had. Raises AccessDenied as asking for it does, AuditFailed."""

    act_as: ActAs
    people: People
    exports: Exports
    signer: ExportSigner
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime, ward: str = "") -> OwnExport:
        acting, about = _open_account(self.act_as, self.record, caller, now, ward)
        person = acting.person
        export = self.exports.get(person.person_id)
        state: ExportState = export.state(now) if export else "none"
        if export and state == "ready" and not set(export.covers) <= set(covered(self.people.links(person.person_id))):
            state = "expired"  # a link was undone since, and with it what the archive tells of it
        if export is None or state != "ready":
            self.record.allow(caller, LOOK, state, now, about)
            return OwnExport(state, export.asked_at if export else None)
        self.record.allow(caller, ACTION, "fetched", now, about)
        self.act_as.tell(acting, "guardian_read", now)
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


def _open_account(
    act_as: ActAs, record: RecordDecision, caller: Caller, now: datetime, ward: str
) -> tuple[Acting, About]:
    acting = act_as(caller, ACTION, now, ward)
    basis = "guardian" if acting.guardianship else "self"
    about = About(acting.person.person_id, basis=basis, guardian_id=acting.guardian_id)
    if acting.person.frozen_at is not None:
        record.deny(caller, ACTION, Denied("frozen", "frozen"), now, about)
    return acting, about
