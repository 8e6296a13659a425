"""The quarantine bucket: `{hospital}/{date}/{sha256(key, version)}.json`, one record per object version."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from chalicelib.domain.page import Page
from chalicelib.domain.quarantine import REASONS
from chalicelib.services.ports import QuarantineRecord

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_EXISTS: Final = {"PreconditionFailed", "412"}
_READERS: Final = 8
_GONE: Final = {"NoSuchKey", "404"}
_ENTRY: Final = re.compile(r"(\d{4}-\d{2}-\d{2}|undated)/[0-9a-f]{64}", re.ASCII)


class S3Quarantine:
    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, record: QuarantineRecord) -> None:
        """The first record of a version stays: a repetition must not even change its `recorded_at`."""
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=record_key(record),
                Body=json.dumps(_to_json(record), ensure_ascii=False, indent=1).encode(),
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _EXISTS:
                raise

    def list(self, hospital_id: str, token: str, limit: int) -> Page[QuarantineRecord]:
        """Oldest upload date first. The token is the last entry of the page before; ValueError for any other."""
        prefix = f"{hospital_id}/"
        if token and not _ENTRY.fullmatch(token):
            raise ValueError("not a continuation token")
        start = f"{prefix}{token}.json" if token else prefix
        found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=limit, StartAfter=start)
        keys = [item["Key"] for item in found.get("Contents", ())]
        with ThreadPoolExecutor(_READERS) as pool:
            records = tuple(pool.map(self._get, keys))
        return Page(records, records[-1].entry_id if records and found["IsTruncated"] else "")

    def get(self, hospital_id: str, entry_id: str) -> QuarantineRecord | None:
        if not _ENTRY.fullmatch(entry_id):
            return None
        try:
            return self._get(f"{hospital_id}/{entry_id}.json")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                return None
            raise

    def _get(self, key: str) -> QuarantineRecord:
        body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return _from_json(json.loads(body))


def record_key(record: QuarantineRecord) -> str:
    """Always the same for one object version."""
    return f"{record.hospital_id}/{record.entry_id}.json"


def _to_json(record: QuarantineRecord) -> dict[str, Any]:
    reason = REASONS[record.reason]
    return {
        "hospital_id": record.hospital_id,
        "key": record.key,
        "version_id": record.version_id,
        "size": record.size,
        "received_at": record.received_at.isoformat() if record.received_at else None,
        "reason": record.reason,
        "message": {"en": reason.en, "zh": reason.zh},
        "remedy": {"en": reason.remedy_en, "zh": reason.remedy_zh},
        "detail": record.detail,
        "recorded_at": record.recorded_at.isoformat(),
        "sop_instance_uid": record.sop_instance_uid,
    }


def _from_json(body: dict[str, Any]) -> QuarantineRecord:
    return QuarantineRecord(
        hospital_id=body["hospital_id"],
        key=body["key"],
        version_id=body["version_id"],
        size=body["size"],
        received_at=datetime.fromisoformat(body["received_at"]) if body["received_at"] else None,
        reason=body["reason"],
        detail=body["detail"],
        recorded_at=datetime.fromisoformat(body["recorded_at"]),
        sop_instance_uid=body.get("sop_instance_uid", ""),
    )
