from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.guardian import needs_guardian
from chalicelib.domain.qr import QR_BYTES, QR_LIFE, ShownQr, qr_key, qr_text
from chalicelib.services.access_ports import People, Qrs, Randomness
from chalicelib.services.act_as import ActAs, Acting
from chalicelib.services.record_decision import About, RecordDecision

ACTION = "show_qr"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the phone draws, and when it must draw another."""

    text: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ShowQr:
    """A person, or a guardian for their ward, lets their phone show a QR for the doctor in front of them to scan.

    Raises AccessDenied (guardian_needed for a child under 14, frozen, session_ended, guardianship_ended), AuditFailed.
    """

    act_as: ActAs
    people: People
    qrs: Qrs
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime, ward: str = "") -> Shown:
        acting = self.act_as(caller, ACTION, now, ward)
        about = About(acting.person.person_id, basis="dynamic_qr", guardian_id=acting.guardian_id)
        if acting.person.frozen_at is not None:
            self.record.deny(caller, ACTION, Denied("frozen", "frozen"), now, about)
        if acting.guardianship is None and self._is_child(acting, now):
            self.record.deny(caller, ACTION, Denied("guardian_needed", "under_14"), now, about)
        self.record.allow(caller, ACTION, "shown", now, about)
        text = qr_text(self.random(QR_BYTES))
        self.qrs.show(ShownQr(qr_key(text), acting.person.person_id, now + QR_LIFE, acting.guardian_id))
        return Shown(text, now + QR_LIFE)

    def _is_child(self, acting: Acting, now: datetime) -> bool:
        """By their card, or by what any of their identities says of them."""
        if acting.person.birth_date:
            return needs_guardian(acting.person.birth_date, now)
        links = self.people.links(acting.person.person_id)
        return any(needs_guardian(link.birth_date, now) for link in links)
