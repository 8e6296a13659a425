"""What the hospital's client asks of S3, against an S3 that checks signatures, certificates and checksums. (It knows no
checksum of a whole multipart object: how a whole's follows from its parts' is held in tests/unit/hospital.)"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config

from infra.hospital.imaging_hospital.body import Body, Limiter
from infra.hospital.imaging_hospital.depot import (
    KeysRefusedError,
    MangledError,
    NoUploadError,
    Target,
    ThereAlreadyError,
    crc64,
)
from infra.hospital.imaging_hospital.faults import TryLaterError
from infra.hospital.imaging_hospital.passes import Passes
from infra.hospital.imaging_hospital.settings import Settings
from infra.rehearse.ministack import OPERATOR, REGION, running

BUCKET = "uploads-of-a-test"
IMAGE = b"image" * 20_000


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    with running(tmp_path_factory.mktemp("ministack")) as found:
        yield found


@pytest.fixture(scope="module")
def operator(emulator):
    keys = {f"aws_{name}": key for name, key in OPERATOR.items()}
    path_style = Config(s3={"addressing_style": "path"})
    trusted = str(emulator.certificate)
    s3 = boto3.client("s3", REGION, endpoint_url=emulator.endpoint, verify=trusted, config=path_style, **keys)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


def vended(emulator, ca_file=None, **keys):
    """A pass as the cloud would vend it, with the operator's keys unless told otherwise."""
    now = datetime.now(UTC)
    answer = {
        "credentials": {
            **OPERATOR,
            "session_token": None,
            "expires_at": (now + timedelta(hours=1)).isoformat(),
            **keys,
        },
        "bucket": BUCKET,
        "region": REGION,
        "endpoint": emulator.endpoint,
        "prefixes": {now.date().isoformat(): {"instances": "instances/H1/", "archives": "archives/H1/"}},
    }
    place = emulator.certificate.parent
    trusted = str(emulator.certificate) if ca_file is None else ca_file
    settings = Settings("https://cloud", "H1", place / "key.pem", place, ca_file=trusted)
    return Passes(settings, lambda: answer).current()


def body(content=IMAGE):
    return Body(content, Limiter(0, threading.Event()), lambda _: None)


def test_an_object_is_put_once_under_a_checksum_that_s3_verified(emulator, operator):
    target = Target(vended(emulator), "instances/H1/once", "ab" * 32)
    target.put(body(), crc64(IMAGE))
    with pytest.raises(ThereAlreadyError):
        target.put(body(), crc64(IMAGE))
    told = operator.head_object(Bucket=BUCKET, Key=target.key, ChecksumMode="ENABLED")
    assert (told["ChecksumType"], told["Metadata"]) == ("FULL_OBJECT", {"sha256": "ab" * 32})
    assert told["ContentLength"] == len(IMAGE)


def test_bytes_that_are_not_what_was_told_are_not_taken(emulator, operator):
    target = Target(vended(emulator), "instances/H1/mangled")
    with pytest.raises(MangledError):
        target.put(body(), crc64(IMAGE) ^ 1)
    multipart = target.begin()
    target.part(multipart, 1, body(), crc64(IMAGE))
    with pytest.raises(MangledError):
        target.part(multipart, 2, body(), crc64(IMAGE) ^ 1)
    assert "Contents" not in operator.list_objects_v2(Bucket=BUCKET, Prefix=target.key)


def test_a_multipart_upload_that_is_gone_is_told(emulator, operator):
    target = Target(vended(emulator), "archives/H1/gone")
    multipart = target.begin()
    operator.abort_multipart_upload(Bucket=BUCKET, Key=target.key, UploadId=multipart)
    with pytest.raises(NoUploadError):
        target.part(multipart, 1, body(), crc64(IMAGE))


@pytest.mark.usefixtures("operator")
def test_keys_that_are_not_known_are_told(emulator):
    wrong = vended(emulator, access_key_id="AKIAUNKNOWN", secret_access_key="x" * 40)
    with pytest.raises(KeysRefusedError):
        Target(wrong, "instances/H1/x").put(body(), crc64(IMAGE))


@pytest.mark.usefixtures("operator")
def test_a_certificate_that_is_not_trusted_gets_no_image(emulator):
    untrusted = vended(emulator, ca_file="")
    with pytest.raises(TryLaterError):
        Target(untrusted, "instances/H1/x").put(body(), crc64(IMAGE))
