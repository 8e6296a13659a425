"""300 signed URLs: ours beside botocore's, in one run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
from botocore.config import Config

from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.study import Place, StudyRef
from chalicelib.store.signer import Credentials, S3Signer, bucket_at
from tests.bench.rows import Row, cpu_ms

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
COUNT = 300
REGION = "cn-north-1"
BUCKET = "imaging-cloud-uploads-123456789012-cn-north-1"


def places(count):
    return [Place(f"instances/JB001/2026-11-24/{n:032d}.dcm", f"{n:032d}", 0, 500_000) for n in range(count)]


def grant():
    caller = Caller("doctor", "d", "HB002")
    return Grant(caller, StudyRef("JB001", "1.2.3"), "sms_code", "c", NOW + timedelta(hours=1))


def signer():
    credentials = Credentials("AKIA", "secret", "token" * 80, NOW + timedelta(hours=1))
    bucket = bucket_at(BUCKET, REGION, f"https://s3.{REGION}.amazonaws.com.cn")
    return S3Signer(bucket, lambda _now: credentials)


def rows():
    ours, wanted, given = signer(), places(COUNT), grant()
    own = cpu_ms(lambda: ours.sign(given, wanted, NOW))
    session = boto3.session.Session("AKIA", "secret", "token" * 80, REGION)
    s3 = session.client("s3", config=Config(signature_version="s3v4"))

    def botocores():
        for place in wanted:
            asked = {"Bucket": BUCKET, "Key": place.key, "VersionId": place.version_id}
            s3.generate_presigned_url("get_object", Params=asked, ExpiresIn=300)

    theirs = cpu_ms(botocores, repeat=3)
    return [Row("300 signed URLs, CPU", own, "ms", 3, f"botocore {theirs:.0f} ms, {theirs / own:.0f} x")]
