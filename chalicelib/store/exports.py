"""Where a person's latest archive is, the queue of those to build, and the archives themselves."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.export import EXPORT_KEPT, Export
from chalicelib.domain.study import Place
from chalicelib.store import calls, items, keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

KEPT = EXPORT_KEPT + timedelta(days=6)  # that there was one is told for a week
STILL_LATEST = "export_id = :export AND attribute_not_exists(ready_at)"
SET_PLACE = (
    "SET ready_at = :ready, archive_key = :key, version_id = :version, archive_length = :length, covers = :covers"
)


class DynamoExports:
    """`EXPORT` under the person."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, person_id: str) -> Export | None:
        item = calls.get(self._client, self._table, _key(person_id))
        return _export(item) if item else None

    def ask(self, export: Export) -> None:
        values = items.attributes(
            export_id=export.export_id,
            person_id=export.person_id,
            asked_at=export.asked_at,
            expires_at=int((export.asked_at + KEPT).timestamp()),
        )
        self._client.put_item(TableName=self._table, Item=_key(export.person_id) | values)

    def finish(self, export: Export) -> bool:
        if export.place is None or export.ready_at is None:
            raise ValueError("a finished archive lies somewhere")
        values: dict[str, items.Value] = {
            ":export": export.export_id,
            ":ready": export.ready_at,
            ":key": export.place.key,
            ":version": export.place.version_id,
            ":length": export.place.length,
            ":covers": export.covers,
        }
        key = _key(export.person_id)
        how = {"UpdateExpression": SET_PLACE, "ConditionExpression": STILL_LATEST}
        done = calls.update_if(self._client, self._table, key, values, **how)
        return done is not None


class SqsExportQueue:
    """A message names the person by their id, which says nothing outside, and the archive."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, person_id: str, export_id: str) -> None:
        body = json.dumps({"person_id": person_id, "export_id": export_id})
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)


class S3ExportArchives:
    """In the reports bucket, whose lifecycle lets archives go after a day."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes) -> Place:
        answer = self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/zip")
        return Place(key, answer["VersionId"], 0, len(body))


def _key(person_id: str) -> dict[str, Any]:
    return items.key(keys.person(person_id), keys.EXPORT)


def _export(item: items.Item) -> Export:
    key = items.text(item, "archive_key")
    place = Place(key, items.text(item, "version_id"), 0, items.number(item, "archive_length")) if key else None
    return Export(
        items.text(item, "export_id"),
        items.text(item, "person_id"),
        items.instant(item, "asked_at"),
        items.instant_or_none(item, "ready_at"),
        place,
        items.texts(item, "covers"),
    )
