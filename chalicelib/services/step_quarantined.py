from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.human_facts import standing_body, standing_fact_key
from chalicelib.domain.release import QuarantineRefused, Standing
from chalicelib.domain.study import StudyRef
from chalicelib.services.keep_fact import keep_fact
from chalicelib.services.list_quarantine import Quarantined
from chalicelib.services.ports import QuarantineRecord, Uploads
from chalicelib.services.quarantine_ports import QuarantineRecords, Standings
from chalicelib.services.record_decision import About, RecordDecision

Step = Callable[[QuarantineRecord, Standing], Standing]


class StandingContended(Exception):  # noqa: N818 - the fact
    """Somebody else took a step in between."""


@dataclass(frozen=True, slots=True)
class Which:
    """An entry of a hospital's quarantine, and the step's name in the audit."""

    action: str
    hospital_id: str
    entry_id: str
    study: StudyRef | None = None


@dataclass(frozen=True, slots=True)
class StepQuarantined:
    """One step of an entry: on record before it counts, then in the bucket, then put only if nobody was faster.
    `new_id` gives ULIDs."""

    records: QuarantineRecords
    standings: Standings
    record: RecordDecision
    uploads: Uploads
    new_id: Callable[[datetime], str]

    def __call__(self, caller: Caller, which: Which, step: Step, now: datetime) -> Quarantined | None:
        """The entry after the step; None for one that does not exist. Raises what the step raises, StandingContended,
        AuditFailed."""
        about = About(study=which.study)
        found = self.records.get(which.hospital_id, which.entry_id)
        if found is None:
            self.record.note(caller, which.action, "not_found", now, about)
            return None
        before = self.standings.get(which.hospital_id, which.entry_id)
        try:
            after = step(found, replace(before, reason=found.reason, size=found.size))
        except QuarantineRefused as refused:
            self.record.note(caller, which.action, refused.reason, now, about)
            raise
        reason = "own_hospital" if caller.hospital_id else which.hospital_id
        self.record.allow(caller, which.action, reason, now, replace(about, statement=after.digest))
        if after != replace(before, reason=found.reason, size=found.size):
            after = self._put(after, now)
        return found, after

    def _put(self, standing: Standing, now: datetime) -> Standing:
        """Who died after the bucket had it is followed by the next night's reconcile. Who was late says in the bucket
        too which of the two counted."""
        after = replace(standing, revision=standing.revision + 1)
        self._keep(after, now)
        if not self.standings.put(standing):
            self._keep(self.standings.get(standing.hospital_id, standing.entry_id), now, settled=True)
            raise StandingContended
        return after

    def _keep(self, standing: Standing, now: datetime, *, settled: bool = False) -> None:
        key = standing_fact_key(standing.hospital_id, now, self.new_id(now))
        keep_fact(self.uploads, key, standing_body(standing, settled=settled))
