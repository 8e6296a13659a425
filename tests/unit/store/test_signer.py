"""Signed URLs are byte-equal to botocore's, bounded by five minutes and the grant, and only of the granted hospital."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import AccessDenied, Caller, Grant
from chalicelib.domain.derived import Derived
from chalicelib.domain.study import Place, StudyRef
from chalicelib.store.signer import (
    CACHE_CONTROL,
    AssumedRole,
    Bucket,
    Credentials,
    PlaceOutsideGrant,
    S3DerivedSigner,
    S3Signer,
    bucket_at,
)

NOW = datetime(2026, 11, 24, 4, 0, 0, 250_000, tzinfo=UTC)
MADE_UP = Credentials("AKIDEXAMPLE", "made/up+secret", "tok/en+with=signs==", NOW + timedelta(hours=1))
BUCKETS = {
    "virtual": ("eu-west-1", None),
    "china": ("cn-north-1", None),
    "path": ("us-east-1", "http://127.0.0.1:5000"),
}


def grant(ends=timedelta(hours=1), hospital="H1"):
    caller = Caller("doctor", "d1", hospital_id="H2")
    return Grant(caller, StudyRef(hospital, "1.2.3"), "sms_code", "c1", NOW + ends)


def place(key="instances/H1/2026-11-24/a.dcm", version="v1"):
    return Place(key, version, 0, 10)


def client(style):
    region, endpoint = BUCKETS[style]
    addressing = {"addressing_style": "path" if endpoint else "virtual"}
    return boto3.client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=MADE_UP.access_key,
        aws_secret_access_key=MADE_UP.secret_key,
        aws_session_token=MADE_UP.token,
        config=Config(signature_version="s3v4", s3=addressing),
    )


CLIENTS = {style: client(style) for style in BUCKETS}


def signer(style="virtual", credentials=MADE_UP):
    region, _ = BUCKETS[style]
    return S3Signer(bucket_at("uploads", region, CLIENTS[style].meta.endpoint_url), lambda now: credentials)


def botocore_url(style, key, version, seconds, stamp, mark="", kind="application/dicom"):  # noqa: PLR0913, PLR0917 - what a URL is made of
    """botocore's URL for the same request at the same instant: its own presigner reads the clock, so its signer
    is given the request that the presigner would build, with our timestamp."""
    made = CLIENTS[style].generate_presigned_url(
        "get_object",
        Params={
            "Bucket": "uploads",
            "Key": key,
            **({"VersionId": version} if version else {}),
            "ResponseContentType": kind,
            "ResponseCacheControl": CACHE_CONTROL,
        },
        ExpiresIn=seconds,
    )
    bare = made.split("&X-Amz-Algorithm")[0]
    bare = (
        bare.replace("&response", f"{mark}&response", 1) if version else bare.replace("?", f"?{mark[1:]}&", bool(mark))
    )
    auth = S3SigV4QueryAuth(
        BotoCredentials(MADE_UP.access_key, MADE_UP.secret_key, MADE_UP.token), "s3", BUCKETS[style][0], seconds
    )
    request = AWSRequest("GET", bare)
    request.context["timestamp"] = stamp
    auth._modify_request_before_signing(request)  # noqa: SLF001 - add_auth is these three steps after reading the clock
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    auth._inject_signature_to_request(request, signature)  # noqa: SLF001 - as above
    return request.url


KEYS = [
    "instances/H1/2026-11-24/plain.dcm",
    "instances/H1/2026-11-24/影像 云/张三 (1).dcm",
    "instances/H1/2026-11-24/a+b%20c%/d&e=f?g#h;i:j,k!'*~.dcm",
    "instances/H1/2026-11-24//double//slash/../dots/./x",
    "unpacked/H1/2026-11-24/v/0",
    "instances/H1/é\u00a0\u3000\U0001f600\U00020000",
]


@pytest.mark.parametrize("style", BUCKETS)
@pytest.mark.parametrize("key", KEYS)
def test_a_url_is_byte_equal_to_what_botocore_signs(style, key):
    (url,) = signer(style).sign(grant(), [place(key, "v/1 +é")], NOW)
    assert url == botocore_url(style, key, "v/1 +é", 300, "20261124T040000Z")


@pytest.mark.parametrize("style", BUCKETS)
def test_a_url_names_the_audit_event_that_allowed_it_under_the_signature(style):
    event_id = "01KB0000000000000000000000"
    (url,) = signer(style).sign(replace(grant(), event_id=event_id), [place()], NOW)
    mark = f"&x-audit-event={event_id}"
    assert url == botocore_url(style, place().key, "v1", 300, "20261124T040000Z", mark)
    (other,) = signer(style).sign(replace(grant(), event_id="01KB0000000000000000000001"), [place()], NOW)
    assert other.rpartition("=")[2] != url.rpartition("=")[2]


@given(
    style=st.sampled_from(sorted(BUCKETS)),
    tail=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\t"), min_size=1, max_size=60),
    version=st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF), min_size=1, max_size=20),
    seconds=st.integers(1, 300),
)
def test_any_key_and_version_signs_as_botocore_does(style, tail, version, seconds):
    key = f"instances/H1/{tail}"
    ends = timedelta(seconds=seconds)
    (url,) = signer(style).sign(grant(ends), [place(key, version)], NOW)
    assert url == botocore_url(style, key, version, seconds, "20261124T040000Z")


DERIVED = Derived(grant().study, "derived/H1/1.2.3/frames/ab", 'multipart/related; type="image/jls"; boundary=ab')


def derived_signer(style):
    return S3DerivedSigner(
        bucket_at("uploads", BUCKETS[style][0], CLIENTS[style].meta.endpoint_url), lambda now: MADE_UP
    )


@pytest.mark.parametrize("style", BUCKETS)
@pytest.mark.parametrize("event_id", ["", "01KB0000000000000000000000"])
def test_what_was_made_of_the_study_is_signed_without_a_version_as_botocore_does(style, event_id):
    url = derived_signer(style).sign_derived(replace(grant(), event_id=event_id), DERIVED, NOW)
    mark = f"&x-audit-event={event_id}" if event_id else ""
    assert url == botocore_url(style, DERIVED.key, "", 300, "20261124T040000Z", mark, DERIVED.content_type)


@pytest.mark.parametrize(
    "changes",
    [
        {"ref": StudyRef("H2", "1.2.3")},
        {"ref": StudyRef("H1", "1.2.3.4"), "key": "derived/H1/1.2.3.4/frames/ab"},
        {"key": "derived/H1/1.2.3.4/frames/ab"},
        {"key": "derived/H1/1.2.3"},
        {"key": "exports/x"},
    ],
)
def test_what_was_made_of_another_study_is_refused(changes):
    with pytest.raises(PlaceOutsideGrant):
        derived_signer("virtual").sign_derived(grant(), replace(DERIVED, **changes), NOW)


def test_what_was_made_of_the_study_is_not_signed_after_the_grant():
    with pytest.raises(AccessDenied, match="consent_expired"):
        derived_signer("virtual").sign_derived(grant(timedelta(0)), DERIVED, NOW)


def test_urls_come_in_the_order_of_the_places():
    keys = [f"instances/H1/2026-11-24/{n}" for n in range(5)]
    urls = signer().sign(grant(), [place(key) for key in keys], NOW)
    assert [urlsplit(url).path[1:] for url in urls] == keys


@pytest.mark.parametrize(
    ("ends", "seconds"),
    [(timedelta(hours=1), "300"), (timedelta(seconds=300), "300"), (timedelta(seconds=299), "299")],
)
def test_a_url_lives_five_minutes_at_most_and_never_past_the_grant(ends, seconds):
    (url,) = signer().sign(grant(ends), [place()], NOW)
    query = parse_qs(urlsplit(url).query)
    assert query["X-Amz-Expires"] == [seconds]


@given(micros=st.integers(0, 999_999), ends=st.integers(1_000_000, 400_000_000))
def test_the_stamped_second_plus_the_lifetime_is_never_after_the_grants_end(micros, ends):
    now = NOW.replace(microsecond=micros)
    made = Grant(Caller("patient", "p"), StudyRef("H1", "1.2"), "self", "", now + timedelta(microseconds=ends))
    (url,) = signer().sign(made, [place()], now)
    query = parse_qs(urlsplit(url).query)
    stamped = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert stamped + timedelta(seconds=int(query["X-Amz-Expires"][0])) <= made.expires_at


@pytest.mark.parametrize("ends", [timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=500)])
def test_an_ended_grant_signs_nothing(ends):
    with pytest.raises(AccessDenied, match="consent_expired"):
        signer().sign(grant(ends), [place()], NOW)


@pytest.mark.parametrize(
    "key",
    [
        "instances/H2/2026-11-24/a",
        "instances/H11/2026-11-24/a",
        "receipts/H1/a",
        "/instances/H1/a",
        "H1/instances/a",
        "",
    ],
)
def test_a_place_of_another_hospital_is_refused(key):
    with pytest.raises(PlaceOutsideGrant):
        signer().sign(grant(), [place(), place(key)], NOW)


def test_a_place_without_a_version_is_refused():
    with pytest.raises(PlaceOutsideGrant):
        signer().sign(grant(), [place(version="")], NOW)


def test_the_signing_key_follows_date_and_credential():
    made = signer()
    first = made.sign(grant(timedelta(days=9)), [place()], NOW)
    assert made.sign(grant(timedelta(days=9)), [place()], NOW) == first
    later = NOW + timedelta(days=1)
    (url,) = made.sign(grant(timedelta(days=9)), [place()], later)
    assert url == botocore_url("virtual", place().key, "v1", 300, "20261125T040000Z")


def test_a_credential_without_a_session_token_leaves_it_out():
    bare = Credentials("AK", "s", "", NOW + timedelta(hours=1))
    (url,) = signer(credentials=bare).sign(grant(), [place()], NOW)
    assert "X-Amz-Security-Token" not in url


def test_a_bucket_is_addressed_by_host_at_aws_and_by_path_elsewhere():
    aws = "https://s3.eu-west-1.amazonaws.com"
    assert bucket_at("up", "eu-west-1", aws) == Bucket("https", "up.s3.eu-west-1.amazonaws.com", "", "eu-west-1")
    assert bucket_at("up.x", "eu-west-1", aws) == Bucket("https", "s3.eu-west-1.amazonaws.com", "/up.x", "eu-west-1")
    assert bucket_at("up", "r", "http://127.0.0.1:9") == Bucket("http", "127.0.0.1:9", "/up", "r")


class FakeSts:
    def __init__(self):
        self.calls = 0

    def assume_role(self, **asked):
        self.calls += 1
        made = {"AccessKeyId": f"AK{self.calls}", "SecretAccessKey": "s", "SessionToken": "t"}
        return {"Credentials": {**made, "Expiration": NOW + timedelta(hours=self.calls)}}


def test_the_role_is_assumed_again_only_near_its_end():
    sts = FakeSts()
    role = AssumedRole(sts, "arn:aws:iam::1:role/signer")
    assert role(NOW).access_key == role(NOW + timedelta(minutes=49)).access_key == "AK1"
    assert role(NOW + timedelta(minutes=51)).access_key == "AK2"
    assert sts.calls == 2
