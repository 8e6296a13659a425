"""What is made of studies, under `derived/` in the reports bucket: written once, read by signed URLs, and let go by
the bucket's lifecycle or with its study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from chalicelib.domain.derived import prefix_of
from chalicelib.store.destruction import DELETES, StillThere

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from chalicelib.domain.derived import Derived
    from chalicelib.domain.study import StudyRef

_EXISTS: Final = {"PreconditionFailed", "ConditionalRequestConflict", "412"}  # made already, or by another just now


class S3Derived:
    """The `DerivedObjects` port."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_new(self, derived: Derived, body: bytes) -> None:
        encoding: Any = {"ContentEncoding": derived.encoding} if derived.encoding else {}
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=derived.key,
                Body=body,
                ContentType=derived.content_type,
                IfNoneMatch="*",
                **encoding,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code", "") not in _EXISTS:
                raise


class S3DerivedRemains:
    """The `DerivedRemains` port."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def destroy(self, ref: StudyRef) -> None:
        """Every version, and the markers that the lifecycle left."""
        pages = self._client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix_of(ref), PaginationConfig={"PageSize": DELETES}):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            named: Any = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            if not named:
                continue
            answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": named, "Quiet": True})
            codes = sorted({one.get("Code", "") for one in answer.get("Errors", [])} - {"NoSuchVersion"})
            if codes:
                raise StillThere(", ".join(codes))
