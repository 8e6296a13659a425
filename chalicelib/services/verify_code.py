from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from chalicelib.domain.access import Caller
from chalicelib.domain.code import SMS_NOTICE, WRONG_PER_DOCTOR, WRONG_PER_PERSON, Code, Counter, counter
from chalicelib.domain.consent import CONSENT_LIFE, Consent, Denied, Request
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Consents, Counters, People, Randomness
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.ports import Mac
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.resolve_studies import ResolveStudies

ACTION = "verify_code"


class CodeRefused(Exception):  # noqa: N818 - the fact is the name
    """Not the code. `attempts_left`: guesses that may still follow, whichever limit comes first."""

    def __init__(self, attempts_left: int) -> None:
        super().__init__("code_refused")
        self.attempts_left = attempts_left


class CodeLocked(Exception):  # noqa: N818 - the fact is the name
    """No guess counts any more: used, expired, unknown, or a limit reached. Which, is not told."""


@dataclass(frozen=True, slots=True)
class VerifyCode:
    """The code that the patient told the doctor becomes a consent over the studies that exist now.

    Each guess is counted before it is looked at, by doctor, patient and code, so that guesses sent at once cannot
    beat the limits; only the right code gets its counts back. Raises CodeRefused, CodeLocked, AccessDenied
    (doctor_inactive, session_ended, no_encounter) or AuditFailed (then there is no consent, and the code is spent).
    """

    find_visit: FindVisit
    people: People
    consents: Consents
    counters: Counters
    resolve: ResolveStudies
    mac: Mac
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, encounter_id: str, request_id: str, code: str, now: datetime) -> Consent:
        visit = self.find_visit(caller, encounter_id)
        if isinstance(visit, Denied):
            self.record.deny(caller, ACTION, visit, now, About(encounter_id=encounter_id))
        request, kept = self._asked(caller, visit, request_id, now)
        counters = (counter(WRONG_PER_DOCTOR, caller.subject, now), counter(WRONG_PER_PERSON, visit.owner, now))
        left = self._count_guess(request, counters, now)
        if left is None:
            self._lock(caller, visit, "locked", now)
        given = self.mac("code", f"{request_id}:{code.strip()}")
        if not (hmac.compare_digest(given, kept.mac) and kept.reachable):
            self.record.note(caller, ACTION, "wrong_code", now, _about(visit))
            raise CodeRefused(left)
        if not self.consents.use(request.owner, request_id, now):
            self._lock(caller, visit, "used", now)
        for spent in counters:
            self.counters.give_back(spent)
        return self._consent(caller, visit, request, now)

    def _asked(self, caller: Caller, visit: Visit, request_id: str, now: datetime) -> tuple[Request, Code]:
        """The doctor's own request for this visit: nobody spends the attempts of another's."""
        found = self.consents.asked(visit.owner, request_id)
        if found is None:
            self._lock(caller, visit, "unknown_request", now)
        request = found[0]
        if request.doctor_id != caller.subject or request.encounter_id != visit.encounter.encounter_id:
            self._lock(caller, visit, "not_own_request", now)
        return found

    def _count_guess(self, request: Request, counters: tuple[Counter, ...], now: datetime) -> int | None:
        """Guesses left after this one, or None when it must not be looked at; then nothing stays counted."""
        taken: list[Counter] = []
        lefts: list[int] = []
        for each in counters:
            left = self.counters.take(each)
            if left is None:
                break
            taken.append(each)
            lefts.append(left)
        else:
            left = self.consents.attempt(request.owner, request.request_id, now)
            if left is not None:
                return min(left, *lefts)
        for each in taken:
            self.counters.give_back(each)
        return None

    def _consent(self, caller: Caller, visit: Visit, request: Request, now: datetime) -> Consent:
        """Written last: a crash or a failed audit before it spends the code and opens nothing."""
        if not self._still_answers(visit, request):
            self._lock(caller, visit, "link_changed", now)
        consent = Consent(
            consent_id=ulid(now, self.random(RANDOM_BYTES)),
            person_id=request.owner,
            doctor_id=request.doctor_id,
            hospital_id=request.hospital_id,
            encounter_id=request.encounter_id,
            basis=request.basis,
            scope=request.scope,
            identity=request.identity,
            purpose=request.purpose,
            notice_version=SMS_NOTICE.version,
            studies=self.resolve(request),
            granted_at=now,
            expires_at=now + CONSENT_LIFE[request.basis],
        )
        about = About(visit.person_id, None, request.encounter_id, request.basis, consent.consent_id)
        self.record.allow(caller, ACTION, f"consent_{request.scope}", now, about)
        self.consents.put(consent)
        return consent

    def _still_answers(self, visit: Visit, request: Request) -> bool:
        """The five minutes since the request may have brought a freeze or a contested link."""
        if visit.link is None or visit.link.status == "contested":
            return False
        person = self.people.person(request.owner)
        frozen = person is not None and person.frozen_at is not None
        return not frozen and (request.scope == "identity" or visit.link.status == "confirmed")

    def _lock(self, caller: Caller, visit: Visit, detail: str, now: datetime) -> NoReturn:
        self.record.note(caller, ACTION, detail, now, _about(visit))
        raise CodeLocked


def _about(visit: Visit) -> About:
    return About(visit.person_id, encounter_id=visit.encounter.encounter_id, basis="sms_code")
