from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.upload_offer import Offer, SignedPut
from chalicelib.services.admit_uploader import AdmitUploader
from chalicelib.services.storing_ports import UploadSigner


class TooLargeForIngest(Exception):  # noqa: N818 - named by the fact
    """It would end in quarantine."""


class TooLargeForOnePut(Exception):  # noqa: N818 - named by the fact
    """S3 takes it in parts only: with credentials."""


@dataclass(frozen=True, slots=True)
class SignUploads:
    """A signed PUT for each object that a hospital is about to send, in order: for what speaks HTTP and no AWS. Raises
    what AdmitUploader does, TooLargeForIngest, TooLargeForOnePut; and then nothing was signed."""

    admit: AdmitUploader
    sign: UploadSigner

    def __call__(self, caller: Caller, offers: Sequence[Offer], now: datetime) -> tuple[SignedPut, ...]:
        self.admit(caller, "sign_uploads", now)
        if not all(offer.fits for offer in offers):
            raise TooLargeForIngest
        if not all(offer.fits_one_put for offer in offers):
            raise TooLargeForOnePut
        return self.sign(caller.hospital_id, offers, now)
