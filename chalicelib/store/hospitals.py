from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.human_facts import contacts_text, read_contacts
from chalicelib.domain.page import Page
from chalicelib.domain.study import Hospital
from chalicelib.store import calls, items, keys
from chalicelib.store.pages import after_key, every, page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP = timedelta(minutes=5)
ALL_OF_DIRECTORY = "PK = :directory"


class DynamoHospitals:
    """PROFILE and the directory of hospitals in the main table; each process keeps what it read for `keep`.

    An unknown hospital is not remembered: once registered, its uploads count at once. `seconds` is a steady clock.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        keep: timedelta = KEEP,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._table = table
        self._keep = keep.total_seconds()
        self._seconds = seconds
        self._known: dict[str, tuple[float, Hospital]] = {}

    def get(self, hospital_id: str) -> Hospital | None:
        read_at, known = self._known.get(hospital_id, (0.0, None))
        if known is not None and self._seconds() - read_at < self._keep:
            return known
        item = calls.get(self._client, self._table, _profile(hospital_id))
        if item is None:
            self._known.pop(hospital_id, None)
            return None
        return self._remember(_hospital(item))

    def put(self, hospital: Hospital) -> None:
        """Profile and directory stand or fall together."""
        values = _item(hospital)
        puts: list[Any] = [
            {"Put": {"TableName": self._table, "Item": key | values}}
            for key in (_profile(hospital.hospital_id), _directory(hospital.hospital_id))
        ]
        self._client.transact_write_items(TransactItems=puts)
        self._remember(hospital)

    def list(self) -> tuple[Hospital, ...]:
        """All registered hospitals by id; read afresh (2,100 of them are about a megabyte)."""
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=ALL_OF_DIRECTORY,
            ExpressionAttributeValues={":directory": {"S": keys.HOSPITALS}},
            ConsistentRead=True,
        )
        return tuple(map(_hospital, found))

    def page(self, token: str, limit: int) -> Page[Hospital]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression=ALL_OF_DIRECTORY,
            ExpressionAttributeValues={":directory": {"S": keys.HOSPITALS}},
            ConsistentRead=True,
            Limit=limit,
            **after_key(keys.HOSPITALS, "", token),
        )
        return Page(tuple(map(_hospital, answer["Items"])), page_token(answer.get("LastEvaluatedKey"), ""))

    def _remember(self, hospital: Hospital) -> Hospital:
        self._known[hospital.hospital_id] = (self._seconds(), hospital)
        return hospital


def _profile(hospital_id: str) -> dict[str, Any]:
    return {"PK": {"S": keys.hospital(hospital_id)}, "SK": {"S": keys.PROFILE}}


def _directory(hospital_id: str) -> dict[str, Any]:
    return {"PK": {"S": keys.HOSPITALS}, "SK": {"S": hospital_id}}


def _item(hospital: Hospital) -> dict[str, Any]:
    closed = {"closed_at": {"S": hospital.closed_at.isoformat()}} if hospital.closed_at else {}
    told = items.attributes(
        contacts=contacts_text(hospital.contacts) if hospital.contacts else "",
        default_class=hospital.default_class,
    )
    return (
        closed
        | told
        | {
            "hospital_id": {"S": hospital.hospital_id},
            "name": {"S": hospital.name},
            "name_en": {"S": hospital.name_en},
            "level": {"S": hospital.level},
            "region": {"S": hospital.region},
            "utc_offset_minutes": {"N": str(hospital.utc_offset_minutes)},
            "active": {"BOOL": hospital.active},
            "weekday_volume": {"L": [{"N": str(number)} for number in hospital.weekday_volume]},
        }
    )


def _hospital(item: Mapping[str, Any]) -> Hospital:
    return Hospital(
        hospital_id=item["hospital_id"]["S"],
        name=item["name"]["S"],
        name_en=item["name_en"]["S"],
        level=item["level"]["S"],
        region=item["region"]["S"],
        utc_offset_minutes=int(item["utc_offset_minutes"]["N"]),
        active=item["active"]["BOOL"],
        closed_at=datetime.fromisoformat(item["closed_at"]["S"]) if "closed_at" in item else None,
        contacts=read_contacts(items.text(item, "contacts") or "[]"),
        weekday_volume=tuple(int(number["N"]) for number in item.get("weekday_volume", {"L": ()})["L"]),
        default_class=items.text(item, "default_class"),  # type: ignore[arg-type] # one of ours, as it was put
    )
