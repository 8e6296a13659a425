from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from chalicelib.domain.seal import Kept, each_line, hour_name, hours
from chalicelib.services.audit_ports import Oddity, Survey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SEALS: Final = "seals/"
FILES: Final = "events/"
RECENT: Final = timedelta(days=7)  # where the last seal is looked for first
_EXISTS: Final = frozenset({"PreconditionFailed", "412"})
_KEY: Final = re.compile(r"(?:seals/(\d{4}-\d\d-\d\dT\d\d)\.json|events/(\d{4}-\d\d-\d\dT\d\d)\.jsonl\.gz)")


@dataclass(frozen=True, slots=True)
class _Versions:
    """What was put first under a key, and whether anything came after it."""

    key: str
    first: str
    is_single: bool


class S3SealArchive:
    """`seals/{hour}.json` and `events/{hour}.jsonl.gz` in the locked bucket, both put with `If-None-Match: *`.

    Reads go to the oldest version of a key: a later one, or a delete marker, hides nothing.
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def latest(self, until: datetime) -> tuple[datetime, str] | None:
        """Asks for the last week's seals, and for all of them only where there is none."""
        for after in (f"{SEALS}{hour_name(until - RECENT)}", ""):
            found = [one for one in self._listed(SEALS, after) if (hour := _hour(one.key)) and hour <= until]
            if found:
                body = self._get(found[-1].key, found[-1].first)
                hour = _hour(found[-1].key)
                return (hour, hashlib.sha256(body).hexdigest()) if hour else None
        return None

    def put_file(self, hour: datetime, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Only what is packed is in memory: a crowded hour is some twenty times as large."""
        stands = self._put_first(_file_key(hour), _packed(lines), "application/gzip")
        return each_line(gzip.GzipFile(fileobj=io.BytesIO(stands)))

    def put_seal(self, hour: datetime, body: bytes) -> bytes:
        return self._put_first(_seal_key(hour), body, "application/json")

    def survey(self) -> Survey:
        found = list(self._listed("", ""))
        sealed = [hour for one in found if one.key.startswith(SEALS) and (hour := _hour(one.key))]
        oddities = [
            Oddity(one.key, _hour_text(one.key), is_stray=_hour(one.key) is None)
            for one in found
            if not one.is_single or _hour(one.key) is None
        ]
        first, last = (min(sealed), max(sealed)) if sealed else (None, None)
        return Survey(first, last, {one.key: one.first for one in found}, tuple(oddities))

    def kept(self, survey: Survey, hour: datetime) -> Kept:
        seal = self._version(survey.versions, _seal_key(hour))
        packed = self._version(survey.versions, _file_key(hour))
        if packed is None:
            return Kept(seal, None)
        try:
            return Kept(seal, gzip.decompress(packed))
        except (OSError, EOFError, zlib.error):
            return Kept(seal, None, unreadable=True)

    def files(self, first: datetime, last: datetime) -> Iterator[bytes | None]:
        for hour in hours(first, last):
            listed = {
                one.key: one.first for prefix in (_seal_key(hour), _file_key(hour)) for one in self._listed(prefix)
            }
            kept = self.kept(Survey(hour, hour, listed, ()), hour)
            yield kept.lines if kept.seal is not None else None

    def _put_first(self, key: str, body: bytes, content_type: str) -> bytes:
        """What was put first under a key: this, unless something was. Looking before the put sees what a delete marker
        hides, over which a conditional put would succeed; the condition decides between two that look at once."""
        stands = self._first(key)
        if stands is None and self._put_new(key, body, content_type):
            return body
        return stands or self._first(key) or b""

    def _put_new(self, key: str, body: bytes, content_type: str) -> bool:
        """S3 wants a checksum with every put into a locked bucket."""
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code", "")) in _EXISTS:
                return False
            raise
        return True

    def _first(self, key: str) -> bytes | None:
        return self._version({one.key: one.first for one in self._listed(key)}, key)

    def _version(self, versions: Mapping[str, str], key: str) -> bytes | None:
        return self._get(key, versions[key]) if versions.get(key) else None

    def _get(self, key: str, version_id: str) -> bytes:
        return self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version_id)["Body"].read()

    def _listed(self, prefix: str, after: str = "") -> Iterator[_Versions]:
        """Keys in order, each once. S3 names a key's versions newest first, delete markers among them."""
        start: dict[str, Any] = {"KeyMarker": after} if after else {}
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix, **start)
        seen: dict[str, _Versions] = {}
        for page in pages:
            for version in page.get("Versions", ()):
                key = version["Key"]
                seen[key] = _Versions(key, version["VersionId"], is_single=key not in seen)
            for marker in page.get("DeleteMarkers", ()):
                former = seen.get(marker["Key"])
                seen[marker["Key"]] = _Versions(marker["Key"], former.first if former else "", is_single=False)
        yield from (seen[key] for key in sorted(seen))


def _packed(lines: Iterable[bytes]) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as file:
        file.writelines(line + b"\n" for line in lines)
    return packed.getvalue()


def _seal_key(hour: datetime) -> str:
    return f"{SEALS}{hour_name(hour)}.json"


def _file_key(hour: datetime) -> str:
    return f"{FILES}{hour_name(hour)}.jsonl.gz"


def _hour_text(key: str) -> str:
    found = _KEY.fullmatch(key)
    return (found[1] or found[2]) if found else ""


def _hour(key: str) -> datetime | None:
    try:
        return datetime.strptime(_hour_text(key), "%Y-%m-%dT%H").replace(tzinfo=UTC)
    except ValueError:
        return None
