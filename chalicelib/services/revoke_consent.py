from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Consent, Denied
from chalicelib.services.access_ports import Consents
from chalicelib.services.act_as import ActAs
from chalicelib.services.record_decision import About, RecordDecision

ACTION = "revoke_consent"


@dataclass(frozen=True, slots=True)
class RevokeConsent:
    """A person, or their guardian, takes a consent back. It stands at once; links signed before it live five
    minutes at most.

    Revoking twice changes nothing. Raises AccessDenied (no_grant for a consent that is not the caller's or none) or
    AuditFailed; the revocation, which only takes away, stands even then.
    """

    act_as: ActAs
    consents: Consents
    record: RecordDecision

    def __call__(self, caller: Caller, consent_id: str, now: datetime, ward: str = "") -> Consent:
        acting = self.act_as(caller, ACTION, now, ward)
        about = About(acting.person.person_id, guardian_id=acting.guardian_id)
        consents = self.consents.of_person(acting.person.person_id)
        consent = next((one for one in consents if one.consent_id == consent_id), None)
        if consent is None:
            self.record.deny(caller, ACTION, Denied("no_grant", "unknown_consent"), now, about)
        revoked = self.consents.revoke(consent, now)
        about = replace(about, encounter_id=consent.encounter_id, basis=consent.basis, consent_id=consent.consent_id)
        self.record.allow(caller, ACTION, "revoked", now, about)
        self.act_as.tell(acting, "guardian_revoked", now, consent_id=consent.consent_id)
        return revoked
