"""Whether studies may be destroyed now: holds, identity, and the law's period over all that is known and stated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from chalicelib.domain.consent import Encounter
from chalicelib.domain.disposal import Because, Hold, Stated, Verdict
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.retention import Visit
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.access_ports import Encounters
from chalicelib.services.disposal_ports import Holds
from chalicelib.services.judge_retention import Judged, JudgeRetention, Known, exam_day
from chalicelib.services.ports import Studies

STATEMENT = "DISPOSAL"  # the encounter under which stated days are remembered: one visit, one stay
NOON = time(4, tzinfo=UTC)  # in the province: the day is the same in every zone that could be meant


@dataclass(frozen=True, slots=True)
class JudgeDisposal:
    """Reads alone, but for `remember`. `workers` studies are looked at a time: two hundred take seconds."""

    retention: JudgeRetention
    studies: Studies
    encounters: Encounters
    holds: Holds
    workers: int = 8

    def __call__(self, hospital_id: str, stated: Sequence[Stated], now: datetime) -> tuple[Verdict, ...]:
        """One verdict for each, in order."""
        holds, known = self.holds.standing(hospital_id), Known()

        def judge(one: Stated) -> Verdict:
            return self._one(StudyRef(hospital_id, one.study_instance_uid), one, holds, now, known)

        if self.workers == 1:
            return tuple(map(judge, stated))
        with ThreadPoolExecutor(self.workers) as pool:
            return tuple(pool.map(judge, stated))

    def remember(self, hospital_id: str, stated: Sequence[Stated]) -> None:
        """What is stated of a patient's visits extends all that is theirs, from now on and whoever proposes it."""
        for one in stated:
            summary = self.studies.summary(StudyRef(hospital_id, one.study_instance_uid))
            if summary is not None and summary.patient_id:
                identity = IdentityKey(summary.issuer, summary.patient_id)
                for visit in visits_of(hospital_id, one):
                    self.encounters.remember(_encounter(visit, identity))

    def _one(self, ref: StudyRef, stated: Stated, holds: Collection[Hold], now: datetime, known: Known) -> Verdict:
        uid = ref.study_instance_uid
        summary = self.studies.summary(ref)
        if summary is None or summary.state == "destroyed":
            return Verdict(uid, "unknown_study" if summary is None else "destroyed")
        if any(hold.holds(ref, summary.patient_id) for hold in holds):
            return Verdict(uid, "held", exam_day=exam_day(summary, now))
        judged = self.retention.judge(summary, now, visits_of(ref.hospital_id, stated), known)
        if judged is None:
            return Verdict(uid, "destroyed")
        why = self._why(summary, judged, now)
        return Verdict(
            study_instance_uid=uid,
            why=why,
            keep_through=judged.period.keep_through if not why or why == "not_over" else None,
            rule=judged.period.rule,
            exam_day=exam_day(summary, now),
            modalities=summary.modalities,
            instances=summary.instances,
        )

    def _why(self, summary: Summary, judged: Judged, now: datetime) -> Because:
        if not judged.has_one_patient or self._names_others(summary):
            return "several_patients"
        if not judged.identity_settled:
            return "identity_unsettled"
        if judged.period.waits:
            return judged.period.waits
        return "" if judged.is_over(now) else "not_over"

    def _names_others(self, summary: Summary) -> bool:
        """Whether any entry, excluded ones too, bears another patient's number: their record may have to be kept."""
        body = self.studies.manifest(summary.ref, summary.manifest_digest, summary.manifest_parts)
        named = {
            str(row.get("patient_id") or series.shared.get("patient_id") or "").strip()
            for series in Manifest.from_json(body).series
            for row in series.rows
        }
        return len(named - {""}) > 1


def visits_of(hospital_id: str, stated: Stated) -> frozenset[Visit]:
    """What a statement comes to as events. A discharge ends a stay of its own and no other."""
    visits = {Visit(hospital_id, STATEMENT, "outpatient", "closed", _noon(stated.last_visit))}
    if stated.last_discharge is not None:
        visits.add(Visit(hospital_id, f"{STATEMENT}-STAY", "inpatient", "closed", _noon(stated.last_discharge)))
    return frozenset(visits)


def _noon(day: date) -> datetime:
    return datetime.combine(day, NOON)


def _encounter(visit: Visit, identity: IdentityKey) -> Encounter:
    return Encounter(visit.hospital_id, visit.encounter_id, identity, visit.patient_class, is_open=False, at=visit.at)
