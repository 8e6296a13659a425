from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from chalicelib.domain.access import Caller
from chalicelib.domain.human_facts import fact_key, registration_body
from chalicelib.domain.study import Hospital
from chalicelib.services.keep_fact import keep_fact
from chalicelib.services.ports import Hospitals, Uploads
from chalicelib.services.record_decision import RecordDecision

# A closing takes effect when no process still keeps the registration as it was, so that ingest and a later rebuild
# draw the line at the same object (store.hospitals.KEEP).
EFFECT: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class RegisterHospital:
    """A regulator takes a hospital in, changes what is known of it, or (`active` False) ends its uploads.

    The bucket has the registration first, then the table. `new_id` gives ULIDs.
    """

    uploads: Uploads
    hospitals: Hospitals
    record: RecordDecision
    new_id: Callable[[datetime], str]

    def __call__(self, caller: Caller, hospital: Hospital, now: datetime) -> Hospital:
        """The hospital as it now stands: closed since it first was, if it is. Raises AuditFailed."""
        self.record.allow(caller, "register_hospital", hospital.hospital_id, now)
        registered = replace(hospital, closed_at=None if hospital.active else self._closed_at(hospital, now))
        key = fact_key("registrations", hospital.hospital_id, now, self.new_id(now))
        keep_fact(self.uploads, key, registration_body(registered))
        self.hospitals.put(registered)
        return registered

    def _closed_at(self, hospital: Hospital, now: datetime) -> datetime:
        standing = self.hospitals.get(hospital.hospital_id)
        return (standing.closed_at if standing and not standing.active else None) or now + EFFECT
