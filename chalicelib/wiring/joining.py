"""How hospitals join and upload."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import record_decision
from chalicelib.wiring.adapters import hospitals, uploads
from chalicelib.wiring.door import hospital_keys
from chalicelib.wiring.environment import new_id, settings

if TYPE_CHECKING:
    from chalicelib.domain.upload_pass import Depot
    from chalicelib.services.admit_uploader import AdmitUploader
    from chalicelib.services.change_keys import AddKey, RetireKey, RevokeKeys
    from chalicelib.services.issue_joining_code import IssueJoiningCode
    from chalicelib.services.join_hospital import JoinHospital
    from chalicelib.services.joining_ports import JoiningCodes, ProveKey, Uploader
    from chalicelib.services.keep_key import KeepKey
    from chalicelib.services.vend_credentials import VendCredentials


@cache
def joining_codes() -> JoiningCodes:
    from chalicelib.store import clients
    from chalicelib.store.hospital_keys import DynamoJoiningCodes

    return DynamoJoiningCodes(clients.dynamodb(), settings().main_table)


@cache
def issue_joining_code() -> IssueJoiningCode:
    from secrets import token_bytes

    from chalicelib.services.issue_joining_code import IssueJoiningCode

    return IssueJoiningCode(hospitals(), joining_codes(), token_bytes, record_decision())


@cache
def join_hospital() -> JoinHospital:
    from chalicelib.services.join_hospital import JoinHospital

    return JoinHospital(hospitals(), joining_codes(), _keep_key(), _prove_key(), record_decision())


@cache
def add_key() -> AddKey:
    from chalicelib.services.change_keys import AddKey

    return AddKey(_keep_key(), _prove_key(), record_decision())


@cache
def retire_key() -> RetireKey:
    from chalicelib.services.change_keys import RetireKey

    return RetireKey(_keep_key(), record_decision())


@cache
def revoke_keys() -> RevokeKeys:
    from chalicelib.services.change_keys import RevokeKeys

    return RevokeKeys(hospitals(), joining_codes(), _keep_key(), record_decision())


@cache
def _keep_key() -> KeepKey:
    from chalicelib.services.keep_key import KeepKey

    return KeepKey(hospital_keys(), uploads(), new_id)


@cache
def _prove_key() -> ProveKey:
    from chalicelib.store.key_proofs import RsaProofs

    return RsaProofs(settings().origin)


@cache
def vend_credentials() -> VendCredentials:
    from chalicelib.services.vend_credentials import VendCredentials

    return VendCredentials(admit_uploader(), uploader())


@cache
def admit_uploader() -> AdmitUploader:
    from chalicelib.services.admit_uploader import AdmitUploader

    return AdmitUploader(hospitals(), record_decision())


@cache
def uploader() -> Uploader:
    from chalicelib.store import clients
    from chalicelib.store.uploader import AssumedUploader

    told = settings()
    return AssumedUploader(clients.sts(), told.uploader_role_arn, told.uploads_bucket, told.data_key_arn)


@cache
def depot() -> Depot:
    from chalicelib.domain.upload_pass import Depot
    from chalicelib.store import clients

    return Depot(settings().uploads_bucket, clients.region(), clients.s3_endpoint(), settings().data_key_arn)
