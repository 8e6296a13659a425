"""How hospitals upload without AWS: STOW-RS, and signed PUTs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.environment import settings
from chalicelib.wiring.joining import admit_uploader, uploader

if TYPE_CHECKING:
    from chalicelib.services.sign_uploads import SignUploads
    from chalicelib.services.store_instances import StoreInstances
    from chalicelib.services.storing_ports import SignedPuts, UploadSigner


@cache
def upload_signer() -> UploadSigner:
    from chalicelib.store import clients
    from chalicelib.store.signer import bucket_at
    from chalicelib.store.upload_signer import KeptUploader, S3UploadSigner

    bucket = bucket_at(settings().uploads_bucket, clients.region(), clients.s3_endpoint())
    return S3UploadSigner(bucket, KeptUploader(uploader()))


@cache
def signed_puts() -> SignedPuts:
    from chalicelib.store.connections import Connections
    from chalicelib.store.signed_puts import SignedUrlPuts

    return SignedUrlPuts(Connections())


@cache
def sign_uploads() -> SignUploads:
    from chalicelib.services.sign_uploads import SignUploads

    return SignUploads(admit_uploader(), upload_signer())


@cache
def store_instances() -> StoreInstances:
    from chalicelib.services.store_instances import StoreInstances

    return StoreInstances(admit_uploader(), upload_signer(), signed_puts())
