"""Sign out everywhere: whoever holds a stolen session of a person loses it at the next request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.guardian import GuardianRefused
from chalicelib.domain.identity import Person
from chalicelib.domain.linking import RegistrationRefused
from chalicelib.services.access_ports import People
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.prove_guardian import Card, ReadCard
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended
from chalicelib.services.tell_person import TellPerson

ACTION = "end_sessions"


@dataclass(frozen=True, slots=True)
class EndSessions:
    """Raises the session epoch of a person's account, as patient and as guardian: every token with the former one is
    worth nothing, this very caller's too. Whom no desk registered has no account, and no session that could read
    anything. Raises AccessDenied, RegistrationRefused (what the card says; audited), AuditFailed, Contended."""

    own_account: OwnAccount
    people: People
    read_card: ReadCard
    tell_person: TellPerson
    record: RecordDecision

    def own(self, caller: Caller, now: datetime) -> Person:
        for _ in range(ATTEMPTS):
            person = self.own_account(caller, ACTION, now)
            if not person.revision:
                self.record.deny(caller, ACTION, Denied("no_grant", "no_account"), now, About(person.person_id))
            if ended := self._raised(caller, person, "person", now):
                return ended
        raise Contended

    def at_desk(self, caller: Caller, card: Card, now: datetime) -> Person:
        """For whoever lost the phone that they would have pressed the button on."""
        for _ in range(ATTEMPTS):
            person = self._of_card(caller, card, now)
            if ended := self._raised(caller, person, "desk", now):
                return ended
        raise Contended

    def _of_card(self, caller: Caller, card: Card, now: datetime) -> Person:
        try:
            person_id = self.read_card(card, "person", now).person_id
        except GuardianRefused as refused:
            self.record.note(caller, ACTION, refused.reason, now)
            raise RegistrationRefused(refused.reason) from None
        person = self.people.person(person_id)
        if person is None:
            self.record.note(caller, ACTION, "unknown_person", now, About(person_id))
            raise RegistrationRefused("unknown_person")
        return person

    def _raised(self, caller: Caller, person: Person, reason: str, now: datetime) -> Person | None:
        raised = replace(person, session_epoch=person.session_epoch + 1)
        self.record.allow(caller, ACTION, reason, now, About(person.person_id))
        if not self.people.save_person(raised):
            return None
        self.tell_person(person.person_id, "sessions_ended", caller, now)
        return raised
