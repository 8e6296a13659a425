"""The execution of an approved proposal: run by an operator's own function, study by study, and again after a crash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from chalicelib.domain.access import Caller
from chalicelib.domain.destruction import certificate, digest, last_at, tombstone
from chalicelib.domain.destruction_page import page
from chalicelib.domain.disposal import Disposal, Item, Outcome, State, Verdict
from chalicelib.domain.human_facts import amendment_body, fact_key
from chalicelib.domain.in_app import InAppNotice
from chalicelib.domain.study import StudyRef
from chalicelib.services.plan_destruction import planned_of
from chalicelib.services.record_decision import About

if TYPE_CHECKING:
    from chalicelib.domain.destruction import Plan
    from chalicelib.services.access_ports import InAppNotices
    from chalicelib.services.disposal_ports import DerivedRemains, Disposals, Plans, Remains, Shredder
    from chalicelib.services.judge_disposal import JudgeDisposal
    from chalicelib.services.ledger_ports import ComplianceReports
    from chalicelib.services.plan_destruction import PlanDestruction
    from chalicelib.services.ports import Clock, Hospitals, Studies, Uploads
    from chalicelib.services.record_decision import RecordDecision

BY: Final = "dispose"  # who the audit says it was: the function, for the people stand in the proposal


class NotApproved(Exception):  # noqa: N818 - the fact
    """It is not approved by both, or not any more."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


class DestroyedMeanwhile(Exception):  # noqa: N818 - the fact
    """Somebody else runs this proposal: one of both begins again."""


@dataclass(frozen=True, slots=True)
class Disposed:
    """How far it came. Not `done`: run it again."""

    disposal_id: str
    destroyed: int
    spared: int
    left: int
    done: bool
    certificate: str = ""


@dataclass(frozen=True)
class DestroyStudies:
    """For each study: the plan is written, then the study is judged for the last time, then its tombstone; from there
    on there is no way back, and whoever comes again goes on from the plan. The tombstone lies in the bucket before the
    first version is deleted, so that no rebuild brings the study back.

    Raises NotApproved, DestroyedMeanwhile, AuditFailed.
    """

    disposals: Disposals
    judge: JudgeDisposal
    plan: PlanDestruction
    plans: Plans
    studies: Studies
    uploads: Uploads
    settle: Callable[[StudyRef, datetime], object]
    shredder: Shredder
    remains: Remains
    derived: DerivedRemains
    notices: InAppNotices
    hospitals: Hospitals
    reports: ComplianceReports
    record: RecordDecision
    clock: Clock

    def __call__(self, hospital_id: str, disposal_id: str, keep_going: Callable[[], bool]) -> Disposed | None:
        """None for a proposal that is not known."""
        found = self.disposals.get(hospital_id, disposal_id)
        if found is None:
            return None
        disposal = self._begun(found)
        for item in disposal.left():
            if not keep_going():
                return _come(disposal)
            disposal = self._kept(replace(disposal, outcomes=(*disposal.outcomes, self._one(disposal, item))))
        return _come(disposal if disposal.executed_at else self._certify(disposal))

    def _begun(self, disposal: Disposal) -> Disposal:
        now = self.clock()
        state = disposal.state(now)
        if state in ("executing", "executed"):
            return disposal
        if state != "approved":
            raise NotApproved(state)
        return self._kept(replace(disposal, begun_at=now))

    def _kept(self, disposal: Disposal) -> Disposal:
        if not self.disposals.put(disposal):
            raise DestroyedMeanwhile
        return replace(disposal, revision=disposal.revision + 1)

    def _one(self, disposal: Disposal, item: Item) -> Outcome:
        ref, number = _ref(disposal, item), disposal.items.index(item)
        fact = tombstone(disposal, number)
        plan = self.plans.get(ref)
        if plan is None or fact not in self.studies.amendments(ref):
            verdict, plan = self._last_look(disposal, item)
            if plan is None:
                return Outcome(ref.study_instance_uid, self.clock(), verdict.why or "unknown_study")
            about = About(plan.person_id, ref)
            self.record.allow(_system(disposal), "destroy_study", disposal.disposal_id, self.clock(), about)
            self.studies.amend(ref, fact)
        key = fact_key("amendments", ref.hospital_id, fact.made_at, fact.amendment_id)
        self.uploads.put_new(key, amendment_body(ref.study_instance_uid, fact), {})
        self.settle(ref, self.clock())
        self.shredder.delete(plan.versions)
        self.remains.forget(ref)
        self.derived.destroy(ref)
        self._tell(disposal, plan)
        counts = (len(plan.versions), plan.size, plan.kept)
        return Outcome(ref.study_instance_uid, self.clock(), "", *counts)

    def _last_look(self, disposal: Disposal, item: Item) -> tuple[Verdict, Plan | None]:
        """The plan first and the verdict last: whoever places a hold looks for the plan after it. No plan: spared."""
        ref = _ref(disposal, item)
        plan = planned_of(ref, self.studies, self.plan)
        if plan is not None:
            self.plans.put(ref, plan)
        (verdict,) = self.judge(ref.hospital_id, [item.stated], self.clock())
        if verdict.why and plan is not None:
            self.plans.drop(ref)
        return verdict, None if verdict.why else plan

    def _tell(self, disposal: Disposal, plan: Plan) -> None:
        """Once for all of a person's studies in one proposal, however often it is run."""
        if plan.person_id and disposal.begun_at is not None:
            told = (disposal.disposal_id, plan.person_id, disposal.begun_at)
            self.notices.tell(InAppNotice(*told, "studies_destroyed", disposal.hospital_id))

    def _certify(self, disposal: Disposal) -> Disposal:
        """Written from what is kept alone, so that writing it again after a crash gives the same bytes."""
        for outcome in disposal.outcomes:
            if outcome.is_destroyed:  # the plan of one that was spared may be another proposal's, which goes on from it
                ref = StudyRef(disposal.hospital_id, outcome.study_instance_uid)
                self.plans.drop(ref)
                self.remains.forget(ref)  # again: a request that began before its tombstone may have ended after it
                self.derived.destroy(ref)
        hospital = self.hospitals.get(disposal.hospital_id)
        body = certificate(disposal, hospital)
        stem = certificate_stem(disposal)
        self.reports.put(f"{stem}.json", body, "application/json")
        self.reports.put(f"{stem}.html", page(disposal, hospital, digest(body)), "text/html; charset=utf-8")
        about = About(statement=digest(body))
        self.record.allow(_system(disposal), "certify_disposal", disposal.disposal_id, self.clock(), about)
        return self._kept(replace(disposal, executed_at=last_at(disposal), certificate=digest(body)))


def certificate_stem(disposal: Disposal) -> str:
    """Where the certificate lies in the reports bucket, without its ending."""
    return f"disposals/{disposal.hospital_id}/{disposal.disposal_id}"


def _ref(disposal: Disposal, item: Item) -> StudyRef:
    return StudyRef(disposal.hospital_id, item.stated.study_instance_uid)


def _system(disposal: Disposal) -> Caller:
    return Caller("hospital", BY, disposal.hospital_id)


def _come(disposal: Disposal) -> Disposed:
    destroyed = sum(outcome.is_destroyed for outcome in disposal.outcomes)
    return Disposed(
        disposal_id=disposal.disposal_id,
        destroyed=destroyed,
        spared=len(disposal.outcomes) - destroyed,
        left=len(disposal.left()),
        done=disposal.executed_at is not None,
        certificate=disposal.certificate,
    )
