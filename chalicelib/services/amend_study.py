from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.human_facts import amendment_body, fact_key
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.study import Amendment, StudyRef
from chalicelib.services.keep_fact import keep_fact
from chalicelib.services.ports import SettleQueue, Studies, Uploads


class UnknownEntry(Exception):  # noqa: N818 - the fact
    """The study has no entry at this place."""


@dataclass(frozen=True, slots=True)
class AmendStudy:
    """A person adds a fact to a study; the next settle counts it. `new_id` gives ULIDs.

    The bucket has it first, then the table: whoever dies between, reconcile brings it there in the night.
    """

    uploads: Uploads
    studies: Studies
    settle_queue: SettleQueue
    new_id: Callable[[datetime], str]

    def exclude(  # noqa: PLR0913 - the fact's own fields
        self, ref: StudyRef, version_id: str, offset: int, *, reason: str, made_by: str, now: datetime
    ) -> Amendment:
        """Serve the entry at (version_id, offset) no more: another patient's image, a test. Raises UnknownEntry."""
        if not self._holds(ref, version_id, offset):
            raise UnknownEntry
        amendment = Amendment(self.new_id(now), "exclude", version_id, offset, reason, made_by, now)
        key = fact_key("amendments", ref.hospital_id, now, amendment.amendment_id)
        keep_fact(self.uploads, key, amendment_body(ref.study_instance_uid, amendment))
        self.studies.amend(ref, amendment)
        self.settle_queue.send([ref])
        return amendment

    def _holds(self, ref: StudyRef, version_id: str, offset: int) -> bool:
        summary = self.studies.summary(ref)
        if summary is None or summary.state == "destroyed":
            return False
        manifest = Manifest.from_json(self.studies.manifest(ref, summary.manifest_digest, summary.manifest_parts))
        places = (entry.place for entry, _ in manifest.entries())
        return any((place.version_id, place.offset) == (version_id, offset) for place in places)
