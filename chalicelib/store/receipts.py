"""Receipts in the uploads bucket: `receipts/{date}/{batch}`, one compressed JSON object each."""

from __future__ import annotations

import gzip
import json
import zlib
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

    def of(self, date: str, share: str, after: str = "") -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """A share of a date has some 20,000 receipts: they are read side by side, a listing's page at a time."""
        folder = f"receipts/{date}/"
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=f"{folder}{share}",
            StartAfter=f"{folder}{after}",
            PaginationConfig={"PageSize": _AHEAD},
        )
        with ThreadPoolExecutor(_READERS) as pool:
            for page in pages:
                keys = [found["Key"] for found in page.get("Contents", ())]
                yield from zip((key.removeprefix(folder) for key in keys), pool.map(self._read, keys), strict=True)

    def _read(self, key: str) -> list[tuple[str, str]]:
        """A receipt that is none names nothing: its uploads are fed again, and no hospital waits for it."""
        body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        try:
            return [(told["key"], told["version_id"]) for told in json.loads(gzip.decompress(body))["outcomes"]]
        except (gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, TypeError):
            return []
