"""Sorted receipts in the reports bucket: `reconcile/{night}/{part}` and, once that stands, its index beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from chalicelib.domain.reconciling import to_message

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from chalicelib.domain.reconciling import Piece

_INDEX: Final = ".json"
_BATCH: Final = 10  # SendMessageBatch takes no more


class S3SortedReceipts:
    """The services' port `SortedReceipts`. infra/data.yaml lets a night go after a week."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, night: datetime, part: str, digests: Mapping[str, bytes]) -> None:
        spans, body = {}, bytearray()
        for hospital_id, found in digests.items():
            spans[hospital_id] = [len(body), len(found)]
            body += found
        self._put(_folder(night) + part, bytes(body))
        self._put(_folder(night) + part + _INDEX, json.dumps(spans).encode())

    def parts(self, night: datetime) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=_folder(night))
        names = [found["Key"].removeprefix(_folder(night)) for page in pages for found in page.get("Contents", ())]
        return [name.removesuffix(_INDEX) for name in names if name.endswith(_INDEX)]

    def spans(self, night: datetime, part: str) -> dict[str, tuple[int, int]]:
        answer = self._client.get_object(Bucket=self._bucket, Key=_folder(night) + part + _INDEX)
        return {hospital_id: (at, length) for hospital_id, (at, length) in json.load(answer["Body"]).items()}

    def read(self, night: datetime, part: str, offset: int, length: int) -> bytes:
        answer = self._client.get_object(
            Bucket=self._bucket, Key=_folder(night) + part, Range=f"bytes={offset}-{offset + length - 1}"
        )
        return answer["Body"].read()

    def _put(self, key: str, body: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body)


def _folder(night: datetime) -> str:
    return f"reconcile/{night.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}/"


class PiecesBusyError(Exception):
    """The queue did not take all pieces. Whatever sent them is tried again."""


class SqsPieces:
    """The services' port `Pieces`."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, pieces: Collection[Piece]) -> None:
        bodies = [json.dumps(to_message(piece)) for piece in pieces]
        for start in range(0, len(bodies), _BATCH):
            entries = bodies[start : start + _BATCH]
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(entries)],
            )
            if answer.get("Failed"):
                raise PiecesBusyError
