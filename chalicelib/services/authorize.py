from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.consent import REMEMBERED, Denied, Facts, decide
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.access_ports import Consents, DecisionFacts, Guardians, People
from chalicelib.services.act_as import ActAs, Acting
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.watch_ports import Lap, untimed

ACTION = "view_study"

NOBODY, NO_IDENTITY = "nobody", IdentityKey("NONE", "nobody")

LinkOf = Callable[[Summary | None], Link | None]


@dataclass(frozen=True, slots=True)
class Authorize:
    """May this caller read this study now? A Grant, or AccessDenied; either is audited first, else AuditFailed.

    For doctors four reads, each strongly consistent: study with account, link, person, consents. For persons two, for
    guardians four: study with own account, link, ward, guardianship; then a ward of 14 or older is told. Of a study
    that there is not, or that is nobody's, as many are read, of nobody: else the clock would tell it from one that is
    somebody else's. `action` is what the study is asked for, in the audit's words.
    """

    facts: DecisionFacts
    people: People
    guardians: Guardians
    consents: Consents
    act_as: ActAs
    record: RecordDecision
    action: str = ACTION

    def __call__(self, caller: Caller, study: StudyRef, now: datetime) -> Grant:
        return self._decide(caller, study, now, self._link)[0]

    def with_manifest(
        self, caller: Caller, study: StudyRef, now: datetime, lap: Lap = untimed
    ) -> tuple[Grant, Summary, bytes]:
        """The Grant with study and manifest as read for it: the manifest comes with the link, in one call for both.
        Whoever is refused never sees it. `lap` hears of the stages manifest and authorize.
        """
        manifest = b""

        def link_of(summary: Summary | None) -> Link | None:
            nonlocal manifest
            if summary is None:
                self.facts.summaries((study,))
                return None
            lap("authorize")
            link, manifest = self.facts.link_and_manifest(summary)
            lap("manifest")
            return link

        grant, summary = self._decide(caller, study, now, link_of)
        lap("authorize")
        return grant, summary, manifest

    def _decide(self, caller: Caller, study: StudyRef, now: datetime, link_of: LinkOf) -> tuple[Grant, Summary]:
        facts = self._gather(caller, study, now, link_of)
        decision = decide(facts, now)
        about = About(person_id=_reader(facts.link), study=study)
        if caller.role == "guardian":
            about = replace(about, guardian_id=caller.person_id)
        if isinstance(decision, Denied) or facts.summary is None:
            denied = decision if isinstance(decision, Denied) else Denied("no_grant", "unknown_study")
            self.record.deny(caller, self.action, denied, now, about)
        about = replace(_why(facts, decision.consent_id, about), basis=decision.basis)
        decision = replace(decision, event_id=self.record.allow(caller, self.action, decision.basis, now, about))
        if facts.guardianship is not None and facts.person is not None:
            self.act_as.tell(Acting(facts.person, facts.guardianship), "guardian_read", now, study=study)
        return decision, facts.summary

    def _gather(self, caller: Caller, study: StudyRef, now: datetime, link_of: LinkOf) -> Facts:
        if caller.role == "doctor":
            summary, doctor = self.facts.study_and_doctor(study, caller.subject)
            link = link_of(_of_somebody(summary))
            whose = link.person_id if link else NOBODY
            person, held = self.people.person(whose), self.consents.of_doctor(whose, caller.subject, now - REMEMBERED)
            if link is None:
                return Facts(caller, study, summary, doctor=doctor)
            return Facts(caller, study, summary, link, person, doctor, held)
        if caller.role == "patient" and caller.person_id:
            summary, person = self.facts.study_and_person(study, caller.person_id)
            return Facts(caller, study, summary, link_of(_of_somebody(summary)), person)
        if caller.role == "guardian" and caller.person_id:
            summary, guardian = self.facts.study_and_person(study, caller.person_id)
            link = link_of(_of_somebody(summary))
            whose = link.person_id if link else NOBODY
            ward, proven = self.people.person(whose) or Person(whose), self.guardians.get(whose, caller.person_id)
            if link is None:
                return Facts(caller, study, summary, guardian=guardian)
            return Facts(caller, study, summary, link, ward, guardian=guardian, guardianship=proven)
        return Facts(caller, study)

    def _link(self, summary: Summary | None) -> Link | None:
        return self.people.link(IdentityKey(summary.issuer, summary.patient_id) if summary else NO_IDENTITY)


def _of_somebody(summary: Summary | None) -> Summary | None:
    """None for a placeholder id too: such a study is nobody's."""
    return summary if summary is not None and summary.patient_id else None


def _why(facts: Facts, consent_id: str, about: About) -> About:
    """With the purpose and visit of the consent that it rests on: the record must say why by itself."""
    found = next((one for one in facts.consents if one.consent_id == consent_id), None)
    if found is None:
        return about
    return replace(about, consent_id=consent_id, encounter_id=found.encounter_id, purpose=found.purpose)


def _reader(link: Link | None) -> str:
    """Who reads of this in their own audit."""
    return link.person_id if link is not None and link.status != "contested" else ""
