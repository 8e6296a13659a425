"""Who may read a study, and on whose word: facts and the time come in, a Grant or a Denied goes out (DESIGN §6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.access import Basis, Caller, Grant, Purpose
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.study import StudyRef, Summary

SELF_LIFE = timedelta(minutes=15)  # a person's grant over their own studies lasts as long as a token may
CONSENT_LIFE: dict[Basis, timedelta] = {"sms_code": timedelta(hours=24)}
REMEMBERED = timedelta(days=90)  # a former holder is told that a consent ended for so long; no consent lives longer

Scope = Literal["person", "identity"]
DoctorStatus = Literal["active", "suspended", "left"]


@dataclass(frozen=True, slots=True)
class Doctor:
    """A doctor's account: bound to one licence and one hospital. Another `session_epoch` ends every session."""

    doctor_id: str
    hospital_id: str
    licence_number: str
    name: str
    status: DoctorStatus = "active"
    session_epoch: int = 0
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Encounter:
    """A visit in a hospital. `at` is the hospital's time of the last event about it; only open ones carry requests."""

    hospital_id: str
    encounter_id: str
    identity: IdentityKey
    patient_class: str
    is_open: bool
    at: datetime
    doctor_id: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A doctor asking a patient. `owner` is the person's id, or the stand-in of an identity without a person.

    `scope` says what a right answer opens: all confirmed identities of the person, or only the encounter's own
    identity at that hospital (an unverified phone).
    """

    request_id: str
    owner: str
    doctor_id: str
    hospital_id: str
    encounter_id: str
    identity: IdentityKey
    basis: Basis
    scope: Scope
    purpose: Purpose
    asked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's stored permission. `studies` is the list as resolved when it was granted; later ones are not in it."""

    consent_id: str
    person_id: str
    doctor_id: str
    hospital_id: str
    encounter_id: str
    basis: Basis
    scope: Scope
    identity: IdentityKey
    purpose: Purpose
    notice_version: str
    studies: frozenset[StudyRef]
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """From the second it was granted to the one before it expires. A revocation has no clock: it stands at once."""
        return self.revoked_at is None and self.granted_at <= now < self.expires_at


# Decisions


@dataclass(frozen=True, slots=True)
class Denied:
    """Why not. `reason` is what the caller is told; `detail` is what the audit keeps. Strangers are told `no_grant`."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All a decision about one study knows, each read strongly consistently. None: there is no such item.

    `link` is that of the study's identity, `person` the caller's own for patients and the link's for doctors,
    `consents` the calling doctor's over that person.
    """

    caller: Caller
    study: StudyRef
    summary: Summary | None = None
    link: Link | None = None
    person: Person | None = None
    doctor: Doctor | None = None
    consents: tuple[Consent, ...] = ()


def decide(facts: Facts, now: datetime) -> Grant | Denied:
    """The one decision over pixels. Bases are tried in turn; each either grants or says why not."""
    if facts.caller.role == "doctor":
        return deny_doctor(facts.caller, facts.doctor) or _by_consent(facts, now)
    if facts.caller.role == "patient":
        return deny_patient(facts.caller, facts.person) or _by_self(facts, now)
    return Denied("no_grant", "role")


def deny_doctor(caller: Caller, doctor: Doctor | None) -> Denied | None:
    """Whether a doctor's account forbids everything now: unknown, inactive, moved, or the session was ended."""
    if doctor is None or doctor.status != "active" or doctor.hospital_id != caller.hospital_id:
        return Denied("doctor_inactive", "doctor_inactive")
    if doctor.session_epoch != caller.session_epoch:
        return Denied("session_ended", "session_ended")
    return None


def deny_patient(caller: Caller, person: Person | None) -> Denied | None:
    """The same for a person's own session. A person nobody registered yet has no account to end sessions with."""
    if not caller.person_id or (person is not None and person.person_id != caller.person_id):
        return Denied("no_grant", "no_person")
    if person is not None and person.session_epoch != caller.session_epoch:
        return Denied("session_ended", "session_ended")
    return None


def covers(consent: Consent, link: Link, study: StudyRef) -> bool:
    """Whether a consent is about this study, as its identity is linked now: a wrong link undone takes back at once."""
    if consent.person_id != link.person_id or study not in consent.studies:
        return False
    if consent.scope == "person":
        return link.status == "confirmed"
    return link.status != "contested" and link.identity == consent.identity and study.hospital_id == consent.hospital_id


def _by_self(facts: Facts, now: datetime) -> Grant | Denied:
    link = facts.link
    if facts.summary is None or link is None:
        return Denied("no_grant", "unknown_study" if facts.summary is None else "no_link")
    if link.person_id != facts.caller.person_id or link.status != "confirmed":
        return Denied("no_grant", "not_own")
    return _unless_closed(facts) or Grant(facts.caller, facts.study, "self", "", now + SELF_LIFE)


def _by_consent(facts: Facts, now: datetime) -> Grant | Denied:
    link = facts.link
    if facts.summary is None or link is None:
        return Denied("no_grant", "unknown_study" if facts.summary is None else "no_link")
    mine = [consent for consent in facts.consents if _is_callers(consent, facts.caller)]
    held = [consent for consent in mine if covers(consent, link, facts.study)]
    live = [consent for consent in held if consent.is_live(now)]
    if live:
        best = max(live, key=lambda consent: (consent.expires_at, consent.consent_id))
        return _unless_closed(facts) or Grant(facts.caller, facts.study, best.basis, best.consent_id, best.expires_at)
    return _former(held, now)


def _is_callers(consent: Consent, caller: Caller) -> bool:
    return consent.doctor_id == caller.subject and consent.hospital_id == caller.hospital_id


def _unless_closed(facts: Facts) -> Denied | None:
    """What stands above every permission. Told openly: only someone who may read otherwise gets this far."""
    if facts.person is not None and facts.person.frozen_at is not None:
        return Denied("frozen", "frozen")
    if facts.summary is not None and facts.summary.state == "conflicted":
        return Denied("study_conflicted", "study_conflicted")
    return None


def _former(held: list[Consent], now: datetime) -> Denied:
    """Only who once held a consent over this very study is told that it ended, and by the latest one."""
    ended = [consent for consent in held if consent.granted_at <= now]
    if not ended:
        return Denied("no_grant", "no_consent")
    last = max(ended, key=lambda consent: (consent.granted_at, consent.consent_id))
    reason = "consent_revoked" if last.revoked_at is not None else "consent_expired"
    return Denied(reason, reason)
