"""Who may read a study, and on whose word: facts and the time come in, a Grant or a Denied goes out (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.access import Basis, Caller, Grant, Purpose, Role
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.study import StudyRef, Summary

SELF_LIFE = timedelta(minutes=15)  # a person's grant over their own studies lasts as long as a token may


@dataclass(frozen=True, slots=True)
class Life:
    """How long a consent of a basis lives: unless said otherwise, and at most, whatever was written into it."""

    usual: timedelta
    longest: timedelta
    source: str


CONSENT_LIVES: Mapping[Basis, Life] = {
    "sms_code": Life(timedelta(hours=24), timedelta(hours=24), "a code says how long by its notice: 24 h"),
    "dynamic_qr": Life(timedelta(hours=24), timedelta(hours=24), "as a code: nothing is chosen on the spot"),
    "health_app": Life(timedelta(hours=24), timedelta(days=30), "the person chooses; PIPL Art. 14, 17"),
    "guardian": Life(timedelta(hours=24), timedelta(days=30), "as the ward's own approval, PIPL Art. 31"),
    "assisted": Life(timedelta(hours=24), timedelta(hours=24), "as a code"),
    "break_glass": Life(timedelta(hours=2), timedelta(hours=2), "DESIGN §6"),
}
REMEMBERED = timedelta(days=90)  # a former holder is told that a consent ended for so long; no consent lives longer

# [A] How long a visit carries requests after the hospital last told of it, if nobody closes it: many systems never do.
VISIT_LIVES: Mapping[str, timedelta] = {
    "outpatient": timedelta(days=7),  # the day, results and the follow-up that the same registration covers
    "emergency": timedelta(days=7),  # with observation; breaking the glass asks for less (domain.break_glass)
    "inpatient": timedelta(days=366),  # between admission and discharge a system may say nothing
}

Scope = Literal["person", "identity"]
DoctorStatus = Literal["active", "suspended", "left"]


@dataclass(frozen=True, slots=True)
class Doctor:
    """A doctor's account: bound to one licence and one hospital. Another `session_epoch` ends every session.

    `emergency_role`: emergencies are their work, so they may break the glass in any visit. `break_glass_stops` are the
    reviews that stand against the right to (domain.review); while there is one, the right is suspended.
    """

    doctor_id: str
    hospital_id: str
    licence_number: str
    name: str
    status: DoctorStatus = "active"
    session_epoch: int = 0
    emergency_role: bool = False
    break_glass_stops: tuple[str, ...] = ()
    revision: int = field(default=0, compare=False)

    @property
    def break_glass_suspended(self) -> bool:
        return bool(self.break_glass_stops)


@dataclass(frozen=True, slots=True)
class Encounter:
    """A visit in a hospital. `at` is the hospital's time of the last event about it."""

    hospital_id: str
    encounter_id: str
    identity: IdentityKey
    patient_class: str
    is_open: bool
    at: datetime
    doctor_id: str = ""

    def admits(self, now: datetime) -> bool:
        """Whether a doctor may ask in it: open, and told of within its class's life; one of no known class never."""
        return self.is_open and now < self.at + VISIT_LIVES.get(self.patient_class, timedelta())


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's stored permission. `studies` is the list as resolved when it was granted; later ones are not in it.
    `given_by` is the guardian who gave it, "" for the person themself."""

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
    given_by: str = ""

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself: as it says, and never later than its basis may live."""
        life = CONSENT_LIVES.get(self.basis)
        return min(self.expires_at, self.granted_at + life.longest) if life else self.granted_at

    def is_live(self, now: datetime) -> bool:
        """From the second it was granted to the one before it ends. A revocation has no clock: it stands at once."""
        return self.revoked_at is None and self.granted_at <= now < self.ends_at


# Decisions


@dataclass(frozen=True, slots=True)
class Denied:
    """Why not. `reason` is what the caller is told; `detail` is what the audit keeps. Strangers are told `no_grant`."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All a decision about one study knows, each read strongly consistently. None: there is no such item.

    `link` is that of the study's identity; `person` the caller's own for patients, the link's for doctors and
    guardians; `guardian` the guardian's own, `guardianship` theirs over the link's person; `consents` the calling
    doctor's over that person.
    """

    caller: Caller
    study: StudyRef
    summary: Summary | None = None
    link: Link | None = None
    person: Person | None = None
    doctor: Doctor | None = None
    consents: tuple[Consent, ...] = ()
    guardian: Person | None = None
    guardianship: Guardianship | None = None


