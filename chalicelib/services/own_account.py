from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied, deny_person
from chalicelib.domain.identity import Person
from chalicelib.services.access_ports import People
from chalicelib.services.record_decision import About, RecordDecision


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """What every request about one's own things stands on: the session is not ended. Refusals are audited here; what is
    allowed is audited here for reads, and by the use case itself where something changes."""

    people: People
    record: RecordDecision

    def __call__(self, caller: Caller, action: str, now: datetime) -> Person:
        """The caller's person. Raises AccessDenied (session_ended; no_grant for whoever is no person)."""
        is_person = caller.role == "patient" and bool(caller.person_id)
        known = self.people.person(caller.person_id) if is_person else None
        denied = deny_person(caller, known) if is_person else Denied("no_grant", "no_person")
        if denied:
            self.record.deny(caller, action, denied, now, About(caller.person_id))
        return known or Person(caller.person_id)

    def to_read(self, caller: Caller, action: str, now: datetime) -> Person:
        """The same for reading one's own list, which is on record before it is read."""
        person = self(caller, action, now)
        self.record.allow(caller, action, "self", now, About(person.person_id))
        return person
