"""Who an identity is, said by a desk that saw the card (RegisterPatient) or by a notice (LinkFromNotice)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.identity import (
    IdentityKey,
    Link,
    LinkStatus,
    PatientDetails,
    Person,
    is_placeholder,
    normal_date,
    normal_sex,
    person_of,
)
from chalicelib.domain.linking import (
    Evidence,
    LinkChange,
    RegistrationRefused,
    link_at_desk,
    link_from_notice,
    name_at_desk,
)
from chalicelib.domain.names import names_conflict
from chalicelib.domain.national_id import BadNationalId, NationalId, read_national_id
from chalicelib.domain.phone import (
    PhoneChange,
    SeenAtDesk,
    masked_phone,
    normal_phone,
    opens_all,
    unheard,
    with_desk_phone,
)
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import People, Randomness
from chalicelib.services.ports import Mac
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.tell_person import TellOfPhone, TellPerson

ATTEMPTS = 5


class Contended(Exception):  # noqa: N818 - the fact is the name
    """Others wrote the same item each time we tried. Ours to repeat: the trigger retries."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What a desk is told. `phone` is masked; "" where the person has no verified phone. While `phone_waits` it opens
    only the hospitals that saw it, at the latest until `phone_opens_at` where a wait ends by itself.
    `name_differs`: the person keeps another name than this desk's."""

    person_id: str
    identity: IdentityKey
    status: LinkStatus
    phone: str
    phone_waits: bool = False
    phone_opens_at: datetime | None = None
    name_differs: bool = False


@dataclass(frozen=True, slots=True)
class RegisterPatient:
    """A desk clerk with a card reader: the person behind the card, their identity here, and their verified phone.

    What a number set here may open is said by `domain.phone`; who could object is told. Raises RegistrationRefused
    (audited), AuditFailed, Contended. The national id is hashed and forgotten.
    """

    people: People
    mac: Mac
    tell_person: TellPerson
    tell_of_phone: TellOfPhone
    record: RecordDecision

    def __call__(self, caller: Caller, patient: PatientDetails, now: datetime) -> Registered:
        try:
            national_id = _checked(patient, now)
            person_id = person_of(self.mac("national_id", national_id.number))
            return self._register(caller, patient, Evidence(person_id, national_id, clerk=caller.subject), now)
        except RegistrationRefused as refused:
            self.record.note(caller, "register_patient", refused.reason, now)
            raise

    def _register(self, caller: Caller, patient: PatientDetails, evidence: Evidence, now: datetime) -> Registered:
        identity = IdentityKey(caller.hospital_id, patient.patient_id.strip())
        phone = normal_phone(patient.phone)
        phone_key = self.mac("phone", phone).hex() if phone else ""
        heard: bool | None = None  # one round of SMS, however often a race is lost
        for _ in range(ATTEMPTS):
            former = self.people.link(identity)
            link = link_at_desk(former, identity, patient, evidence, now)
            known = self.people.person(evidence.person_id) or Person(evidence.person_id)
            links = self.people.links(evidence.person_id)
            name = name_at_desk(known.name, link, links)
            person = replace(known, name=name, sex=link.sex, birth_date=link.birth_date)
            seen = SeenAtDesk(phone, caller.hospital_id, caller.subject, self._holder(phone_key))
            change = with_desk_phone(person, seen, links, now) if phone else PhoneChange(person)
            reason = f"phone_{change.person.phone_rule}" if change.person.phone_set_at == now else "desk"
            self.record.allow(caller, "register_patient", reason, now, About(person.person_id))
            if change.to_tell and heard is None:
                heard = self.tell_of_phone(change, caller, now)
            if heard is False:
                change = unheard(change)
            if self.people.save(LinkChange(link, former, change.person, phone_key)):
                self._tell(caller, Linking(former, link), change, seen, now)
                return _registered(link, change.person, now)
        raise Contended

    def _holder(self, phone_key: str) -> str:
        return self.people.phone_holder(phone_key) if phone_key else ""

    def _tell(self, caller: Caller, linking: Linking, change: PhoneChange, seen: SeenAtDesk, now: datetime) -> None:
        former, link = linking.former, linking.link
        if former is None or (former.person_id, former.status) != (link.person_id, link.status):
            self.tell_person(link.person_id, "identity_linked", caller, now)
        if former is not None and former.person_id != link.person_id and former.by_national_id:
            self.tell_person(former.person_id, "identity_unlinked", caller, now)
        if names_conflict(change.person.name, link.names[0]):
            self.tell_person(link.person_id, "name_differs", caller, now)
        if change.person.phone_set_at == now:
            self.tell_person(link.person_id, "phone_new", caller, now)
        if seen.number and seen.holder_id not in ("", link.person_id):
            self.tell_person(seen.holder_id, "phone_lapsed", caller, now)


@dataclass(frozen=True, slots=True)
class Linking:
    """A link before and after."""

    former: Link | None
    link: Link


@dataclass(frozen=True, slots=True)
class LinkFromNotice:
    """The patient part of a notice: who its identity may be. Gives nothing before it is confirmed (DESIGN §5).

    The link as it stands afterwards; None for a placeholder id or name. A national id that is not valid counts as
    absent. Only a change is written and audited. Raises AuditFailed, Contended.
    """

    people: People
    mac: Mac
    random: Randomness
    record: RecordDecision

    def __call__(self, hospital_id: str, patient: PatientDetails, now: datetime) -> Link | None:
        identity = IdentityKey(hospital_id, patient.patient_id.strip())
        if is_placeholder(identity.local_id, patient.name):
            return None
        evidence = self._evidence(patient, now)
        caller = Caller("hospital", hospital_id, hospital_id)
        for _ in range(ATTEMPTS):
            former = self.people.link(identity)
            linked = link_from_notice(former, identity, patient, evidence, now)
            if linked.link == former and linked.reason == "known":
                return linked.link
            self.record.allow(caller, "link_from_notice", linked.reason, now, About(linked.link.person_id))
            if linked.link == former or self.people.save(LinkChange(linked.link, former)):
                return linked.link
        raise Contended

    def _evidence(self, patient: PatientDetails, now: datetime) -> Evidence:
        try:
            national_id = read_national_id(patient.national_id, now)
        except BadNationalId:
            return Evidence(ulid(now, self.random(RANDOM_BYTES)), None)
        person_id = person_of(self.mac("national_id", national_id.number))
        return Evidence(person_id, national_id, self.people.links(person_id))


def _checked(patient: PatientDetails, now: datetime) -> NationalId:
    """What a card reader must have read, agreeing with itself."""
    try:
        national_id = read_national_id(patient.national_id, now)
    except BadNationalId as bad:
        raise RegistrationRefused(f"national_id_{bad.reason}") from None
    if is_placeholder(patient.patient_id, patient.name):
        raise RegistrationRefused("placeholder")
    if not patient.name.strip():
        raise RegistrationRefused("name_missing")
    if patient.birth_date and normal_date(patient.birth_date) != national_id.birth_date:
        raise RegistrationRefused("birth_date_differs")
    if patient.sex and normal_sex(patient.sex) != national_id.sex:
        raise RegistrationRefused("sex_differs")
    if patient.phone.strip() and not normal_phone(patient.phone):
        raise RegistrationRefused("phone")
    return national_id


def _registered(link: Link, person: Person, now: datetime) -> Registered:
    phone = masked_phone(person.phone)
    waits = bool(phone) and not opens_all(person, now)
    opens_at = person.phone_opens_at if waits else None
    differs = names_conflict(person.name, link.names[0])
    return Registered(person.person_id, link.identity, link.status, phone, waits, opens_at, differs)
