"""Guardians as their ward sees them, wards as their guardian does, and what a person was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.in_app import InAppNotice
from chalicelib.domain.page import Page
from chalicelib.services.access_ports import Guardians, InAppNotices
from chalicelib.services.act_as import ActAs
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.record_decision import About, RecordDecision


@dataclass(frozen=True, slots=True)
class SeenGuardianship:
    """A guardianship with the name of the other one, as on the card that a desk read."""

    held: Guardianship
    name: str = field(repr=False)
    is_live: bool


@dataclass(frozen=True, slots=True)
class ReadGuardians:
    """The guardians of a person, or of a guardian's ward, former ones too: who, since when, by which document and desk.
    Raises AccessDenied, AuditFailed."""

    act_as: ActAs
    guardians: Guardians

    def __call__(self, caller: Caller, now: datetime, ward: str = "") -> tuple[SeenGuardianship, ...]:
        person = self.act_as.to_list(caller, "read_guardians", now, ward).person
        held = self.guardians.of_ward(person.person_id)
        return tuple(SeenGuardianship(one, one.guardian_name, one.is_live(now)) for one in held)


@dataclass(frozen=True, slots=True)
class ReadWards:
    """A guardian's wards. Those they may not act for any more, or not yet, stand there without a name.

    On record as the guardian's, not as any ward's. Raises AccessDenied (session_ended, frozen), AuditFailed.
    """

    act_as: ActAs
    guardians: Guardians
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime) -> tuple[SeenGuardianship, ...]:
        denied, about = self.act_as.deny_guardian(caller), About(guardian_id=caller.person_id)
        if denied:
            self.record.deny(caller, "read_wards", denied, now, about)
        self.record.allow(caller, "read_wards", "guardian", now, about)
        held = self.guardians.of_guardian(caller.person_id)
        return tuple(SeenGuardianship(one, one.ward_name if one.is_live(now) else "", one.is_live(now)) for one in held)


@dataclass(frozen=True, slots=True)
class ReadNotices:
    """What a person was told, newest first. Raises AccessDenied, ValueError for a token that is not ours."""

    own_account: OwnAccount
    notices: InAppNotices

    def __call__(self, caller: Caller, now: datetime, token: str = "", limit: int = 50) -> Page[InAppNotice]:
        return self.notices.of_person(self.own_account.to_read(caller, "read_notices", now).person_id, token, limit)
