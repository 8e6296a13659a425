from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller, Purpose
from chalicelib.domain.code import CODE_DIGITS, CODE_LIFE, SENDS, Code, counter
from chalicelib.domain.consent import Denied
from chalicelib.domain.request import REQUEST_LIFE, Request
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Consents, Counters, Randomness
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.ports import Mac, Sms
from chalicelib.services.reach_patient import UNREACHED, Reach, ReachPatient
from chalicelib.services.record_decision import About, RecordDecision

ACTION = "request_consent"
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer to every request, whether anybody could be asked or not. `expires_at` is the code's end; in the
    health app the patient may answer until `open_until`."""

    request_id: str
    expires_at: datetime
    open_until: datetime


@dataclass(frozen=True, slots=True)
class RequestConsent:
    """A doctor asks the patient of an open visit: a code goes to the patient's phone, and the request stands in their
    list in the health app. Either may answer it, the first does.

    An unknown patient, one without a phone and one asked too often get the same answer, after the same work, and a code
    that never matches: a message is asked for in every case, and where there is nobody it is for nobody.
    Raises AccessDenied (doctor_inactive, session_ended, no_encounter), AuditFailed, or what the queue of messages does.
    """

    find_visit: FindVisit
    reach_patient: ReachPatient
    consents: Consents
    counters: Counters
    mac: Mac
    sms: Sms
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, encounter_id: str, purpose: Purpose, now: datetime) -> Asked:
        visit = self.find_visit(caller, encounter_id, now)
        if isinstance(visit, Denied):
            self.record.deny(caller, ACTION, visit, now, About(encounter_id=encounter_id))
        reach = self.reach_patient(visit, now)
        in_limit = self.counters.take(counter(SENDS, visit.owner, now, about=caller.subject)) is not None
        if not in_limit:
            reach = UNREACHED
        request = self._request(caller, visit, reach, purpose, now)
        digits = f"{int.from_bytes(self.random(8)) % 10**CODE_DIGITS:0{CODE_DIGITS}}"
        code = self._code(request, digits, reachable=reach.route is not None)
        about = About(visit.person_id, encounter_id=encounter_id, purpose=purpose)
        if reach.route or reach.in_app:
            self.record.allow(caller, ACTION, _reason(reach), now, about)
        else:
            self.record.note(caller, ACTION, "no_phone" if in_limit else "send_limit", now, about)
        self.consents.ask(request, code)
        self.sms.send(reach.route.phone if reach.route else "", "consent_code", {"code": digits})
        return Asked(request.request_id, code.expires_at, request.expires_at)

    def _request(self, caller: Caller, visit: Visit, reach: Reach, purpose: Purpose, now: datetime) -> Request:
        return Request(
            request_id=ulid(now, self.random(RANDOM_BYTES)),
            owner=visit.owner,
            doctor_id=caller.subject,
            hospital_id=caller.hospital_id,
            encounter_id=visit.encounter.encounter_id,
            identity=visit.encounter.identity,
            scope=reach.route.scope if reach.route else "identity",
            purpose=purpose,
            asked_at=now,
            expires_at=now + REQUEST_LIFE,
            listed=reach.in_app,
            code_holder=reach.route.guardian_id if reach.route else "",
            only=reach.route.only if reach.route else (),
        )

    def _code(self, request: Request, digits: str, *, reachable: bool) -> Code:
        """The keyed hash of the code, or noise for a code that nobody was sent."""
        mac = self.mac("code", f"{request.request_id}:{digits}")
        expires_at = request.asked_at + CODE_LIFE
        return Code(request.request_id, mac if reachable else self.random(_MAC_BYTES), reachable, expires_at)


def _reason(reach: Reach) -> str:
    return f"sent_{reach.route.scope}" if reach.route else "listed"
