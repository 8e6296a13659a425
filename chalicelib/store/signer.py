"""Signed URLs: SigV4 in the query of an S3 GET, byte-equal to botocore's and twenty times cheaper (DESIGN §6, §9).

What the URLs of one answer have in common (credential, date, lifetime, response headers) is formatted once per call;
the signing key is derived once per date and credential.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from chalicelib.domain.access import AccessDenied, Grant
from chalicelib.domain.derived import Derived, prefix_of
from chalicelib.domain.export import EXPORT_PREFIX, Export
from chalicelib.domain.reads import EVENT_PARAMETER
from chalicelib.domain.study import Place, StudyRef

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

LIFETIME = timedelta(minutes=5)  # the bucket refuses s3:signatureAge above 300,000 ms
PREFIXES = ("instances", "unpacked", "archives", "reports")  # never notices: they hold national ids
CACHE_CONTROL = "private, no-store"
_plain = re.compile(r"[A-Za-z0-9_.~-]+").fullmatch  # what quoting leaves as it is, as nearly all keys and versions are
_plain_path = re.compile(r"[A-Za-z0-9_.~/-]+").fullmatch
RENEW_BEFORE = timedelta(minutes=10)  # a URL dies with the credential that signed it, so never sign with a dying one


class PlaceOutsideGrant(Exception):  # noqa: N818 - named by the fact, as all errors of the house
    """A place was to be signed that the grant's hospital did not upload, or one without a version: a broken caller."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A temporary credential of the signer's role. `token` goes into each URL."""

    access_key: str
    secret_key: str
    token: str
    expires_at: datetime


class AssumedRole:
    """Credentials of the dedicated read-only role, kept until ten minutes before their end."""

    def __init__(self, sts: STSClient, role_arn: str) -> None:
        self._sts = sts
        self._role_arn = role_arn
        self._kept: Credentials | None = None

    def __call__(self, now: datetime) -> Credentials:
        if self._kept is None or self._kept.expires_at - now < RENEW_BEFORE:
            self._kept = self._assume()
        return self._kept

    def _assume(self) -> Credentials:
        answer = self._sts.assume_role(RoleArn=self._role_arn, RoleSessionName="imaging-cloud-signer")
        made = answer["Credentials"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], made["Expiration"])


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the signed bucket answers: `host` is signed, `path` stands before every key ("" in virtual-host style)."""

    scheme: str
    host: str
    path: str
    region: str


def bucket_at(name: str, region: str, endpoint: str) -> Bucket:
    """Virtual-host style at AWS (also in `aws-cn`); path style at any other endpoint and for names with dots."""
    parts = urlsplit(endpoint)
    at_aws = parts.netloc.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    if at_aws and "." not in name:
        return Bucket(parts.scheme, f"{name}.{parts.netloc}", "", region)
    return Bucket(parts.scheme, parts.netloc, f"/{quote(name)}", region)


