"""How hospitals join and upload."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import record_decision
from chalicelib.wiring.adapters import hospitals
from chalicelib.wiring.environment import settings

if TYPE_CHECKING:
    from chalicelib.domain.upload_pass import Depot
    from chalicelib.services.vend_credentials import VendCredentials


@cache
def vend_credentials() -> VendCredentials:
    from chalicelib.services.vend_credentials import VendCredentials
    from chalicelib.store import clients
    from chalicelib.store.uploader import AssumedUploader

    told = settings()
    uploader = AssumedUploader(clients.sts(), told.uploader_role_arn, told.uploads_bucket, told.data_key_arn)
    return VendCredentials(hospitals(), uploader, record_decision())


@cache
def depot() -> Depot:
    from chalicelib.domain.upload_pass import Depot
    from chalicelib.store import clients

    return Depot(settings().uploads_bucket, clients.region(), clients.s3_endpoint(), settings().data_key_arn)
