from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.access import AuditFailed, Caller
from chalicelib.domain.break_glass import (
    BREAK_GLASS_DAY,
    BREAK_GLASS_MONTH,
    LEAST_TEXT,
    REVIEW_LIFE,
    BreakGlassReason,
    emergency_scope,
    is_confirmed,
    is_emergency,
)
from chalicelib.domain.code import Counter, counter
from chalicelib.domain.consent import CONSENT_LIVES, Consent, Denied, Scope
from chalicelib.domain.consent_notice import EMERGENCY_NOTICE
from chalicelib.domain.identity import Link, Person
from chalicelib.domain.review import Review
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Consents, Counters, People, Randomness
from chalicelib.services.exception_ports import Reviews
from chalicelib.services.faults import note
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.ports import Topic
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.resolve_studies import ResolveStudies
from chalicelib.services.tell_of_access import TellOfAccess

ACTION = "break_glass"


@dataclass(frozen=True, slots=True)
class Emergency:
    """What a doctor states. `text` is their own words, for the officer alone; `confirmation` is typed."""

    encounter_id: str
    reason: BreakGlassReason
    text: str = field(repr=False)
    confirmation: str


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Emergency access for two hours, without consent. `domain.break_glass` says what it opens and why.

    Each use is counted before it opens, so that no crowd of calls beats the quota. The officer's review, due in 24
    hours, and the notice in the patient's app are written before the consent: none ever stands without them. SMS and
    the officer's topic follow; should they fail, the list and the app still tell. Raises AccessDenied
    (doctor_inactive, session_ended, no_encounter, break_glass_suspended, not_an_emergency, not_confirmed,
    unknown_person, break_glass_quota) or AuditFailed.
    """

    find_visit: FindVisit
    people: People
    counters: Counters
    reviews: Reviews
    consents: Consents
    resolve: ResolveStudies
    tell: TellOfAccess
    topic: Topic
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, emergency: Emergency, now: datetime) -> Consent:
        visit = self.find_visit(caller, emergency.encounter_id, now)
        denied = visit if isinstance(visit, Denied) else _denied(visit, emergency, now)
        if denied or isinstance(visit, Denied) or visit.link is None:
            about = About(encounter_id=emergency.encounter_id) if isinstance(visit, Denied) else _about(visit)
            self.record.deny(caller, ACTION, denied or Denied("unknown_person", "unknown_person"), now, about)
        counted = self._count(caller, now)
        if counted is None:
            self.record.deny(caller, ACTION, Denied("break_glass_quota", "break_glass_quota"), now, _about(visit))
        link, person = visit.link, self.people.person(visit.link.person_id)
        consent = self._consent(caller, visit, link, now)
        self._record(caller, consent, emergency, counted, now)
        self.reviews.open(_review(consent, emergency, person, now))
        self.tell.in_app(consent, "break_glass", now)
        self.consents.put(consent)
        self._tell(consent, link, person, now)
        return consent

    def _count(self, caller: Caller, now: datetime) -> tuple[Counter, ...] | None:
        """None at a limit; then nothing stays counted."""
        taken: list[Counter] = []
        for limit in (BREAK_GLASS_DAY, BREAK_GLASS_MONTH):
            each = counter(limit, caller.subject, now)
            if self.counters.take(each) is None:
                self._give_back(taken)
                return None
            taken.append(each)
        return tuple(taken)

    def _record(
        self, caller: Caller, consent: Consent, emergency: Emergency, counted: tuple[Counter, ...], now: datetime
    ) -> None:
        about = About(
            consent.person_id, None, consent.encounter_id, "break_glass", consent.consent_id, purpose=consent.purpose
        )
        try:
            self.record.allow(caller, ACTION, emergency.reason, now, about)
        except AuditFailed:
            self._give_back(counted)  # nothing was opened, and the emergency goes on
            raise

    def _give_back(self, counted: list[Counter] | tuple[Counter, ...]) -> None:
        for each in counted:
            self.counters.give_back(each)

    def _consent(self, caller: Caller, visit: Visit, link: Link, now: datetime) -> Consent:
        scope: Scope = emergency_scope(link) or "identity"
        studies = (
            self.resolve.of_person(link.person_id, hidden_too=True)
            if scope == "person"
            else self.resolve.of_identity(link.identity)
        )
        return Consent(
            consent_id=ulid(now, self.random(RANDOM_BYTES)),
            person_id=link.person_id,
            doctor_id=caller.subject,
            hospital_id=caller.hospital_id,
            encounter_id=visit.encounter.encounter_id,
            basis="break_glass",
            scope=scope,
            identity=link.identity,
            purpose="emergency",
            notice_version=EMERGENCY_NOTICE.version,
            studies=studies,
            granted_at=now,
            expires_at=now + CONSENT_LIVES["break_glass"].usual,
        )

    def _tell(self, consent: Consent, link: Link, person: Person | None, now: datetime) -> None:
        """A verified phone where the identity is confirmed, else the number that this hospital itself was told."""
        try:
            own = self.tell.phones_of(person, now) if consent.scope == "person" else {link.phone}
            phones = {*own, *self.tell.guardians_phones(consent, now)}
            self.tell.by_sms(phones, "emergency_access", consent.hospital_id)
            body = {"event": "break_glass", "hospital_id": consent.hospital_id, "review_id": consent.consent_id}
            due_at = (now + REVIEW_LIFE).isoformat()
            self.topic.publish(f"break-glass {consent.hospital_id}", {**body, "due_at": due_at})
        except Exception as fault:  # noqa: BLE001 - the access stands and is on two lists: a topic must not undo care
            note(fault)


def _denied(visit: Visit, emergency: Emergency, now: datetime) -> Denied | None:
    if visit.doctor is None or visit.doctor.break_glass_suspended:
        return Denied("break_glass_suspended", "break_glass_suspended")
    if not is_emergency(visit.encounter, visit.doctor, now):
        return Denied("not_an_emergency", "not_an_emergency")
    if not is_confirmed(emergency.confirmation) or len(emergency.text.strip()) < LEAST_TEXT:
        return Denied("not_confirmed", "not_confirmed")
    if emergency_scope(visit.link) is None:
        return Denied("unknown_person", "identity_contested" if visit.link else "unknown_person")
    return None


def _review(consent: Consent, emergency: Emergency, person: Person | None, now: datetime) -> Review:
    return Review(
        review_id=consent.consent_id,
        kind="break_glass",
        hospital_id=consent.hospital_id,
        doctor_id=consent.doctor_id,
        opened_at=now,
        due_at=now + REVIEW_LIFE,
        person_id=consent.person_id,
        encounter_id=consent.encounter_id,
        reason=emergency.reason,
        text=emergency.text,
        was_frozen=person is not None and person.frozen_at is not None,
    )


def _about(visit: Visit) -> About:
    visit_id = visit.encounter.encounter_id
    return About(visit.person_id, encounter_id=visit_id, basis="break_glass", purpose="emergency")
