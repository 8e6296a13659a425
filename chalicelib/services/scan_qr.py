from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from chalicelib.domain.access import Caller, Purpose
from chalicelib.domain.code import WRONG_QR_PER_DOCTOR, counter
from chalicelib.domain.consent import CONSENT_LIVES, Consent, Denied
from chalicelib.domain.consent_notice import QR_NOTICE
from chalicelib.domain.guardian import Guardianship, needs_guardian
from chalicelib.domain.identity import Link
from chalicelib.domain.qr import ShownQr, qr_key
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Consents, Counters, Guardians, People, Qrs, Randomness
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.resolve_studies import ResolveStudies

ACTION = "scan_qr"


class QrRefused(Exception):  # noqa: N818 - the fact is the name
    """Not a QR that opens anything here: expired, shown before, another person's, none at all, or too many of those
    scanned. Which, is not told."""


class IdentityUnlinked(Exception):  # noqa: N818 - the fact is the name
    """The QR is good, but no desk has said who this hospital's patient is. A phone in the room cannot: else whoever
    stands beside the patient lends the visit their own record. The desk links, and a new QR is shown."""


@dataclass(frozen=True, slots=True)
class ScanQr:
    """The QR that the patient of an open visit shows becomes a consent over the studies that exist now.

    It is spent by the first scan, whatever follows. Raises QrRefused, IdentityUnlinked, AccessDenied
    (doctor_inactive, session_ended, no_encounter) or AuditFailed (then there is no consent).
    """

    find_visit: FindVisit
    people: People
    guardians: Guardians
    consents: Consents
    counters: Counters
    qrs: Qrs
    resolve: ResolveStudies
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, encounter_id: str, qr: str, purpose: Purpose, now: datetime) -> Consent:
        visit = self.find_visit(caller, encounter_id, now)
        if isinstance(visit, Denied):
            self.record.deny(caller, ACTION, visit, now, About(encounter_id=encounter_id))
        scans = counter(WRONG_QR_PER_DOCTOR, caller.subject, now)
        if self.counters.take(scans) is None:
            self._refuse(caller, visit, "qr_limit", now)
        key = qr_key(qr)
        shown = self.qrs.spend(key, now) if key else None
        if shown is None:
            self._refuse(caller, visit, "qr_unknown", now)
        link = visit.link
        if link is None or link.status != "confirmed":
            self.record.note(caller, ACTION, "identity_unlinked", now, _about(visit))
            raise IdentityUnlinked
        if link.person_id != shown.person_id:
            self._refuse(caller, visit, "qr_foreign", now)
        held = self.guardians.get(shown.person_id, shown.given_by) if shown.given_by else None
        if not self._still_answers(shown, link, held, now):
            self._refuse(caller, visit, "qr_withdrawn", now)
        consent = self._consent(caller, visit, shown, purpose, now)
        if not self.consents.put(consent, held):
            self._refuse(caller, visit, "qr_withdrawn", now)
        self.counters.give_back(scans)
        return consent

    def _still_answers(self, shown: ShownQr, link: Link, held: Guardianship | None, now: datetime) -> bool:
        """The minute since may have brought a freeze, or the guardian's end."""
        person = self.people.person(shown.person_id)
        if person is not None and person.frozen_at is not None:
            return False
        if not shown.given_by:
            return not needs_guardian(person.birth_date if person and person.birth_date else link.birth_date, now)
        guardian = self.people.person(shown.given_by)
        frozen = guardian is not None and guardian.frozen_at is not None
        return held is not None and held.is_live(now) and not frozen

    def _consent(self, caller: Caller, visit: Visit, shown: ShownQr, purpose: Purpose, now: datetime) -> Consent:
        """On record before it is written."""
        encounter = visit.encounter
        consent_id = ulid(now, self.random(RANDOM_BYTES))
        consent = Consent(
            consent_id=consent_id,
            person_id=shown.person_id,
            doctor_id=caller.subject,
            hospital_id=caller.hospital_id,
            encounter_id=encounter.encounter_id,
            basis="dynamic_qr",
            scope="person",
            identity=encounter.identity,
            purpose=purpose,
            notice_version=QR_NOTICE.version,
            studies=self.resolve.of_person(shown.person_id),
            granted_at=now,
            expires_at=now + CONSENT_LIVES["dynamic_qr"].usual,
            given_by=shown.given_by,
        )
        about = About(visit.person_id, None, encounter.encounter_id, "dynamic_qr", consent_id, shown.given_by)
        self.record.allow(caller, ACTION, "consent_person", now, about)
        return consent

    def _refuse(self, caller: Caller, visit: Visit, detail: str, now: datetime) -> NoReturn:
        self.record.note(caller, ACTION, detail, now, _about(visit))
        raise QrRefused


def _about(visit: Visit) -> About:
    return About(visit.person_id, encounter_id=visit.encounter.encounter_id, basis="dynamic_qr")
