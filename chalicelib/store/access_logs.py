from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Source:
    """Whose log it is: S3 lays it under its folder, account, region and bucket, by the day of the requests
    (data.yaml)."""

    folder: str
    account_id: str
    region: str
    bucket: str

    @property
    def prefix(self) -> str:
        return f"{self.folder}/{self.account_id}/{self.region}/{self.bucket}"


class S3AccessLogs:
    """`{folder}/{account}/{region}/{bucket}/{yyyy}/{mm}/{dd}/…` in the logs bucket, read as a stream."""

    def __init__(self, client: S3Client, bucket: str, sources: Sequence[Source]) -> None:
        self._client = client
        self._bucket = bucket
        self._sources = sources

    def lines(self, day: date) -> Iterator[tuple[str, Iterator[str]]]:
        pages = self._client.get_paginator("list_objects_v2")
        for source in self._sources:
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{source.prefix}/{day:%Y/%m/%d}/"):
                for found in page.get("Contents", ()):
                    yield found["Key"], self._read(found["Key"])

    def _read(self, key: str) -> Iterator[str]:
        body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        for line in body.iter_lines():
            yield line.decode("utf-8", errors="replace")
