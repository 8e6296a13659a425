from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied, deny_guardianship, deny_person
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.identity import Person
from chalicelib.domain.in_app import InAppKind, InAppNotice
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.services.access_ports import Guardians, InAppNotices, People, Randomness
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.record_decision import About, RecordDecision


@dataclass(frozen=True, slots=True)
class Acting:
    """Whose things these are, and by what right somebody else acts for them."""

    person: Person
    guardianship: Guardianship | None = None

    @property
    def guardian_id(self) -> str:
        return self.guardianship.guardian_id if self.guardianship else ""


@dataclass(frozen=True, slots=True)
class ActAs:
    """A person on their own things, or a guardian on those of the ward they name by its reference.

    Raises AccessDenied (session_ended, frozen, guardianship_ended; no_grant for whoever is neither) or AuditFailed.
    """

    own_account: OwnAccount
    people: People
    guardians: Guardians
    notices: InAppNotices
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, action: str, now: datetime, ward: str = "") -> Acting:
        if caller.role != "guardian":
            return Acting(self.own_account(caller, action, now))
        held = self.guardians.by_reference(caller.person_id, ward) if caller.person_id and ward else None
        denied = self.deny_guardian(caller) or (
            deny_guardianship(held, now) if held else Denied("no_grant", "unknown_ward")
        )
        if denied:
            about = About(held.ward_id if held else "", basis="guardian", guardian_id=caller.person_id)
            self.record.deny(caller, action, denied, now, about)
        assert held is not None  # noqa: S101 - for the type checker: without one it was denied
        return Acting(self.people.person(held.ward_id) or Person(held.ward_id), held)

    def to_read(self, caller: Caller, action: str, now: datetime, ward: str = "") -> Acting:
        """The same for reading what the record holds: on record, and a guardian's ward is told."""
        acting = self.to_list(caller, action, now, ward)
        self.tell(acting, "guardian_read", now)
        return acting

    def to_list(self, caller: Caller, action: str, now: datetime, ward: str = "") -> Acting:
        """The same for what a guardian must look at to act at all, requests and guardians: on record, untold."""
        if caller.role != "guardian":
            return Acting(self.own_account.to_read(caller, action, now))
        acting = self(caller, action, now, ward)
        about = About(acting.person.person_id, basis="guardian", guardian_id=acting.guardian_id)
        self.record.allow(caller, action, "guardian", now, about)
        return acting

    def tell(
        self, acting: Acting, kind: InAppKind, now: datetime, *, consent_id: str = "", study: StudyRef | None = None
    ) -> None:
        """Tell the ward what their guardian does, from 14 on."""
        held = acting.guardianship
        if held is None or not held.tells_ward(now):
            return
        notice_id = ulid(now, self.random(RANDOM_BYTES))
        self.notices.tell(
            InAppNotice(
                notice_id,
                held.ward_id,
                now,
                kind,
                guardian_id=held.guardian_id,
                consent_id=consent_id,
                study=study,
            )
        )

    def deny_guardian(self, caller: Caller) -> Denied | None:
        """Whether the guardian's own account forbids everything: ended, or frozen as not theirs any more."""
        guardian = self.people.person(caller.person_id) if caller.person_id else None
        if guardian is not None and guardian.frozen_at is not None:
            return Denied("frozen", "guardian_frozen")
        return deny_person(caller, guardian)
