"""Receipts in the uploads bucket: `receipts/{date}/{batch}`, one compressed JSON object each."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_s3 import S3Client

_READERS: Final = 16
_AHEAD: Final = 512


class S3Receipts:
    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def write(self, batch: str, at: datetime, outcomes: Sequence[Mapping[str, str]]) -> None:
        body = json.dumps({"outcomes": [dict(outcome) for outcome in outcomes]}, ensure_ascii=False).encode()
        self._client.put_object(
            Bucket=self._bucket,
            Key=f"receipts/{at.astimezone(UTC).date().isoformat()}/{batch}",
            Body=gzip.compress(body, compresslevel=6, mtime=0),
            ContentType="application/json",
            ContentEncoding="gzip",
        )

    def seen(self, date: str) -> Iterator[tuple[str, str]]:
        """A day has some 300,000 receipts: they are read side by side, a listing's page at a time."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"receipts/{date}/", PaginationConfig={"PageSize": _AHEAD}
        )
        with ThreadPoolExecutor(_READERS) as pool:
            for page in pages:
                for named in pool.map(self._read, [found["Key"] for found in page.get("Contents", ())]):
                    yield from named

    def _read(self, key: str) -> list[tuple[str, str]]:
        body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return [(told["key"], told["version_id"]) for told in json.loads(gzip.decompress(body))["outcomes"]]
