"""Legal holds: what they are over is not destroyed, whatever was approved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.disposal import Approver, Hold
from chalicelib.domain.page import Page
from chalicelib.domain.study import StudyRef
from chalicelib.services.disposal_ports import Holds, Plans
from chalicelib.services.ports import Studies
from chalicelib.services.record_decision import About, RecordDecision

PLACE, LIFT, READ = "place_hold", "lift_hold", "read_holds"
PAGE = 100


class UnknownHold(Exception):  # noqa: N818 - the fact
    """There is no such hold at that hospital."""


@dataclass(frozen=True, slots=True)
class Over:
    """One study of a hospital, or one of its numbers of a patient; the other is ""."""

    hospital_id: str
    study_instance_uid: str = ""
    patient_id: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """`is_known`: whether there is anything that it is over: else a number was mistyped, or it is yet to come.
    `is_late`: the study is destroyed, or being so, and the hold may come too late."""

    hold: Hold
    is_known: bool
    is_late: bool


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """A privacy officer at their own hospital, or the commission at any. Over what is not known too: it may come yet.

    Raises AuditFailed; AccessDenied (placed_above) where the commission placed what an officer would lift.
    """

    holds: Holds
    studies: Studies
    plans: Plans
    record: RecordDecision
    new_id: Callable[[datetime], str]

    def place(self, caller: Caller, over: Over, reason: str, now: datetime) -> Placed:
        """Whoever destroys says so first and looks for holds last, and here it is the other way round: one of both sees
        the other."""
        ref = StudyRef(over.hospital_id, over.study_instance_uid)
        study = ref if over.study_instance_uid else None
        self.record.allow(caller, PLACE, _where(caller, over.hospital_id), now, About(study=study))
        role = cast(Approver, caller.role)
        named = (over.hospital_id, over.study_instance_uid, over.patient_id)
        hold = Hold(self.new_id(now), *named, reason, caller.subject, role, now)
        self.holds.put(hold)
        if study is None:
            found = self.studies.timeline(over.hospital_id, over.patient_id, "", 1)
            return Placed(hold, is_known=bool(found.items), is_late=False)
        summary = self.studies.summary(study)
        is_destroyed = summary is not None and summary.state == "destroyed"
        return Placed(hold, summary is not None, is_destroyed or self.plans.get(study) is not None)

    def lift(self, caller: Caller, hospital_id: str, hold_id: str, reason: str, now: datetime) -> Hold:
        """The hold as it is lifted; a first lifting keeps its time. Raises UnknownHold."""
        hold = self.holds.get(hospital_id, hold_id)
        if hold is None:
            self.record.note(caller, LIFT, "unknown_hold", now)
            raise UnknownHold
        about = About(study=StudyRef(hospital_id, hold.study_instance_uid) if hold.study_instance_uid else None)
        if not hold.may_lift(caller.role):
            self.record.deny(caller, LIFT, Denied("placed_above", "placed_above"), now, about)
        self.record.allow(caller, LIFT, _where(caller, hospital_id), now, about)
        if hold.lifted_at is None:
            lifted = replace(hold, lifted_by=caller.subject, lifted_reason=reason, lifted_at=now)
            if self.holds.lift(lifted):
                return lifted
        return self.holds.get(hospital_id, hold_id) or hold

    def list(self, caller: Caller, hospital_id: str, token: str, now: datetime) -> Page[Hold]:
        """Newest first. ValueError for a token that is not ours."""
        self.record.allow(caller, READ, _where(caller, hospital_id), now)
        return self.holds.of_hospital(hospital_id, token, PAGE)


def _where(caller: Caller, hospital_id: str) -> str:
    """What lets them: their own hospital, or the hospital that somebody of the province names."""
    return "own_hospital" if caller.hospital_id else hospital_id