def signing_key(secret: str, date: str, region: str) -> bytes:
    """SigV4's key for S3; `date` as YYYYMMDD."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class S3Signer:
    """The `Signer` port."""

    def __init__(self, bucket: Bucket, credentials: Callable[[datetime], Credentials]) -> None:
        self._bucket = bucket
        self._credentials = credentials
        self._derived: tuple[str, str, bytes] = ("", "", b"")

    def sign(
        self, grant: Grant, places: Sequence[Place], now: datetime, content_type: str = "application/dicom"
    ) -> tuple[str, ...]:
        """A GET URL for each place's object version, in order, valid ≤ 5 minutes and never past the grant.

        Raises AccessDenied("consent_expired") when the grant has ended, PlaceOutsideGrant for a key of another
        hospital (DESIGN §6: nothing is signed without a grant).
        """
        _check_places(grant.study, places)
        seconds = _lifetime(grant, now)
        credentials = self._credentials(now)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        terms = _Terms(credentials, stamp, seconds, content_type, _mark(grant))
        return self._urls(places, terms)

    def _urls(self, places: Sequence[Place], terms: _Terms) -> tuple[str, ...]:
        credentials, stamp, seconds = terms.credentials, terms.stamp, terms.seconds
        content_type, mark = terms.content_type, terms.mark
        scope = f"{stamp[:8]}/{self._bucket.region}/s3/aws4_request"
        auth = auth_query(f"{credentials.access_key}/{scope}", stamp, seconds, credentials.token)
        response = _response_query(content_type)
        # Canonical order sorts by name: X-Amz-… < response-… < versionId < x-….
        shared = f"{auth.canonical}&{response.canonical}"
        tail = f"{mark}\nhost:{self._bucket.host}\n\nhost\nUNSIGNED-PAYLOAD"
        head = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n"
        key = self._signing_key(credentials.secret_key, stamp[:8])
        origin = f"{self._bucket.scheme}://{self._bucket.host}"
        query = f"{mark}&{response.plain}&{auth.plain}&X-Amz-Signature="
        base = self._bucket.path
        urls = []
        for place in places:
            path = f"{base}/{place.key if _plain_path(place.key) else quote(place.key, safe='/~')}"
            version = place.version_id if _plain(place.version_id) else quote(place.version_id, safe="-._~")
            named = f"&versionId={version}" if version else ""
            canonical = f"GET\n{path}\n{shared}{named}{tail}"
            to_sign = head + hashlib.sha256(canonical.encode()).hexdigest()
            signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
            urls.append(f"{origin}{path}?{(named + query)[1:]}{signature}")
        return tuple(urls)

    def _signing_key(self, secret: str, date: str) -> bytes:
        if self._derived[:2] != (secret, date):
            self._derived = (secret, date, signing_key(secret, date, self._bucket.region))
        return self._derived[2]


class S3ExportSigner:
    """The `ExportSigner` port: the one thing that is signed without a Grant, for it is no study. Only archives under
    `exports/` in the reports bucket, which `services.export_person` hands to their own person."""

    def __init__(self, bucket: Bucket, credentials: Callable[[datetime], Credentials]) -> None:
        self._signer = S3Signer(bucket, credentials)
        self._credentials = credentials

    def sign_export(self, export: Export, now: datetime) -> str:
        """Raises AccessDenied("consent_expired") when it has ended, PlaceOutsideGrant for anything else."""
        place = export.place
        if place is None or not place.version_id or not place.key.startswith(EXPORT_PREFIX):
            raise PlaceOutsideGrant("not an archive")
        seconds = _until(export.expires_at, now)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        terms = _Terms(self._credentials(now), stamp, seconds, "application/zip", "")
        (url,) = self._signer._urls([place], terms)  # noqa: SLF001 - the same hand, with another rule
        return url


class S3DerivedSigner:
    """The `DerivedSigner` port: what was made of the granted study, and nothing else. No version is named: a key is the
    digest of what its bytes are made of, and is written once."""

    def __init__(self, bucket: Bucket, credentials: Callable[[datetime], Credentials]) -> None:
        self._signer = S3Signer(bucket, credentials)
        self._credentials = credentials

    def sign_derived(self, grant: Grant, derived: Derived, now: datetime) -> str:
        """Raises AccessDenied("consent_expired") when the grant has ended, PlaceOutsideGrant for another study's."""
        if derived.ref != grant.study or not derived.key.startswith(prefix_of(grant.study)):
            raise PlaceOutsideGrant("not made of the granted study")
        seconds, stamp = _lifetime(grant, now), now.strftime("%Y%m%dT%H%M%SZ")
        terms = _Terms(self._credentials(now), stamp, seconds, derived.content_type, _mark(grant))
        (url,) = self._signer._urls([Place(derived.key, "", 0, 0)], terms)  # noqa: SLF001 - the same hand
        return url


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the URLs of one answer have in common."""

    credentials: Credentials
    stamp: str
    seconds: int
    content_type: str
    mark: str


def _mark(grant: Grant) -> str:
    """The audit event that allowed this, in the URL itself: S3 ignores a parameter that begins with `x-`, writes it
    into its access log, and the signature holds it fast. So what S3 gave can be held against what was allowed."""
    return f"&{EVENT_PARAMETER}={quote(grant.event_id, safe='')}" if grant.event_id else ""


def _check_places(study: StudyRef, places: Sequence[Place]) -> None:
    allowed = tuple(f"{prefix}/{study.hospital_id}/" for prefix in PREFIXES)
    if not all(place.version_id and place.key.startswith(allowed) for place in places):
        raise PlaceOutsideGrant("a place is not of the granted hospital's uploads, or names no version")


def _lifetime(grant: Grant, now: datetime) -> int:
    """Whole seconds from the stamped second on; the stamp drops the fraction, so the end is counted from there too."""
    return _until(grant.expires_at, now)


def _until(expires_at: datetime, now: datetime) -> int:
    left = min(LIFETIME, expires_at - now.replace(microsecond=0))
    if expires_at <= now or left < timedelta(seconds=1):
        raise AccessDenied("consent_expired")
    return int(left.total_seconds())


@dataclass(frozen=True, slots=True)
class _Query:
    """Parameters as they stand in the URL (`plain`: botocore's order) and in the canonical request (sorted)."""

    plain: str
    canonical: str


def auth_query(credential: str, stamp: str, seconds: int, token: str, signed: str = "host") -> _Query:
    pairs = [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", credential),
        ("X-Amz-Date", stamp),
        ("X-Amz-Expires", str(seconds)),
        ("X-Amz-SignedHeaders", signed),
    ]
    if token:
        pairs.append(("X-Amz-Security-Token", token))
    return _query(pairs)


def _response_query(content_type: str) -> _Query:
    return _query([("response-content-type", content_type), ("response-cache-control", CACHE_CONTROL)])


def _query(pairs: Sequence[tuple[str, str]]) -> _Query:
    encoded = [f"{name}={quote(value, safe='-._~')}" for name, value in pairs]
    return _Query("&".join(encoded), "&".join(sorted(encoded)))
