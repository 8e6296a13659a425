"""A desk makes somebody a guardian, or ends it; both cards are read, the numbers hashed and forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.code import GUARDIAN_NOTICES, counter
from chalicelib.domain.guardian import Document, GuardianRefused, Guardianship, Proof, WardKind, proven
from chalicelib.domain.identity import person_of
from chalicelib.domain.in_app import InAppKind, InAppNotice
from chalicelib.domain.names import names_conflict
from chalicelib.domain.national_id import BadNationalId, NationalId, read_national_id
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Consents, Counters, Guardians, InAppNotices, People, Randomness
from chalicelib.services.ports import Mac, Sms
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended

PROVE = "prove_guardian"
END = "end_guardian"


@dataclass(frozen=True, slots=True)
class Card:
    """What a reader read. `name` "" where it is not needed."""

    national_id: str = field(repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who says to be whose guardian, by which document; whether the ward stands at the desk too."""

    ward: Card
    guardian: Card
    kind: WardKind
    document: Document
    ward_present: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A card's person: the id that its number hashes to, and the checked number."""

    person_id: str
    national_id: NationalId


@dataclass(frozen=True, slots=True)
class ReadCard:
    """The person behind a card. Raises GuardianRefused ({whose}_national_id_…, name_differs)."""

    people: People
    mac: Mac

    def __call__(self, card: Card, whose: str, now: datetime) -> Known:
        try:
            national_id = read_national_id(card.national_id, now)
        except BadNationalId as bad:
            raise GuardianRefused(f"{whose}_national_id_{bad.reason}") from None
        person_id = person_of(self.mac("national_id", national_id.number))
        person = self.people.person(person_id)
        if person is not None and person.name and card.name and names_conflict(person.name, card.name):
            raise GuardianRefused("name_differs")
        return Known(person_id, national_id)


@dataclass(frozen=True, slots=True)
class TellOfGuardian:
    """Ward, guardian and the ward's other guardians learn of what a desk, a ward or one of them did, in the app; of a
    new guardian by SMS too, for a clerk who makes one up hopes that nobody looks into the app."""

    people: People
    guardians: Guardians
    notices: InAppNotices
    counters: Counters
    sms: Sms
    random: Randomness

    def __call__(self, held: Guardianship, kind: InAppKind, caller: Caller, now: datetime) -> None:
        others = {one.guardian_id for one in self.guardians.of_ward(held.ward_id) if one.is_live(now)}
        for person_id in sorted({held.ward_id, held.guardian_id} | others):
            notice_id = ulid(now, self.random(RANDOM_BYTES))
            notice = InAppNotice(notice_id, person_id, now, kind, caller.hospital_id, caller.subject, held.guardian_id)
            self.notices.tell(notice)
        if kind == "guardian_proven" and self.counters.take(counter(GUARDIAN_NOTICES, held.ward_id, now)) is not None:
            for phone in sorted(self._phones(held, others)):
                self.sms.send(phone, "guardian_new", {})

    def _phones(self, held: Guardianship, others: set[str]) -> set[str]:
        """The verified ones of ward and other guardians, and those that hospitals who know the ward have: a child's are
        their parents'. The message names nobody."""
        people = [self.people.person(person_id) for person_id in {held.ward_id} | others - {held.guardian_id}]
        phones = {person.phone for person in people if person is not None}
        phones |= {link.phone for link in self.people.links(held.ward_id) if link.status == "confirmed"}
        return phones - {""}


@dataclass(frozen=True, slots=True)
class ProveGuardian:
    """A desk clerk with both cards and a document. Repeating renews. The ward is told, whatever their age, and the
    guardians they have already. Raises GuardianRefused (audited), AuditFailed, Contended."""

    read_card: ReadCard
    guardians: Guardians
    tell: TellOfGuardian
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, claim: Claim, now: datetime) -> Guardianship:
        about = About(basis="guardian")
        try:
            ward = self.read_card(claim.ward, "ward", now)
            about = replace(about, person_id=ward.person_id)
            guardian = self.read_card(claim.guardian, "guardian", now)
            about = replace(about, guardian_id=guardian.person_id)
            others = self.guardians.of_ward(ward.person_id)
            has_another = any(one.is_live(now) for one in others if one.guardian_id != guardian.person_id)
            proof = replace(_proof(caller, claim, ward, guardian), has_another=has_another)
            return self._prove(caller, proof, about, now)
        except GuardianRefused as refused:
            self.record.note(caller, PROVE, refused.reason, now, about)
            raise

    def _prove(self, caller: Caller, proof: Proof, about: About, now: datetime) -> Guardianship:
        for _ in range(ATTEMPTS):
            former = self.guardians.get(proof.ward_id, proof.guardian_id)
            held = proven(former, proof, ulid(now, self.random(RANDOM_BYTES)), now)
            self.record.allow(caller, PROVE, f"{'renewed' if former else 'new'}_{proof.document}", now, about)
            if self.guardians.put(held):
                self.tell(held, "guardian_proven", caller, now)
                return held
        raise Contended


def _proof(caller: Caller, claim: Claim, ward: Known, guardian: Known) -> Proof:
    return Proof(
        ward_id=ward.person_id,
        ward=ward.national_id,
        guardian_id=guardian.person_id,
        guardian=guardian.national_id,
        kind=claim.kind,
        document=claim.document,
        hospital_id=caller.hospital_id,
        proven_by=caller.subject,
        ward_present=claim.ward_present,
        ward_name=claim.ward.name,
        guardian_name=claim.guardian.name,
    )


@dataclass(frozen=True, slots=True)
class StopGuardian:
    """What an end and an objection have in common: the guardianship stops, and the consents given by it with it."""

    guardians: Guardians
    consents: Consents

    def __call__(self, held: Guardianship, now: datetime) -> bool:
        """False when someone else wrote the guardianship since. Stopping twice changes nothing more."""
        if not self.guardians.put(held):
            return False
        for consent in self.consents.of_person(held.ward_id):
            if consent.given_by == held.guardian_id and consent.is_live(now):
                self.consents.revoke(consent, now)
        return True


@dataclass(frozen=True, slots=True)
class EndGuardian:
    """A desk ends a guardianship, say after a court's decision. Raises GuardianRefused (unknown_guardian),
    AuditFailed, Contended."""

    read_card: ReadCard
    guardians: Guardians
    stop: StopGuardian
    tell: TellOfGuardian
    record: RecordDecision

    def __call__(self, caller: Caller, ward: Card, guardian: Card, now: datetime) -> Guardianship:
        ids = self._cards(caller, ward, guardian, now)
        about = About(ids[0], basis="guardian", guardian_id=ids[1])
        for _ in range(ATTEMPTS):
            held = self.guardians.get(*ids)
            if held is None:
                self.record.note(caller, END, "unknown_guardian", now, about)
                raise GuardianRefused("unknown_guardian")
            held = replace(held, ended_at=held.ended_at or now)
            self.record.allow(caller, END, "ended", now, about)
            if self.stop(held, now):
                self.tell(held, "guardian_ended", caller, now)
                return held
        raise Contended

    def _cards(self, caller: Caller, ward: Card, guardian: Card, now: datetime) -> tuple[str, str]:
        """The persons behind the cards. What does not agree is on record: else names could be tried on a number."""
        try:
            return self.read_card(ward, "ward", now).person_id, self.read_card(guardian, "guardian", now).person_id
        except GuardianRefused as refused:
            self.record.note(caller, END, refused.reason, now, About(basis="guardian"))
            raise
