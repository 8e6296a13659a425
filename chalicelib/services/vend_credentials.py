from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.upload_pass import UploadPass, prefixes
from chalicelib.services.admit_uploader import AdmitUploader
from chalicelib.services.joining_ports import Uploader


@dataclass(frozen=True, slots=True)
class VendCredentials:
    """S3 keys for a hospital's next hour. Raises what AdmitUploader does, and then no keys were made."""

    admit: AdmitUploader
    uploader: Uploader

    def __call__(self, caller: Caller, now: datetime) -> UploadPass:
        self.admit(caller, "vend_credentials", now)
        reach = prefixes(caller.hospital_id, now)
        return UploadPass(self.uploader(caller.hospital_id, reach), reach)
