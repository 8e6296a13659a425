from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib.domain.compliance_report import Written

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


COMPLIANCE = "compliance/"


class S3Reports:
    """The reports bucket. Versioned: a report written again keeps its former versions."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes, content_type: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)

    def get(self, key: str) -> bytes | None:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None

    def written(self, key: str) -> Written | None:
        try:
            answer = self._client.head_object(Bucket=self._bucket, Key=key)
        except self._client.exceptions.ClientError as refused:
            if refused.response.get("Error", {}).get("Code") in ("404", "NoSuchKey"):
                return None
            raise
        return Written(answer["LastModified"], answer["ETag"].strip('"'))

    def oldest_year(self) -> int | None:
        answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=COMPLIANCE, MaxKeys=1)
        found = answer.get("Contents", ())
        return int(found[0]["Key"].removeprefix(COMPLIANCE)[:4]) if found else None

    def periods_of(self, year: int) -> Sequence[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{COMPLIANCE}{year:04d}-", Delimiter="/"
        )
        found = (one["Prefix"] for page in pages for one in page.get("CommonPrefixes", ()))
        return tuple(prefix.removeprefix(COMPLIANCE).rstrip("/") for prefix in found)
