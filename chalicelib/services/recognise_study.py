from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.gains import Happening, day_at, decided_key
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.recognition import Judgement, Recognition
from chalicelib.domain.similarity import group_of
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.access_ports import DecisionFacts, People
from chalicelib.services.authorize import Authorize
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.gain_ports import Gains, Recognitions
from chalicelib.services.ports import Hospitals
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.reminder_ports import Alerts

TRIES: Final = 3
MOST: Final = 20  # times that a doctor may think again on one study in one visit


class RecognitionContended(Exception):  # noqa: N818 - the fact
    """Others wrote in between, again and again; or the doctor thought again too often."""


@dataclass(frozen=True, slots=True)
class RecogniseStudy:
    """A doctor recognises an earlier exam, or says why not: in an open visit of the exam's person, under a grant over
    it that is live now. The same said again changes nothing.

    Raises AccessDenied (always before the first word on the exam is kept), AuditFailed, RecognitionContended.
    """

    find_visit: FindVisit
    hospitals: Hospitals
    people: People
    facts: DecisionFacts
    authorize: Authorize
    recognitions: Recognitions
    gains: Gains
    alerts: Alerts
    record: RecordDecision

    def __call__(
        self, caller: Caller, encounter_id: str, study: StudyRef, judgement: Judgement, now: datetime
    ) -> Recognition:
        visit = self.find_visit(caller, encounter_id, now)
        about = About(study=study, encounter_id=encounter_id)
        if isinstance(visit, Denied):
            self.record.deny(caller, judgement.action, visit, now, about)
        summary = next(iter(self.facts.summaries([study])), None)
        if summary is None or not self._is_theirs(summary, visit):
            denied = Denied("no_grant", "other_patient" if summary else "unknown_study")
            self.record.deny(caller, judgement.action, denied, now, replace(about, person_id=visit.person_id))
        replace(self.authorize, action=judgement.action)(caller, study, now)
        kept = self._kept(caller, encounter_id, study, judgement, now)
        self.gains.put(_happening(kept, summary), now)
        for alert_id in self.alerts.of_visit(caller.hospital_id, encounter_id):  # it wins over what was answered there
            self.alerts.wake(caller.hospital_id, alert_id, f"{study.study_instance_uid}#{kept.revision}", now)
        return kept

    def _is_theirs(self, summary: Summary, visit: Visit) -> bool:
        """Whether the exam is of the person who is in this visit."""
        link = self.people.link(IdentityKey(summary.issuer, summary.patient_id)) if summary.patient_id else None
        return link is not None and visit.link is not None and link.person_id == visit.link.person_id

    def _kept(
        self, caller: Caller, encounter_id: str, study: StudyRef, judgement: Judgement, now: datetime
    ) -> Recognition:
        hospital = self.hospitals.get(caller.hospital_id)
        today = day_at(now, hospital) if hospital else f"{now:%Y-%m-%d}"
        for _ in range(TRIES):
            said = self.recognitions.of_study((caller.hospital_id, encounter_id), study, caller.subject)
            if said and said[-1].judgement == judgement:
                return said[-1]
            day = said[0].day if said else today
            new = Recognition(
                caller.hospital_id, encounter_id, caller.subject, study, judgement, now, day, len(said) + 1
            )
            if new.revision <= MOST and self.recognitions.put(new):
                return new
        raise RecognitionContended


def _happening(kept: Recognition, summary: Summary) -> Happening:
    return Happening(
        measure=kept.judgement.measure,
        key=decided_key(kept.encounter_id, kept.doctor_id, kept.study),
        day=kept.day,
        at=kept.at,
        receiving=kept.hospital_id,
        source=kept.study.hospital_id,
        encounter_id=kept.encounter_id,
        group=group_of(summary.modalities),
        parts=summary.regions,
        revision=kept.revision,
    )
