from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.upload_pass import UploadPass, prefixes
from chalicelib.services.joining_ports import Uploader
from chalicelib.services.ports import Hospitals
from chalicelib.services.record_decision import RecordDecision


@dataclass(frozen=True, slots=True)
class VendCredentials:
    """S3 keys for a hospital's next hour. Raises AccessDenied("hospital_closed") for one that is not registered or
    whose registration ended; AuditFailed, and then no keys were made."""

    hospitals: Hospitals
    uploader: Uploader
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime) -> UploadPass:
        hospital = self.hospitals.get(caller.hospital_id)
        if hospital is None or not hospital.active:
            detail = "hospital_closed" if hospital else "unknown_hospital"
            self.record.deny(caller, "vend_credentials", Denied("hospital_closed", detail), now)
        self.record.allow(caller, "vend_credentials", "own_hospital", now)
        reach = prefixes(caller.hospital_id, now)
        return UploadPass(self.uploader(caller.hospital_id, reach), reach)
