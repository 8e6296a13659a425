from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Source:
    """Whose log it is: S3 lays it under account, region and bucket, by the day of the requests (data.yaml)."""

    account_id: str
    region: str
    bucket: str


class S3AccessLogs:
    """`uploads/{account}/{region}/{bucket}/{yyyy}/{mm}/{dd}/…` in the logs bucket, read as a stream."""

    def __init__(self, client: S3Client, bucket: str, source: Source) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"uploads/{source.account_id}/{source.region}/{source.bucket}"

    def lines(self, day: date) -> Iterator[tuple[str, Iterator[str]]]:
        prefix = f"{self._prefix}/{day:%Y/%m/%d}/"
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for found in page.get("Contents", ()):
                yield found["Key"], self._read(found["Key"])

    def _read(self, key: str) -> Iterator[str]:
        body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        for line in body.iter_lines():
            yield line.decode("utf-8", errors="replace")
