from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from chalicelib.domain.access import Caller
from chalicelib.domain.code import WRONG_PER_CODE, WRONG_PER_DOCTOR, WRONG_PER_PERSON, Code, Counter, counter
from chalicelib.domain.consent import CONSENT_LIVES, Consent, Denied
from chalicelib.domain.consent_notice import SMS_NOTICE
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.identity import Person
from chalicelib.domain.pair import Pair
from chalicelib.domain.phone import PAIR_WINDOW
from chalicelib.domain.request import Answer, Request
from chalicelib.services.access_ports import Consents, Counters, Guardians, Pairs, People
from chalicelib.services.answer_request import AnswerRequest
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.ports import Mac
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.resolve_studies import ResolveStudies

ACTION = "verify_code"


class CodeRefused(Exception):  # noqa: N818 - the fact is the name
    """Not the code. `attempts_left`: guesses of this doctor that may still follow, by this code's limit and their own
    day's. The patient's day may end them sooner, but that is not told: it counts what other doctors tried."""

    def __init__(self, attempts_left: int) -> None:
        super().__init__("code_refused")
        self.attempts_left = attempts_left


class CodeLocked(Exception):  # noqa: N818 - the fact is the name
    """No guess counts any more: used, expired, unknown, or a limit reached. Which, is not told."""


@dataclass(frozen=True, slots=True)
class VerifyCode:
    """The code that the patient told the doctor becomes a consent over the studies that exist now.

    Each guess is counted before it is looked at, by doctor, patient and code, so that guesses sent at once cannot
    beat the limits; only the right code gets its counts back. A request that the app answered has no code any more.
    Raises CodeRefused, CodeLocked, AccessDenied (doctor_inactive, session_ended, no_encounter), Contended or
    AuditFailed (then there is no consent).
    """

    find_visit: FindVisit
    people: People
    guardians: Guardians
    consents: Consents
    counters: Counters
    pairs: Pairs
    resolve: ResolveStudies
    answer_request: AnswerRequest
    mac: Mac
    record: RecordDecision

    def __call__(self, caller: Caller, encounter_id: str, request_id: str, code: str, now: datetime) -> Consent:
        visit = self.find_visit(caller, encounter_id, now)
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
        if request.answer is not None:
            self._lock(caller, visit, "answered", now)
        return found

    def _count_guess(self, request: Request, counters: tuple[Counter, ...], now: datetime) -> int | None:
        """The doctor's guesses left after this one (`CodeRefused`), or None when it must not be looked at; then nothing
        stays counted."""
        taken: list[Counter] = []
        own_left = WRONG_PER_CODE.count
        for each in counters:
            left = self.counters.take(each)
            if left is None:
                break
            taken.append(each)
            own_left = min(own_left, left) if each.holder == "doctor" else own_left
        else:
            left = self.consents.attempt(request.owner, request.request_id, now)
            if left is not None:
                return min(left, own_left)
        for each in taken:
            self.counters.give_back(each)
        return None

    def _consent(self, caller: Caller, visit: Visit, request: Request, now: datetime) -> Consent:
        """Written last, with the request's answer in one transaction: a crash before it opens nothing."""
        held = self.guardians.get(request.owner, request.code_holder) if request.code_holder else None
        holder = self.people.person(request.code_holder or request.owner)
        if not (self._still_answers(visit, request, held, now) and _still_holds(request, holder)):
            self._lock(caller, visit, "link_changed", now)
        consent = Consent(
            consent_id=request.request_id,
            person_id=request.owner,
            doctor_id=request.doctor_id,
            hospital_id=request.hospital_id,
            encounter_id=request.encounter_id,
            basis="sms_code",
            scope=request.scope,
            identity=request.identity,
            purpose=request.purpose,
            notice_version=SMS_NOTICE.version,
            studies=self.resolve(request),
            granted_at=now,
            expires_at=now + CONSENT_LIVES["sms_code"].usual,
            given_by=request.code_holder,
        )
        about = About(
            visit.person_id, None, request.encounter_id, "sms_code", consent.consent_id, guardian_id=request.code_holder
        )
        self.record.allow(caller, ACTION, f"consent_{request.scope}", now, about)
        answer = Answer("approved", "sms_code", now, request.code_holder, consent.consent_id)
        if not self.answer_request(request, answer, consent, now, held):
            self._lock(caller, visit, "used", now)
        self._count_pair(consent, holder, now)
        return consent

    def _count_pair(self, consent: Consent, holder: Person | None, now: datetime) -> None:
        """A number's first uses, by the clerk who set it and the doctor who profits, for the privacy officer."""
        if consent.scope == "identity" or holder is None or not holder.phone_clerk or holder.phone_set_at is None:
            return
        if now < holder.phone_set_at + PAIR_WINDOW:
            pair = Pair("phone", holder.phone_clerk, consent.doctor_id)
            self.pairs.count(consent.hospital_id, pair, now)

    def _still_answers(self, visit: Visit, request: Request, held: Guardianship | None, now: datetime) -> bool:
        """The five minutes since the request may have brought a freeze, a contested link or a guardian's end."""
        if visit.link is None or visit.link.status == "contested":
            return False
        if request.code_holder and (held is None or not held.is_live(now)):
            return False
        person = self.people.person(request.owner)
        frozen = person is not None and person.frozen_at is not None
        return not frozen and (request.scope == "identity" or visit.link.status == "confirmed")

    def _lock(self, caller: Caller, visit: Visit, detail: str, now: datetime) -> NoReturn:
        self.record.note(caller, ACTION, detail, now, _about(visit))
        raise CodeLocked


def _still_holds(request: Request, holder: Person | None) -> bool:
    """The number may have been changed or voided since the code was sent to it, or the holder may have frozen all."""
    if request.scope == "identity" or holder is None:
        return True
    unchanged = holder.phone_set_at is None or holder.phone_set_at <= request.asked_at
    return unchanged and holder.frozen_at is None


def _about(visit: Visit) -> About:
    return About(visit.person_id, encounter_id=visit.encounter.encounter_id, basis="sms_code")
