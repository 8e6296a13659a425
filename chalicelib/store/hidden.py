from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.domain.pair import Pair
from chalicelib.domain.study import StudyRef
from chalicelib.store import items, keys
from chalicelib.store.pages import beneath

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COUNT = "SET kind = :kind, helper = :helper, doctor_id = :doctor, expires_at = :forget ADD counted :one"
KEPT = timedelta(days=3 * 365)  # as long as a provision of data is to be provable (网络数据条例 12)


class DynamoHiddenStudies:
    """`HIDDEN#{hospital}#{study}` under the person who hides it: with another person the study is not hidden."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def hide(self, person_id: str, study: StudyRef, now: datetime) -> None:
        item = items.key(keys.person(person_id), keys.hidden(study))
        item |= items.attributes(
            hospital_id=study.hospital_id, study_instance_uid=study.study_instance_uid, hidden_at=now
        )
        self._client.put_item(TableName=self._table, Item=item)

    def show(self, person_id: str, study: StudyRef) -> None:
        self._client.delete_item(TableName=self._table, Key=items.key(keys.person(person_id), keys.hidden(study)))

    def of_person(self, person_id: str) -> frozenset[StudyRef]:
        found = beneath(self._client, self._table, keys.person(person_id), keys.HIDDEN)
        return frozenset(
            StudyRef(items.text(item, "hospital_id"), items.text(item, "study_instance_uid")) for item in found
        )


class DynamoPairs:
    """`PAIR#{month}#{kind}#{helper}#{doctor}` under the doctor's hospital; each use adds one."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def count(self, hospital_id: str, pair: Pair, now: datetime) -> None:
        values: dict[str, items.Value] = {
            ":kind": pair.kind,
            ":helper": pair.helper,
            ":doctor": pair.doctor,
            ":forget": int((now + KEPT).timestamp()),
            ":one": 1,
        }
        self._client.update_item(
            TableName=self._table,
            Key=items.key(keys.hospital(hospital_id), keys.pair(f"{now:%Y-%m}", pair.kind, pair.helper, pair.doctor)),
            UpdateExpression=COUNT,
            ExpressionAttributeValues=items.expression_values(values),
        )

    def of_hospital(self, hospital_id: str, month: str) -> tuple[tuple[Pair, int], ...]:
        found = [
            (Pair(item["kind"]["S"], items.text(item, "helper"), items.text(item, "doctor_id")), _counted(item))
            for item in beneath(self._client, self._table, keys.hospital(hospital_id), keys.pairs(month))
        ]
        return tuple(sorted(found, key=lambda one: (-one[1], one[0].helper, one[0].doctor)))


def _counted(item: items.Item) -> int:
    return items.number(item, "counted")
