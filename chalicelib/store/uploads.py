"""The uploads bucket: ranged reads of object versions, and what we unpacked ourselves."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from chalicelib.domain.study import Checksum
from chalicelib.services.ports import ObjectPart, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectVersionsOutputTypeDef

    from chalicelib.domain.study import Place

_GONE: Final = {"NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "404", "405"}  # 405: the version is a delete marker
_BEYOND: Final = {"InvalidRange", "416"}
_EXISTS: Final = {"PreconditionFailed", "412"}
_ALGORITHMS: Final = ("CRC64NVME", "SHA256", "SHA1", "CRC32C", "CRC32")
_CHUNK: Final = 1024 * 1024


class S3Uploads:
    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, key: str, version_id: str | None, start: int, length: int) -> ObjectPart | None:
        """One GET; a HEAD more only where the range lies beyond the end, as any range of an empty object does."""
        try:
            answer = self._client.get_object(
                **self._named(key, version_id), Range=f"bytes={start}-{start + length - 1}"
            )
        except ClientError as error:
            if _code(error) in _BEYOND:
                return self._head(key, version_id)
            if _code(error) in _GONE:
                return None
            raise
        data = answer["Body"].read()
        return _part(answer, data, _whole_size(answer, len(data)))

    def sha256(self, place: Place) -> str | None:
        if place.length == 0:
            return hashlib.sha256().hexdigest()
        last = place.offset + place.length - 1
        try:
            answer = self._client.get_object(
                **self._named(place.key, place.version_id), Range=f"bytes={place.offset}-{last}"
            )
        except ClientError as error:
            if _code(error) in _GONE | _BEYOND:
                return None
            raise
        digest = hashlib.sha256()
        for chunk in answer["Body"].iter_chunks(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()

    def put_new(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, Metadata=dict(metadata), IfNoneMatch="*")
        except ClientError as error:
            if _code(error) in _EXISTS:
                return False
            raise
        return True

    def versions(self, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        for page in self._version_pages(prefix, after):
            for version in page.get("Versions", ()):
                if version["Key"] <= after:  # moto begins with the marker's own versions
                    continue
                yield ObjectVersion(version["Key"], version["VersionId"], version["Size"], version["LastModified"])

    def _version_pages(self, prefix: str, after: str) -> Iterator[ListObjectVersionsOutputTypeDef]:
        """Botocore's paginator cannot begin behind a key of our choice."""
        asked: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix, **({"KeyMarker": after} if after else {})}
        while True:
            page = self._client.list_object_versions(**asked)
            yield page
            if not page.get("IsTruncated"):
                return
            asked |= {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def _head(self, key: str, version_id: str | None) -> ObjectPart | None:
        try:
            answer = self._client.head_object(**self._named(key, version_id))
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise
        return _part(answer, b"", answer["ContentLength"])

    def _named(self, key: str, version_id: str | None) -> dict[str, Any]:
        named = {"Bucket": self._bucket, "Key": key}
        return named if version_id is None else named | {"VersionId": version_id}


def _part(answer: Mapping[str, Any], data: bytes, size: int) -> ObjectPart:
    return ObjectPart(
        data=data,
        size=size,
        version_id=answer.get("VersionId", "null"),
        last_modified=answer["LastModified"],
        checksum=_checksum(answer),
        metadata=answer.get("Metadata"),
    )


def _whole_size(answer: Mapping[str, Any], received: int) -> int:
    """The whole object's size from `bytes 0-65535/1048576`; an answer without it holds the whole."""
    return int(answer["ContentRange"].rpartition("/")[2]) if "ContentRange" in answer else received


def _checksum(answer: Mapping[str, Any]) -> Checksum | None:
    """The full-object checksum, which S3 tells only when the range covers the object. Composite ones (`…-12`) say
    how the parts were cut, not what the bytes are."""
    if answer.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    for algorithm in _ALGORITHMS:
        value = answer.get(f"Checksum{algorithm}")
        if value and "-" not in value:
            return Checksum(algorithm, value)
    return None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
