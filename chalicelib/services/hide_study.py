"""A person keeps a study out of sight: of reminders, of lookup, and of every consent that does not name it.

Hidden it stays readable to the person. A consent resolved from now on leaves it out, unless the person picks it from
the list themself. A consent that holds it already goes on holding it: to take it back is to revoke, and the answer
names those consents, so that nobody believes hiding took something away that it did not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Consent, Denied
from chalicelib.domain.identity import IdentityKey, Person
from chalicelib.domain.study import StudyRef
from chalicelib.services.access_ports import Consents, DecisionFacts, HiddenStudies, People
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.record_decision import About, RecordDecision

HIDE, SHOW, READ = "hide_study", "show_study", "read_hidden"


@dataclass(frozen=True, slots=True)
class HideStudy:
    """Raises AccessDenied (no_grant for a study that is not the caller's own; frozen for showing), AuditFailed."""

    own_account: OwnAccount
    facts: DecisionFacts
    people: People
    consents: Consents
    hidden: HiddenStudies
    record: RecordDecision

    def hide(self, caller: Caller, study: StudyRef, now: datetime) -> tuple[Consent, ...]:
        """The live consents that hold the study still."""
        person = self._owner(caller, HIDE, study, now)
        self.record.allow(caller, HIDE, "self", now, About(person.person_id, study))
        self.hidden.hide(person.person_id, study, now)
        given = self.consents.of_person(person.person_id)
        return tuple(one for one in given if study in one.studies and one.is_live(now))

    def show(self, caller: Caller, study: StudyRef, now: datetime) -> None:
        person = self._owner(caller, SHOW, study, now)
        about = About(person.person_id, study)
        if person.frozen_at is not None:
            self.record.deny(caller, SHOW, Denied("frozen", "frozen"), now, about)
        self.record.allow(caller, SHOW, "self", now, about)
        self.hidden.show(person.person_id, study)

    def _owner(self, caller: Caller, action: str, study: StudyRef, now: datetime) -> Person:
        person = self.own_account(caller, action, now)
        summary, _ = self.facts.study_and_person(study, person.person_id)
        link = self.people.link(IdentityKey(summary.issuer, summary.patient_id)) if summary else None
        if link is None or link.person_id != person.person_id or link.status != "confirmed":
            self.record.deny(caller, action, Denied("no_grant", "not_own"), now, About(person.person_id))
        return person


@dataclass(frozen=True, slots=True)
class ReadHidden:
    """The studies that a person hides. Raises AccessDenied."""

    own_account: OwnAccount
    hidden: HiddenStudies

    def __call__(self, caller: Caller, now: datetime) -> tuple[StudyRef, ...]:
        person = self.own_account.to_read(caller, READ, now)
        return tuple(sorted(self.hidden.of_person(person.person_id)))
