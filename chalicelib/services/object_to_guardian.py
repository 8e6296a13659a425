from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.guardian import Guardianship
from chalicelib.services.access_ports import Guardians
from chalicelib.services.act_as import ActAs
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.prove_guardian import StopGuardian, TellOfGuardian
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended

ACTION = "object_to_guardian"


@dataclass(frozen=True, slots=True)
class ObjectToGuardian:
    """A ward of 14 or older, or an adult, objects: the guardian may do nothing more, and what they consented to is
    taken back, until a desk has both before it. Raises AccessDenied (guardian_needed under 14; no_grant for a
    reference that is none of theirs), AuditFailed, Contended."""

    own_account: OwnAccount
    guardians: Guardians
    stop: StopGuardian
    tell: TellOfGuardian
    record: RecordDecision

    def __call__(self, caller: Caller, guardian: str, now: datetime) -> Guardianship:
        person = self.own_account(caller, ACTION, now)
        about = About(person.person_id, basis="guardian")
        for _ in range(ATTEMPTS):
            held = next((one for one in self.guardians.of_ward(person.person_id) if one.ward == guardian), None)
            if held is None:
                self.record.deny(caller, ACTION, Denied("no_grant", "unknown_guardian"), now, about)
            about = replace(about, guardian_id=held.guardian_id)
            if not held.tells_ward(now):
                self.record.deny(caller, ACTION, Denied("guardian_needed", "under_14"), now, about)
            held = replace(held, objected_at=held.objected_at or now)
            self.record.allow(caller, ACTION, "objected", now, about)
            if self.stop(held, now):
                self.tell(held, "guardian_objected", caller, now)
                return held
        raise Contended


@dataclass(frozen=True, slots=True)
class ObjectForWard:
    """A ward's guardian objects to another one who still waits to count; once that one counts, only the ward or a desk
    can stop them. Raises AccessDenied (no_grant for any other), AuditFailed, Contended."""

    act_as: ActAs
    guardians: Guardians
    stop: StopGuardian
    tell: TellOfGuardian
    record: RecordDecision

    def __call__(self, caller: Caller, guardian: str, now: datetime, ward: str) -> Guardianship:
        acting = self.act_as(caller, ACTION, now, ward)
        about = About(acting.person.person_id, basis="guardian", guardian_id=acting.guardian_id)
        for _ in range(ATTEMPTS):
            others = self.guardians.of_ward(acting.person.person_id)
            held = next((one for one in others if one.ward == guardian and one.waits(now)), None)
            if held is None or held.guardian_id == acting.guardian_id:
                self.record.deny(caller, ACTION, Denied("no_grant", "unknown_guardian"), now, about)
            held = replace(held, objected_at=held.objected_at or now)
            self.record.allow(caller, ACTION, "objected", now, about)
            if self.stop(held, now):
                self.tell(held, "guardian_objected", caller, now)
                return held
        raise Contended
