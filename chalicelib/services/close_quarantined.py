from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain import upload_key
from chalicelib.domain.access import Caller
from chalicelib.domain.exam import ExamKey
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.receipt import arrivals
from chalicelib.domain.release import QuarantineRefused, Replacement, Standing, closed
from chalicelib.domain.study import StudyRef
from chalicelib.services.ledger_ports import ExamLedger
from chalicelib.services.list_quarantine import Quarantined
from chalicelib.services.ports import QuarantineRecord, Studies
from chalicelib.services.step_quarantined import StepQuarantined, Which


@dataclass(frozen=True, slots=True)
class Sent:
    """What a hospital says took the place of a quarantined upload: an entry of its study, or a notice of an exam."""

    study_instance_uid: str
    version_id: str = ""
    offset: int = 0
    accession_number: str = ""


@dataclass(frozen=True, slots=True)
class CloseQuarantined:
    """The correction was sent again and arrived, or the release was indexed: the entry names what is there now."""

    step: StepQuarantined
    studies: Studies
    ledger: ExamLedger

    def __call__(self, caller: Caller, entry_id: str, sent: Sent, now: datetime) -> Quarantined | None:
        """None for an entry that is not of the caller's hospital. Raises QuarantineRefused, and as StepQuarantined."""
        ref = StudyRef(caller.hospital_id, sent.study_instance_uid)

        def close(found: QuarantineRecord, before: Standing) -> Standing:
            key = upload_key.parse(found.key)
            is_notice = key is not None and key.kind == "notices"
            by_what = self._notice(ref, sent, found) if is_notice else self._entry(ref, sent, found)
            return closed(before, by_what, caller.subject, now)

        which = Which("close_quarantined", caller.hospital_id, entry_id, ref if sent.study_instance_uid else None)
        return self.step(caller, which, close, now)

    def _entry(self, ref: StudyRef, sent: Sent, found: QuarantineRecord) -> Replacement:
        """The entry of the study, no older than what it replaces; the same instance where the file still told."""
        summary = self.studies.summary(ref)
        if summary is None or not summary.manifest_digest:
            raise QuarantineRefused("not_received")
        body = self.studies.manifest(ref, summary.manifest_digest, summary.manifest_parts)
        leaves = (one.leaf for one in arrivals(Manifest.from_json(body)))
        place = (sent.version_id, sent.offset)
        leaf = next((leaf for leaf in leaves if (leaf["version_id"], leaf["offset"]) == place), None)
        if leaf is None:
            raise QuarantineRefused("not_received")
        if found.sop_instance_uid not in ("", leaf["sop_instance_uid"]):
            raise QuarantineRefused("other_instance")
        if found.received_at and datetime.fromisoformat(leaf["received_at"]) < found.received_at:
            raise QuarantineRefused("not_received")
        return Replacement(ref.study_instance_uid, *place)

    def _notice(self, ref: StudyRef, sent: Sent, found: QuarantineRecord) -> Replacement:
        """The latest notice of the exam, no older than the one it replaces."""
        key = ExamKey.of(ref.hospital_id, sent.accession_number, ref.study_instance_uid)
        notices = self.ledger.read(key).facts.notices
        later = [one for one in notices if found.received_at is None or one.received_at >= found.received_at]
        if not later:
            raise QuarantineRefused("not_received")
        return Replacement(ref.study_instance_uid, notice=max(later, key=lambda one: one.rank).digest)
