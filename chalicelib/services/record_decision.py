from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from chalicelib.domain.access import AccessDenied, AuditEvent, AuditFailed, Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Randomness
from chalicelib.services.ports import Audit


@dataclass(frozen=True, slots=True)
class About:
    """What a decision was about, as far as it is known."""

    person_id: str = ""
    study: StudyRef | None = None
    encounter_id: str = ""
    basis: str = ""
    consent_id: str = ""
    guardian_id: str = ""
    purpose: str = ""
    statement: str = ""


NOTHING = About()
TURNED_AWAY = "turned_away"


@dataclass(frozen=True, slots=True)
class RecordDecision:
    """Every decision, allowed or not, is one event, written before anything follows from it (DESIGN §6)."""

    audit: Audit
    random: Randomness

    def allow(self, caller: Caller, action: str, reason: str, now: datetime, about: About = NOTHING) -> str:
        """The event's id. Raises AuditFailed when it could not be written; then nothing is allowed."""
        event = replace(self._event(caller, action, reason, now, about), allowed=True)
        self._put(event)
        return event.event_id

    def note(self, caller: Caller, action: str, reason: str, now: datetime, about: About = NOTHING) -> None:
        """A refusal that the service answers in its own way. Raises AuditFailed."""
        self._put(self._event(caller, action, reason, now, about))

    def turn_away(self, caller: Caller | None, reason: str, route: str, now: datetime) -> None:
        """What the door answered itself. `reason` and `route` are words of ours, never the request's; without a caller
        nobody is named, for what an untrue token says is worth nothing. Raises AuditFailed."""
        event = AuditEvent(
            event_id=ulid(now, self.random(RANDOM_BYTES)),
            at=now,
            action=TURNED_AWAY,
            role=caller.role if caller else "",
            subject=caller.subject if caller else "",
            hospital_id=caller.hospital_id if caller else "",
            allowed=False,
            reason=reason,
            route=route,
        )
        self._put(event)

    def deny(self, caller: Caller, action: str, denied: Denied, now: datetime, about: About = NOTHING) -> NoReturn:
        """Raises AccessDenied with the reason that may be told; the event keeps the detail. Or AuditFailed."""
        self.note(caller, action, denied.detail, now, about)
        raise AccessDenied(denied.reason)

    def _event(self, caller: Caller, action: str, reason: str, now: datetime, about: About) -> AuditEvent:
        return AuditEvent(
            event_id=ulid(now, self.random(RANDOM_BYTES)),
            at=now,
            action=action,
            role=caller.role,
            subject=caller.subject,
            hospital_id=caller.hospital_id,
            allowed=False,
            reason=reason,
            person_id=about.person_id,
            study=about.study,
            encounter_id=about.encounter_id,
            basis=about.basis,
            consent_id=about.consent_id,
            guardian_id=about.guardian_id,
            purpose=about.purpose,
            statement=about.statement,
        )

    def _put(self, event: AuditEvent) -> None:
        try:
            self.audit.put(event)
        except Exception as error:
            raise AuditFailed from error
