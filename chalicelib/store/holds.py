from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.domain.disposal import Hold
from chalicelib.domain.page import Page
from chalicelib.store import calls, items, keys
from chalicelib.store.pages import BENEATH, after_key, every, page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOLDS = "HOLD#"
NOT_LIFTED = "attribute_not_exists(lifted_at)"
STANDS = "attribute_exists(PK) AND attribute_not_exists(lifted_at)"


class DynamoHolds:
    """`HOLD#{id}` under the hospital. They are records and have no TTL; there are few, so all are read."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, hold: Hold) -> None:
        self._client.put_item(TableName=self._table, Item=_item(hold))

    def get(self, hospital_id: str, hold_id: str) -> Hold | None:
        item = calls.get(
            self._client, self._table, items.key(keys.hospital(hospital_id), f"{HOLDS}{keys.text(hold_id)}")
        )
        return _hold(item) if item else None

    def lift(self, hold: Hold) -> bool:
        return calls.put_if(self._client, self._table, _item(hold), ConditionExpression=STANDS)

    def standing(self, hospital_id: str) -> tuple[Hold, ...]:
        query = self._beneath(hospital_id) | {"FilterExpression": NOT_LIFTED}
        return tuple(_hold(item) for item in every(self._client, **query))

    def of_hospital(self, hospital_id: str, token: str, limit: int) -> Page[Hold]:
        start = after_key(keys.hospital(hospital_id), HOLDS, token)
        answer = self._client.query(**self._beneath(hospital_id), ScanIndexForward=False, Limit=limit, **start)
        return Page(tuple(map(_hold, answer["Items"])), page_token(answer.get("LastEvaluatedKey"), HOLDS))

    def _beneath(self, hospital_id: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": BENEATH,
            "ExpressionAttributeValues": {":pk": {"S": keys.hospital(hospital_id)}, ":kind": {"S": HOLDS}},
            "ConsistentRead": True,
        }


def _item(hold: Hold) -> dict[str, Any]:
    return items.key(keys.hospital(hold.hospital_id), f"{HOLDS}{keys.text(hold.hold_id)}") | items.attributes(
        hold_id=hold.hold_id,
        hospital_id=hold.hospital_id,
        study_instance_uid=hold.study_instance_uid,
        patient_id=hold.patient_id,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_as=hold.placed_as,
        placed_at=hold.placed_at,
        lifted_by=hold.lifted_by,
        lifted_reason=hold.lifted_reason,
        lifted_at=hold.lifted_at,
    )


def _hold(item: items.Item) -> Hold:
    return Hold(
        hold_id=items.text(item, "hold_id"),
        hospital_id=items.text(item, "hospital_id"),
        study_instance_uid=items.text(item, "study_instance_uid"),
        patient_id=items.text(item, "patient_id"),
        reason=items.text(item, "reason"),
        placed_by=items.text(item, "placed_by"),
        placed_as=item["placed_as"]["S"],
        placed_at=items.instant(item, "placed_at"),
        lifted_by=items.text(item, "lifted_by"),
        lifted_reason=items.text(item, "lifted_reason"),
        lifted_at=items.instant_or_none(item, "lifted_at"),
    )
