"""Deleting for good: object versions whatever lock holds them, and what the tables know of a study."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, Final

from chalicelib.domain.destruction import Plan, Planned
from chalicelib.store import batch, items, keys, named
from chalicelib.store.pages import beneath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from chalicelib.domain.study import StudyRef

PLAN: Final = "PLAN#"
MANIFESTS: Final = "MANIFEST#"
PART_BYTES: Final = 290_000
DELETES: Final = 1000  # versions a call takes


class StillThere(Exception):  # noqa: N818 - the fact
    """S3 did not delete a version; it names none of them."""


class S3Shredder:
    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def delete(self, versions: Sequence[Planned]) -> None:
        for start in range(0, len(versions), DELETES):
            named: Any = [{"Key": one.key, "VersionId": one.version_id} for one in versions[start : start + DELETES]]
            answer = self._client.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": named, "Quiet": True},
                BypassGovernanceRetention=True,
            )
            codes = sorted(
                {one.get("Code", "") for one in answer.get("Errors", []) if one.get("Code") != "NoSuchVersion"}
            )
            if codes:
                raise StillThere(", ".join(codes))


class DynamoPlans:
    """`PLAN#{part}` under the study: compressed, in parts. The first says how many there are, so that what an earlier
    and longer plan left is never read."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, ref: StudyRef) -> Plan | None:
        found = list(self._parts(ref))
        if not found or len(found) < (count := items.number(found[0], "parts")):
            return None
        told = json.loads(zlib.decompress(b"".join(one["body"]["B"] for one in found[:count])))
        return Plan(tuple(Planned(*one) for one in told["versions"]), told["kept"], told["person_id"])

    def put(self, ref: StudyRef, plan: Plan) -> None:
        """The first part last: before it there is no plan."""
        versions = [[one.key, one.version_id, one.size] for one in plan.versions]
        told = {"versions": versions, "kept": dict(plan.kept), "person_id": plan.person_id}
        packed = zlib.compress(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())
        parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
        for number, part in reversed(list(enumerate(parts))):
            item = items.key(keys.study(ref), f"{PLAN}{number:04d}") | items.attributes(body=part, parts=len(parts))
            self._client.put_item(TableName=self._table, Item=item)

    def drop(self, ref: StudyRef) -> None:
        batch.delete(self._client, self._table, [_key_of(item) for item in self._parts(ref)])

    def _parts(self, ref: StudyRef) -> Any:
        return beneath(self._client, self._table, keys.study(ref), PLAN)


class DynamoRemains:
    """What a destroyed study leaves beside SUMMARY, amendments and plan: manifests that say whose it was, digests, the
    pointer, and what others keep that names it."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def forget(self, ref: StudyRef) -> None:
        kinds = (MANIFESTS, keys.DIGEST)
        found = [_key_of(item) for kind in kinds for item in beneath(self._client, self._table, keys.study(ref), kind)]
        pointer = items.key(keys.pointer(ref.study_instance_uid), ref.hospital_id)
        batch.delete(self._client, self._table, [*found, pointer])
        named.forget(self._client, self._table, ref)


def _key_of(item: items.Item) -> dict[str, Any]:
    return {"PK": item["PK"], "SK": item["SK"]}
