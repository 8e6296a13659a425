from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.page import Page
from chalicelib.domain.study import Amendment, Place, StudyRef, Summary
from chalicelib.domain.timeline import order
from chalicelib.store import batch, calls, keys
from chalicelib.store.pages import beneath, every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PART_BYTES = 290_000  # an item holds 400 KB, and parts of less than 300 KB are written and read in one go
FIRST_FLIP = "attribute_not_exists(PK)"
FLIP = "revision = :read"
# A part's `read_revision` only grows, so no laggard makes what a newer settle wrote look old (see `settle_study`).
NOT_NEWER = "attribute_not_exists(PK) OR attribute_not_exists(read_revision) OR read_revision <= :read"
OLDER = "attribute_exists(PK) AND (attribute_not_exists(read_revision) OR read_revision < :flipped)"
EXPIRE = "SET expires_at = :at"
ALL_OF_UID = "PK = :pk"
OF_IDENTITY = "GSI1PK = :identity"
OLDER_OF_IDENTITY = "GSI1PK = :identity AND GSI1SK < :before"


class DynamoStudies:
    """SUMMARY, MANIFEST, AMEND, DIGEST and pointers in the main table. A view costs two calls: summary, manifest."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def summary(self, ref: StudyRef) -> Summary | None:
        key = {"PK": {"S": keys.study(ref)}, "SK": {"S": keys.SUMMARY}}
        item = calls.get(self._client, self._table, key)
        return summary_of(item) if item else None

    def manifest(self, ref: StudyRef, digest: str, parts: int) -> bytes:
        """The manifest's JSON. LookupError when a part is missing: a SUMMARY never names what is not all there."""
        return body_of(batch.get(self._client, self._table, manifest_keys(ref, digest, parts)), parts)

    def put_manifest(self, ref: StudyRef, digest: str, body: bytes, read_revision: int) -> int:
        """One call a part, nearly always one: conditions know no batches."""
        packed = zlib.compress(body, 6)
        parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
        read = {"N": str(read_revision)}
        for number, part in enumerate(parts):
            item: dict[str, Any] = _part_key(ref, digest, number) | {"body": {"B": part}, "read_revision": read}
            with contextlib.suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=NOT_NEWER,
                    ExpressionAttributeValues={":read": read},
                )
        return len(parts)

    def expire_manifest(self, ref: StudyRef, digest: str, parts: int, flipped: int, at: datetime) -> None:
        values = {":at": {"N": str(int(at.timestamp()))}, ":flipped": {"N": str(flipped)}}
        for number in range(parts):
            with contextlib.suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._client.update_item(
                    TableName=self._table,
                    Key=_part_key(ref, digest, number),
                    UpdateExpression=EXPIRE,
                    ConditionExpression=OLDER,
                    ExpressionAttributeValues=values,
                )

    def flip(self, summary: Summary, read_revision: int) -> bool:
        item = _summary_item(replace(summary, revision=read_revision + 1))
        condition: dict[str, Any] = {"ConditionExpression": FIRST_FLIP}
        if read_revision:
            values = {":read": {"N": str(read_revision)}}
            condition = {"ConditionExpression": FLIP, "ExpressionAttributeValues": values}
        return calls.put_if(self._client, self._table, item, **condition)

    def put_pointer(self, ref: StudyRef) -> None:
        item = {"PK": {"S": keys.pointer(ref.study_instance_uid)}, "SK": {"S": ref.hospital_id}}
        self._client.put_item(TableName=self._table, Item=item)

    def hospitals_holding(self, study_instance_uid: str) -> tuple[str, ...]:
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=ALL_OF_UID,
            ExpressionAttributeValues={":pk": {"S": keys.pointer(study_instance_uid)}},
            ConsistentRead=True,
        )
        return tuple(item["SK"]["S"] for item in found)

    def amendments(self, ref: StudyRef) -> tuple[Amendment, ...]:
        return tuple(_amendment(item) for item in self._of_study(ref, keys.AMEND))

    def amend(self, ref: StudyRef, amendment: Amendment) -> None:
        item = {"PK": {"S": keys.study(ref)}, "SK": {"S": keys.amend(amendment.amendment_id)}}
        self._client.put_item(TableName=self._table, Item=item | _amendment_item(amendment))

    def digests(self, ref: StudyRef) -> Mapping[tuple[str, int], str]:
        return {
            (item["version_id"]["S"], int(item["offset"]["N"])): item["sha256"]["S"]
            for item in self._of_study(ref, keys.DIGEST)
        }

    def put_digest(self, ref: StudyRef, place: Place, sha256: str) -> None:
        item = {
            "PK": {"S": keys.study(ref)},
            "SK": {"S": keys.digest(place.version_id, place.offset)},
            "version_id": {"S": place.version_id},
            "offset": {"N": str(place.offset)},
            "sha256": {"S": sha256},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def timeline(self, issuer: str, patient_id: str, before: str, limit: int) -> Page[Summary]:
        """Before a place of `domain.timeline.order` ("": from the newest on). `next_token` is such a place."""
        condition, values = OF_IDENTITY, {":identity": {"S": keys.identity(issuer, patient_id)}}
        if before:
            condition, values = OLDER_OF_IDENTITY, values | {":before": {"S": before}}
        answer = self._client.query(
            TableName=self._table,
            IndexName=keys.GSI1,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            Limit=limit,
        )
        last = answer.get("LastEvaluatedKey")
        return Page(tuple(map(summary_of, answer["Items"])), last["GSI1SK"]["S"] if last else "")

    def _of_study(self, ref: StudyRef, kind: str) -> Iterator[Any]:
        return beneath(self._client, self._table, keys.study(ref), kind)


def manifest_keys(ref: StudyRef, digest: str, parts: int) -> list[dict[str, Any]]:
    return [_part_key(ref, digest, part) for part in range(parts)]


def body_of(items: Iterable[Mapping[str, Any]], parts: int) -> bytes:
    """A manifest from its parts in any order. LookupError when one is missing."""
    found = {item["SK"]["S"]: item["body"]["B"] for item in items}
    if len(found) != parts:
        raise LookupError(f"a manifest lacks {parts - len(found)} of {parts} parts")
    return zlib.decompress(b"".join(found[name] for name in sorted(found)))


def _part_key(ref: StudyRef, digest: str, part: int) -> dict[str, Any]:
    return {"PK": {"S": keys.study(ref)}, "SK": {"S": keys.manifest(digest, part)}}


_INSTANTS = ("first_received_at", "last_received_at", "exam_ended_at")
_TUPLES = ("modalities", "body_parts", "series_descriptions", "exam_end_flags", "regions")
_OWN = ("ref", "revision")  # kept apart: the key, and what the condition compares
_VALUES = tuple(field.name for field in fields(Summary) if field.name not in _OWN)


def _summary_item(summary: Summary) -> dict[str, Any]:
    values = {name: getattr(summary, name) for name in _VALUES}
    values |= {name: at.isoformat() for name in _INSTANTS if (at := values[name]) is not None}
    ref = summary.ref
    item = {
        "PK": {"S": keys.study(ref)},
        "SK": {"S": keys.SUMMARY},
        "hospital_id": {"S": ref.hospital_id},
        "study_instance_uid": {"S": ref.study_instance_uid},
        "revision": {"N": str(summary.revision)},
        "summary": {"S": json.dumps(values, ensure_ascii=False, separators=(",", ":"))},
    }
    if summary.patient_id and summary.state == "served":  # a conflicted study stands in nobody's timeline
        item["GSI1PK"] = {"S": keys.identity(summary.issuer, summary.patient_id)}
        item["GSI1SK"] = {"S": order(summary)}
    return item


def summary_of(item: Mapping[str, Any]) -> Summary:
    values: dict[str, Any] = json.loads(item["summary"]["S"])
    values |= {name: datetime.fromisoformat(values[name]) for name in _INSTANTS if values[name]}
    values |= {name: tuple(values[name]) for name in _TUPLES if name in values}  # one written later may be absent
    ref = StudyRef(item["hospital_id"]["S"], item["study_instance_uid"]["S"])
    return Summary(ref=ref, revision=int(item["revision"]["N"]), **values)


def _amendment_item(amendment: Amendment) -> dict[str, Any]:
    return {
        "amendment_id": {"S": amendment.amendment_id},
        "kind": {"S": amendment.kind},
        "version_id": {"S": amendment.version_id},
        "offset": {"N": str(amendment.offset)},
        "reason": {"S": amendment.reason},
        "made_by": {"S": amendment.made_by},
        "made_at": {"S": amendment.made_at.isoformat()},
    }


def _amendment(item: Mapping[str, Any]) -> Amendment:
    return Amendment(
        amendment_id=item["amendment_id"]["S"],
        kind=item["kind"]["S"],
        version_id=item["version_id"]["S"],
        offset=int(item["offset"]["N"]),
        reason=item["reason"]["S"],
        made_by=item["made_by"]["S"],
        made_at=datetime.fromisoformat(item["made_at"]["S"]),
    )