def decide(facts: Facts, now: datetime) -> Grant | Denied:
    """The one decision over pixels. First the caller's own account, then what may let that role in; other roles have
    no way in at all."""
    decide_for_role = _BY_ROLE.get(facts.caller.role)
    return decide_for_role(facts, now) if decide_for_role else Denied("no_grant", "role")


def _for_doctor(facts: Facts, now: datetime) -> Grant | Denied:
    return deny_doctor(facts.caller, facts.doctor) or _by_consent(facts, now)


def _for_patient(facts: Facts, now: datetime) -> Grant | Denied:
    return deny_person(facts.caller, facts.person) or _by_self(facts, now)


def _for_guardian(facts: Facts, now: datetime) -> Grant | Denied:
    if facts.guardian is not None and facts.guardian.frozen_at is not None:
        return Denied("frozen", "guardian_frozen")
    return deny_person(facts.caller, facts.guardian) or _by_guardian(facts, now)


_BY_ROLE: Mapping[Role, Callable[[Facts, datetime], Grant | Denied]] = {
    "doctor": _for_doctor,
    "patient": _for_patient,
    "guardian": _for_guardian,
}


def deny_doctor(caller: Caller, doctor: Doctor | None) -> Denied | None:
    """Whether a doctor's account forbids everything now: unknown, inactive, moved, or the session was ended."""
    if doctor is None or doctor.status != "active" or doctor.hospital_id != caller.hospital_id:
        return Denied("doctor_inactive", "doctor_inactive")
    if doctor.session_epoch != caller.session_epoch:
        return Denied("session_ended", "session_ended")
    return None


def deny_person(caller: Caller, person: Person | None) -> Denied | None:
    """The same for a patient's or guardian's own session. Whom no desk registered has no account that could end it."""
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


def _by_guardian(facts: Facts, now: datetime) -> Grant | Denied:
    link, held = facts.link, facts.guardianship
    if facts.summary is None or link is None:
        return Denied("no_grant", "unknown_study" if facts.summary is None else "no_link")
    if held is None or (held.ward_id, held.guardian_id) != (link.person_id, facts.caller.person_id):
        return Denied("no_grant", "no_ward")
    if link.status != "confirmed":
        return Denied("no_grant", "not_wards")
    denied = deny_guardianship(held, now) or _unless_closed(facts)
    return denied or Grant(facts.caller, facts.study, "guardian", "", min(now + SELF_LIFE, held.ends_at))


def deny_guardianship(held: Guardianship, now: datetime) -> Denied | None:
    """Whether one may not act for a ward now. A former guardian is told that it ended; before it starts, nothing."""
    if held.is_live(now):
        return None
    ended = "guardianship_objected" if held.objected_at is not None else "guardianship_ended"
    return Denied("guardianship_ended", ended) if held.was_live(now) else Denied("no_grant", "guardianship_waits")


def _by_consent(facts: Facts, now: datetime) -> Grant | Denied:
    link = facts.link
    if facts.summary is None or link is None:
        return Denied("no_grant", "unknown_study" if facts.summary is None else "no_link")
    mine = [consent for consent in facts.consents if _is_callers(consent, facts.caller)]
    held = [consent for consent in mine if covers(consent, link, facts.study)]
    live = [consent for consent in held if consent.is_live(now)]
    if not live:
        return _former(held, now)
    standing = [consent for consent in live if not closed_to(consent, facts.person, facts.doctor)]
    if not standing:
        reason = max(closed_to(consent, facts.person, facts.doctor) for consent in live)  # a freeze before the right
        return Denied(reason, reason)
    best = max(standing, key=lambda consent: (consent.ends_at, consent.consent_id))
    return _unless_conflicted(facts) or Grant(facts.caller, facts.study, best.basis, best.consent_id, best.ends_at)


def closed_to(consent: Consent, person: Person | None, doctor: Doctor | None) -> str:
    """What stands in the way of a live consent; "" for nothing. A freeze closes every basis but an emergency's
    (domain.break_glass says why), and that one ends with the doctor's right to it."""
    if consent.basis == "break_glass":
        return "break_glass_suspended" if doctor is not None and doctor.break_glass_suspended else ""
    return "frozen" if person is not None and person.frozen_at is not None else ""


def _is_callers(consent: Consent, caller: Caller) -> bool:
    return consent.doctor_id == caller.subject and consent.hospital_id == caller.hospital_id


def _unless_closed(facts: Facts) -> Denied | None:
    """What stands above a person's and a guardian's own right. Told openly: only who may read otherwise gets here."""
    if facts.person is not None and facts.person.frozen_at is not None:
        return Denied("frozen", "frozen")
    return _unless_conflicted(facts)


def _unless_conflicted(facts: Facts) -> Denied | None:
    """Not in an emergency either: it may be another patient's."""
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
