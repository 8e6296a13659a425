"""Undoing a wrong link: by the person in their app, by a desk or a privacy officer of the identity's hospital."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.identity import IdentityKey, Link
from chalicelib.domain.in_app import InAppKind
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.ulid import RANDOM_BYTES, ulid
from chalicelib.domain.unlinking import Because, Step, UnlinkRefused, contest, relink, unlink
from chalicelib.services.access_ports import People, Randomness
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended
from chalicelib.services.tell_person import TellPerson

CONTEST = "contest_identity"
_BECAUSE: Mapping[str, Because] = {"desk_clerk": "desk", "privacy_officer": "privacy_officer"}
_TOLD: Mapping[Step, InAppKind] = {
    "contest": "identity_contested",
    "unlink": "identity_unlinked",
    "relink": "identity_relinked",
}


@dataclass(frozen=True, slots=True)
class ContestIdentity:
    """A person says that a hospital's identity is not theirs. It gives nothing to anybody from then on; doing so twice
    changes nothing. Raises AccessDenied (no_grant for what is not linked to them), AuditFailed, Contended."""

    own_account: OwnAccount
    people: People
    tell_person: TellPerson
    record: RecordDecision

    def __call__(self, caller: Caller, identity: IdentityKey, now: datetime) -> Link:
        person = self.own_account(caller, CONTEST, now)
        about = About(person.person_id)
        for _ in range(ATTEMPTS):
            link = self.people.link(identity)
            if link is None or link.person_id != person.person_id:
                self.record.deny(caller, CONTEST, Denied("no_grant", "not_own_identity"), now, about)
            if link.status == "contested":
                self.record.allow(caller, CONTEST, "again", now, about)
                return link
            changed = contest(link, "person", caller.subject)
            self.record.allow(caller, CONTEST, "person", now, about)
            if self.people.save(LinkChange(changed, link)):
                self.tell_person(person.person_id, "identity_contested", caller, now)
                return changed
        raise Contended


@dataclass(frozen=True, slots=True)
class UndoLink:
    """A desk or a privacy officer of the identity's hospital contests, unlinks or (an officer) gives back. No study
    moves. Raises UnlinkRefused (audited; unknown_identity too), AuditFailed, Contended."""

    people: People
    tell_person: TellPerson
    random: Randomness
    record: RecordDecision

    def contest(self, caller: Caller, patient_id: str, now: datetime) -> Link:
        because = _BECAUSE[caller.role]
        return self._change(caller, "contest", patient_id, now, lambda link: contest(link, because, caller.subject))

    def unlink(self, caller: Caller, patient_id: str, now: datetime) -> Link:
        nobody = ulid(now, self.random(RANDOM_BYTES))
        return self._change(caller, "unlink", patient_id, now, lambda link: unlink(link, nobody, caller.subject, now))

    def relink(self, caller: Caller, patient_id: str, person_id: str, now: datetime) -> Link:
        def back(link: Link) -> Link:
            return relink(link, self.people.history(link.identity), person_id, caller.subject, now)

        return self._change(caller, "relink", patient_id, now, back)

    def history(self, caller: Caller, patient_id: str, now: datetime) -> tuple[Link, ...]:
        """What the identity's link is and was, newest first; nothing for an unknown one."""
        identity = IdentityKey(caller.hospital_id, patient_id.strip())
        link = self.people.link(identity)
        about = About(link.person_id if link else "")
        self.record.allow(caller, "read_link_history", _BECAUSE[caller.role], now, about)
        return (link, *reversed(self.people.history(identity))) if link else ()

    def _change(
        self, caller: Caller, step: Step, patient_id: str, now: datetime, change: Callable[[Link], Link]
    ) -> Link:
        action = f"{step}_identity"
        for _ in range(ATTEMPTS):
            link = self.people.link(IdentityKey(caller.hospital_id, patient_id.strip()))
            if link is None:
                self.record.note(caller, action, "unknown_identity", now)
                raise UnlinkRefused("unknown_identity")
            try:
                changed = change(link)
            except UnlinkRefused as refused:
                self.record.note(caller, action, refused.reason, now, About(link.person_id))
                raise
            # Whom it concerns: who loses it, or for a relink who gets it back
            concerned = changed.person_id if step == "relink" else link.person_id
            self.record.allow(caller, action, _BECAUSE[caller.role], now, About(concerned))
            if self.people.save(LinkChange(changed, link)):
                self.tell_person(concerned, _TOLD[step], caller, now)
                return changed
        raise Contended
