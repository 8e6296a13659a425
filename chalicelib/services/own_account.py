from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import deny_person
from chalicelib.domain.identity import Person
from chalicelib.services.access_ports import People
from chalicelib.services.record_decision import About, RecordDecision


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """What every read of a person's own things stands on: their session is not ended. Refusals are audited."""

    people: People
    record: RecordDecision

    def __call__(self, caller: Caller, action: str, now: datetime) -> Person:
        """The caller's person. Raises AccessDenied (session_ended; no_grant for whoever is no person)."""
        known = self.people.person(caller.person_id) if caller.role == "patient" and caller.person_id else None
        denied = deny_person(caller, known)
        if denied:
            self.record.deny(caller, action, denied, now, About(caller.person_id))
        return known or Person(caller.person_id)
