from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NoReturn

from chalicelib.domain.access import Basis, Caller
from chalicelib.domain.consent import CONSENT_LIVES, Consent, Denied
from chalicelib.domain.consent_notice import NOTICES
from chalicelib.domain.guardian import needs_guardian
from chalicelib.domain.identity import Link
from chalicelib.domain.request import Answer, Request
from chalicelib.domain.study import StudyRef
from chalicelib.services.access_ports import Consents, Encounters, People
from chalicelib.services.act_as import ActAs, Acting
from chalicelib.services.answer_request import AnswerRequest
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.resolve_studies import ResolveStudies

ACTION = "decide_request"


class RequestClosed(Exception):  # noqa: N818 - the fact is the name
    """The request takes no answer. `state`: approved, denied (it had one), expired, visit_closed, link_changed."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decides. `studies` None: all they have now; `life` None: the usual."""

    approve: bool
    studies: frozenset[StudyRef] | None = None
    life: timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """Who decides, for whom, when, and about what as far as it is known."""

    caller: Caller
    acting: Acting
    basis: Basis
    now: datetime
    encounter_id: str = ""
    consent_id: str = ""

    def about(self) -> About:
        person_id, guardian_id = self.acting.person.person_id, self.acting.guardian_id
        return About(person_id, None, self.encounter_id, self.basis, self.consent_id, guardian_id)

    def expires_at(self, choice: Choice) -> datetime:
        """As chosen, within what the basis allows and the guardianship lasts."""
        life = CONSENT_LIVES[self.basis]
        end = self.now + min(choice.life or life.usual, life.longest)
        return min(end, self.acting.guardianship.ends_at) if self.acting.guardianship else end


@dataclass(frozen=True, slots=True)
class DecideRequest:
    """A person, or their guardian, answers a doctor's request in the health app, once and for all.

    The consent it gives, or None for a denial. Only studies of the person's own confirmed identities can be chosen;
    it ends with the guardianship it was given by. Who is under 14 may deny but not approve (PIPL Art. 31). Raises
    RequestClosed, AccessDenied (guardian_needed, frozen, session_ended, guardianship_ended; no_grant for unknown
    requests and studies), Contended, AuditFailed.
    """

    act_as: ActAs
    people: People
    encounters: Encounters
    consents: Consents
    resolve: ResolveStudies
    answer_request: AnswerRequest
    record: RecordDecision

    def __call__(
        self, caller: Caller, request_id: str, choice: Choice, now: datetime, ward: str = ""
    ) -> Consent | None:
        acting = self.act_as(caller, ACTION, now, ward)
        basis: Basis = "guardian" if acting.guardianship else "health_app"
        case = _Case(caller, acting, basis, now)
        request = self._request(case, request_id)
        case = replace(case, encounter_id=request.encounter_id)
        consent = self._consent(case, request, choice) if choice.approve else None
        case = replace(case, consent_id=consent.consent_id if consent else "")
        answer = Answer("approved" if consent else "denied", basis, now, caller.person_id, case.consent_id)
        self.record.allow(caller, ACTION, answer.decision, now, case.about())
        if not self.answer_request(request, answer, consent, now, acting.guardianship):
            self._overtaken(case, request)
        self.act_as.tell(acting, "guardian_answered", now, consent_id=case.consent_id)
        return consent

    def _request(self, case: _Case, request_id: str) -> Request:
        found = self.consents.asked(case.acting.person.person_id, request_id)
        if found is None or not found[0].listed:
            self._deny(case, "no_grant", "unknown_request")
        request = found[0]
        outcome = request.outcome(case.now)
        if outcome != "waiting":
            case = replace(case, encounter_id=request.encounter_id)
            self._close(case, outcome, "request_expired" if outcome == "expired" else "already_answered")
        return request

    def _close(self, case: _Case, state: str, detail: str) -> NoReturn:
        """An answer that is not taken is on record too."""
        self.record.note(case.caller, ACTION, detail, case.now, case.about())
        raise RequestClosed(state)

    def _overtaken(self, case: _Case, request: Request) -> NoReturn:
        """Somebody answered between read and write: what was just recorded as decided did not come to be."""
        found = self.consents.asked(request.owner, request.request_id)
        self._close(case, found[0].outcome(case.now) if found else "expired", "already_answered")

    def _consent(self, case: _Case, request: Request, choice: Choice) -> Consent:
        self._may_approve(case, self._open_visits_link(case, request))
        own = self.resolve.of_person(request.owner, hidden_too=choice.studies is not None)
        studies = own if choice.studies is None else choice.studies
        if not studies <= own:
            self._deny(case, "no_grant", "not_own_study")
        return Consent(
            consent_id=request.request_id,
            person_id=request.owner,
            doctor_id=request.doctor_id,
            hospital_id=request.hospital_id,
            encounter_id=request.encounter_id,
            basis=case.basis,
            scope="person",
            identity=request.identity,
            purpose=request.purpose,
            notice_version=NOTICES[case.basis].version,
            studies=studies,
            granted_at=case.now,
            expires_at=case.expires_at(choice),
            given_by=case.acting.guardian_id,
        )

    def _open_visits_link(self, case: _Case, request: Request) -> Link:
        """A day may have passed: the visit must still be open, and its patient still this person."""
        encounter = self.encounters.get(request.hospital_id, request.encounter_id)
        if encounter is None or not encounter.admits(case.now):
            self._close(case, "visit_closed", "closed_encounter")
        link = self.people.link(encounter.identity)
        if link is None or link.status != "confirmed" or link.person_id != request.owner:
            self._close(case, "link_changed", "link_changed")
        return link

    def _may_approve(self, case: _Case, link: Link) -> None:
        person = case.acting.person
        if person.frozen_at is not None:
            self._deny(case, "frozen", "frozen")
        if case.acting.guardianship is None and needs_guardian(person.birth_date or link.birth_date, case.now):
            self._deny(case, "guardian_needed", "under_14")

    def _deny(self, case: _Case, reason: str, detail: str) -> NoReturn:
        self.record.deny(case.caller, ACTION, Denied(reason, detail), case.now, case.about())
