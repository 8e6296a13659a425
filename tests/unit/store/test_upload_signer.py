"""Signed PUTs are what botocore signs for the same request, each by keys of its own hospital and day."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from chalicelib.domain.upload_offer import Offer
from chalicelib.domain.upload_pass import LIFETIME, UploadKeys
from chalicelib.store.signer import bucket_at
from chalicelib.store.upload_signer import KeptUploader, S3UploadSigner

NOW = datetime(2026, 11, 24, 4, 0, 0, 250_000, tzinfo=UTC)
ENDPOINTS = {
    "virtual": ("eu-west-1", "https://s3.eu-west-1.amazonaws.com"),
    "china": ("cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn"),
    "path": ("us-east-1", "http://127.0.0.1:5000"),
}
OFFERS = [Offer.of(b"an image"), Offer("archives", 5 * 1024**3, sha256(b"a pack").hexdigest())]


class Vendor:
    """The `Uploader` port; `asked`: for whom, and what days they reach."""

    def __init__(self):
        self.asked = []
        self.now = NOW

    def __call__(self, hospital_id, reach):
        self.asked.append((hospital_id, tuple(reach)))
        number = len(self.asked)
        return UploadKeys(f"AKID{hospital_id}{number}", "made/up+secret", "tok/en+with=signs==", self.now + LIFETIME)


def signer(style="virtual", vendor=None):
    region, endpoint = ENDPOINTS[style]
    return S3UploadSigner(bucket_at("uploads", region, endpoint), KeptUploader(vendor or Vendor()))


def theirs(put, style):
    """The signature that botocore gives to the same request at the same instant."""
    query = parse_qs(urlsplit(put.url).query)
    keys = Credentials(query["X-Amz-Credential"][0].split("/")[0], "made/up+secret", "tok/en+with=signs==")
    auth = S3SigV4QueryAuth(keys, "s3", ENDPOINTS[style][0], 300)
    request = AWSRequest("PUT", put.url.partition("?")[0], headers=dict(put.offer.headers))
    request.context["timestamp"] = NOW.strftime("%Y%m%dT%H%M%SZ")
    auth._modify_request_before_signing(request)  # noqa: SLF001 - add_auth is these steps after reading the clock
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    auth._inject_signature_to_request(request, signature)  # noqa: SLF001 - as above
    return parse_qs(urlsplit(request.url).query)


@pytest.mark.parametrize("style", ENDPOINTS)
def test_a_put_is_signed_as_botocore_signs_it(style):
    for put in signer(style)("H1", OFFERS, NOW):
        assert parse_qs(urlsplit(put.url).query) == theirs(put, style)
        assert put.expires_at == NOW.replace(microsecond=0) + timedelta(minutes=5)


def test_length_checksum_and_that_nothing_is_there_are_under_the_signature():
    (put,) = signer()("H1", OFFERS[:1], NOW)
    signed = parse_qs(urlsplit(put.url).query)["X-Amz-SignedHeaders"][0].split(";")
    assert set(signed) == {"host", *put.offer.headers}
    assert put.offer.headers["content-length"] == "8"
    assert put.offer.headers["if-none-match"] == "*"
    assert put.offer.headers["x-amz-checksum-sha256"] == b64encode(sha256(b"an image").digest()).decode()
    assert put.key == f"instances/H1/2026-11-24/{sha256(b'an image').hexdigest()}.dcm"
    assert urlsplit(put.url).path == f"/{put.key}"


def test_a_hospitals_keys_are_kept_and_never_used_for_another():
    vendor = Vendor()
    sign = signer(vendor=vendor)
    urls = [sign(hospital_id, OFFERS, NOW)[0].url for hospital_id in ("H1", "H2", "H1")]
    assert [hospital_id for hospital_id, _ in vendor.asked] == ["H1", "H2"]
    assert ["AKIDH1" in urls[0], "AKIDH2" in urls[1], urls[0] == urls[2]] == [True] * 3


def test_keys_are_renewed_ten_minutes_before_their_end_and_reach_the_day_they_are_used_on():
    vendor = Vendor()
    sign, days = signer(vendor=vendor), set()
    for minute in range(0, 2 * 24 * 60, 7):
        vendor.now = NOW + timedelta(minutes=minute)
        (put,) = sign("H1", OFFERS[:1], vendor.now)
        day = vendor.now.date()
        assert day in vendor.asked[-1][1]
        assert put.key.startswith(f"instances/H1/{day}/")
        days.add(day)
    assert len(days) == 3
    assert 2 * 24 <= len(vendor.asked) <= 2 * 24 * 60 // 49 + 1


def test_no_url_or_secret_stands_in_what_python_prints():
    (put,) = signer()("H1", OFFERS[:1], NOW)
    assert "X-Amz" not in repr(put)
    assert "secret" not in repr(Vendor()("H1", {}))
