"""Keys and joining codes of hospitals, under `HOSPITAL#{id}` in the main table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.hospital_key import HospitalKey, PublicKey
from chalicelib.domain.joining_code import TRIES, JoiningCode, TypedCode
from chalicelib.store import calls, items, keys
from chalicelib.store.pages import beneath

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS = "KEY#"  # its thumbprint
JOINING = "JOINING#CODE"
NEVER_THERE = "attribute_not_exists(PK)"
LIVES = "attribute_exists(PK) AND attribute_not_exists(ended_at)"
END = "SET ended_at = :at, ended_by = :by"
NOT_ENDED = "attribute_not_exists(ended_at)"
TRY = "ADD tries :one"
MAY_BE_TRIED = "#name = :name AND valid_until > :now AND tries < :most"
STILL_THIS = "#name = :name"
NAME = {"#name": "name"}


class DynamoHospitalKeys:
    """The `HospitalKeys` port."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, hospital_id: str, kid: str) -> HospitalKey | None:
        item = calls.get(self._client, self._table, _key(hospital_id, kid))
        return _known(hospital_id, item) if item else None

    def of(self, hospital_id: str) -> tuple[HospitalKey, ...]:
        found = beneath(self._client, self._table, keys.hospital(hospital_id), KEYS)
        return tuple(key for item in found if (key := _known(hospital_id, item)))

    def add(self, key: HospitalKey, beside: str = "") -> bool:
        item = _key(key.hospital_id, key.key.kid) | items.attributes(
            n=key.key.n,
            e=key.key.e,
            added_at=key.added_at,
            added_by=key.added_by,
            ended_at=key.ended_at,
            ended_by=key.ended_by,
        )
        writes: list[Any] = [{"Put": {"TableName": self._table, "Item": item, "ConditionExpression": NEVER_THERE}}]
        if beside:
            other = {"TableName": self._table, "Key": _key(key.hospital_id, beside), "ConditionExpression": LIVES}
            writes.append({"ConditionCheck": other})
        return calls.together(self._client, writes)

    def end(self, key: HospitalKey) -> None:
        if key.ended_at is None:
            raise ValueError("a key is ended at some time")
        values: dict[str, items.Value] = {":at": key.ended_at, ":by": key.ended_by}
        how = {"UpdateExpression": END, "ConditionExpression": NOT_ENDED}
        calls.update_if(self._client, self._table, _key(key.hospital_id, key.key.kid), values, **how)


class DynamoJoiningCodes:
    """The `JoiningCodes` port. TTL takes what nobody used."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, hospital_id: str) -> JoiningCode | None:
        item = calls.get(self._client, self._table, _code(hospital_id))
        return _joining_code(hospital_id, item) if item else None

    def put(self, code: JoiningCode) -> None:
        values = items.attributes(
            name=code.name,
            digest=code.digest,
            made_at=code.made_at,
            valid_until=code.expires_at,
            tries=code.tries,
            expires_at=int(code.expires_at.timestamp()),
        )
        self._client.put_item(TableName=self._table, Item=_code(code.hospital_id) | values)

    def take_try(self, hospital_id: str, typed: TypedCode, now: datetime) -> JoiningCode | None:
        values: dict[str, items.Value] = {":name": typed.name, ":now": now, ":most": TRIES, ":one": 1}
        how = {
            "UpdateExpression": TRY,
            "ConditionExpression": MAY_BE_TRIED,
            "ExpressionAttributeNames": NAME,
        }
        item = calls.update_if(self._client, self._table, _code(hospital_id), values, **how)
        return _joining_code(hospital_id, item) if item else None

    def use_up(self, code: JoiningCode) -> bool:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_code(code.hospital_id),
                ConditionExpression=STILL_THIS,
                ExpressionAttributeNames=NAME,
                ExpressionAttributeValues=items.expression_values({":name": code.name}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def void(self, hospital_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=_code(hospital_id))


def _key(hospital_id: str, kid: str) -> dict[str, Any]:
    return items.key(keys.hospital(hospital_id), f"{KEYS}{kid}")


def _code(hospital_id: str) -> dict[str, Any]:
    return items.key(keys.hospital(hospital_id), JOINING)


def _known(hospital_id: str, item: items.Item) -> HospitalKey | None:
    """None for one that was ended before it was put: a rebuild may come upon the end first."""
    if "n" not in item:
        return None
    return HospitalKey(
        hospital_id,
        PublicKey(items.text(item, "n"), items.text(item, "e")),
        items.instant(item, "added_at"),
        items.text(item, "added_by"),
        items.instant_or_none(item, "ended_at"),
        items.text(item, "ended_by"),
    )


def _joining_code(hospital_id: str, item: items.Item) -> JoiningCode:
    return JoiningCode(
        hospital_id,
        items.text(item, "name"),
        bytes(item["digest"]["B"]),
        items.instant(item, "made_at"),
        items.instant(item, "valid_until"),
        items.number(item, "tries"),
    )
