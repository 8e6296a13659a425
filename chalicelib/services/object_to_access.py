from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Basis, Caller
from chalicelib.domain.consent import Consent, Denied
from chalicelib.domain.identity import person_of
from chalicelib.domain.national_id import BadNationalId, read_national_id
from chalicelib.domain.review import Review, ReviewKind, objected
from chalicelib.services.access_ports import Consents
from chalicelib.services.exception_ports import Reviews
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.ports import Mac
from chalicelib.services.prove_guardian import Card
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended
from chalicelib.services.tell_of_access import TellOfAccess

ACTION = "object_to_access"
KINDS: dict[Basis, ReviewKind] = {"assisted": "assisted", "break_glass": "break_glass"}


@dataclass(frozen=True, slots=True)
class ObjectToAccess:
    """A patient says that an access which they did not answer for was wrong: it ends at once, and the hospital's
    officer has it on the list again. What they answered for themself they revoke. A frozen person may object.

    Objecting twice changes nothing. Raises AccessDenied (session_ended; no_grant for any other consent), AuditFailed,
    Contended; what it takes away is taken even then.
    """

    own_account: OwnAccount
    consents: Consents
    reviews: Reviews
    tell: TellOfAccess
    mac: Mac
    record: RecordDecision

    def __call__(self, caller: Caller, consent_id: str, text: str, now: datetime) -> Review:
        person = self.own_account(caller, ACTION, now)
        return self._object(caller, person.person_id, consent_id, text, now)

    def at_desk(self, caller: Caller, card: Card, consent_id: str, text: str, now: datetime) -> Review:
        """For who has neither phone nor app: any hospital's desk with the card in the reader. Raises AccessDenied
        (card_refused) too. The number is hashed and forgotten."""
        try:
            number = read_national_id(card.national_id, now).number
        except BadNationalId:
            self.record.deny(caller, ACTION, Denied("card_refused", "card_unreadable"), now)
        return self._object(caller, person_of(self.mac("national_id", number)), consent_id, text, now)

    def _object(self, caller: Caller, person_id: str, consent_id: str, text: str, now: datetime) -> Review:
        given = self.consents.of_person(person_id)
        consent = next((one for one in given if one.consent_id == consent_id and one.basis in KINDS), None)
        if consent is None:
            self.record.deny(caller, ACTION, Denied("no_grant", "unknown_consent"), now, About(person_id))
        if consent.revoked_at is None:
            self.consents.revoke(consent, now)
        about = About(person_id, None, consent.encounter_id, consent.basis, consent.consent_id)
        self.record.allow(caller, ACTION, "objected", now, about)
        for _ in range(ATTEMPTS):
            review = self.reviews.get(consent.hospital_id, consent.consent_id) or _unreviewed(consent)
            after = objected(review, text, now)
            if review.objected_at is not None or self.reviews.put(after):
                self.tell.in_app(consent, "objection_taken", now)
                return after
        raise Contended


def _unreviewed(consent: Consent) -> Review:
    """Only if the review were lost: an objection is never."""
    return Review(
        review_id=consent.consent_id,
        kind=KINDS[consent.basis],
        hospital_id=consent.hospital_id,
        doctor_id=consent.doctor_id,
        opened_at=consent.granted_at,
        person_id=consent.person_id,
        encounter_id=consent.encounter_id,
    )
