from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Consent, Denied
from chalicelib.services.access_ports import Consents
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.record_decision import About, RecordDecision

ACTION = "revoke_consent"


@dataclass(frozen=True, slots=True)
class RevokeConsent:
    """A person takes a consent back. It stands at once; links signed before it live five minutes at most.

    Revoking twice changes nothing. Raises AccessDenied (no_grant for a consent that is not the caller's or none) or
    AuditFailed; the revocation, which only takes away, stands even then.
    """

    own_account: OwnAccount
    consents: Consents
    record: RecordDecision

    def __call__(self, caller: Caller, consent_id: str, now: datetime) -> Consent:
        person = self.own_account(caller, ACTION, now)
        consents = self.consents.of_person(person.person_id)
        consent = next((one for one in consents if one.consent_id == consent_id), None)
        if consent is None:
            self.record.deny(caller, ACTION, Denied("no_grant", "unknown_consent"), now, About(person.person_id))
        revoked = self.consents.revoke(consent, now)
        about = About(person.person_id, None, consent.encounter_id, consent.basis, consent.consent_id)
        self.record.allow(caller, ACTION, "revoked", now, about)
        return revoked
